"""The command `jobmon`. Each command lives in a module of its own that is imported when the command is used."""

from jobmon.cli.app import main

__all__ = ["main"]
