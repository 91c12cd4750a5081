"""`python -m jobmon` is the command `jobmon`."""

from jobmon.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
