"""Descriptors in reserve: when this process has no more, it can still end what runs, and hear its executor."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_KEPT = 4


class Reserve:
    """Holds some descriptors, which are free while they are lent."""

    def __init__(self) -> None:
        self._held: list[int] = []
        self._fill()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Within this some descriptors are free."""
        while self._held:
            os.close(self._held.pop())
        try:
            yield
        finally:
            self._fill()

    def _fill(self) -> None:
        with suppress(OSError):  # what is missing is taken as soon as it is to be had
            while len(self._held) < _KEPT:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
