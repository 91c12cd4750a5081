"""What the agent says on standard error, which its executor has put into a file of the agent's folder: `agent.log`."""

import contextlib
import os


def say(words: str) -> None:
    """Say it, as lines of its own. Where it cannot be written it is not said: nothing of the agent depends on it.

    It is written past `sys.stderr`, which keeps what a full disk refuses, and fails with it again when it is flushed.
    """
    with contextlib.suppress(OSError):  # the disk of the log is full, say
        os.write(2, f"{words}\n".encode(errors="backslashreplace"))
