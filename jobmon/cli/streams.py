"""The standard streams of the command: any of them may be closed, full, of a narrow encoding, or without a reader."""

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress

from jobmon.inherited import hold_standard_descriptors


def prepare_streams() -> None:
    """Make what is missing good, so that writing either works or fails as it does on a full disk, and never for want
    of a character."""
    hold_standard_descriptors()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: PTH123, SIM115 - refuses
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def argument_text(given: str) -> str:
    """A name of the command line as text, also where the locale is not of UTF-8."""
    if given.isascii() or given.isprintable():
        return given
    return os.fsencode(given).decode("utf-8", "backslashreplace")


def flush_output() -> None:
    """Write what standard output holds back.

    Raises:
        OSError: it takes nothing more.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def drop_output() -> None:
    """Write nothing more to standard output, not even what it holds back, which the end of the process would try."""
    stream, sys.stdout = sys.stdout, None
    if isinstance(stream, io.TextIOWrapper):
        with suppress(io.UnsupportedOperation):  # it has no descriptor, and so nothing that could fail
            number = stream.fileno()
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, number)
            os.close(null)


def tell(show: Callable[[], object]) -> None:
    """Show a message on standard error; where that takes none, the exit code has to do."""
    with suppress(OSError):
        show()
