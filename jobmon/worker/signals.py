"""Wait for whatever happens next: a child's end, a signal, or a moment; pass signals on to the command."""

from __future__ import annotations

import _signal
import os
import select
import time

from .spawn import FORWARDED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

#: Those of the forwarded signals that ask for the end.
_ENDING = (_signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP)


class Signals:
    """The signals of this process, from now on. Each also ends the wait that it comes in (a "self-pipe")."""

    def __init__(self) -> None:
        self.ending: int | None = None  #: the last signal that asked for the end, until it is cleared
        self.group: int | None = None  #: the process group that signals are passed on to
        self._read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        _signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        _signal.pthread_sigmask(_signal.SIG_SETMASK, ())  # whoever started this process may have blocked some
        for number in (*FORWARDED, _signal.SIGCHLD):
            _signal.signal(number, self._handle)
        self._poll = select.poll()
        self._poll.register(self._read, select.POLLIN)

    def _handle(self, number: int, _frame: object) -> None:
        # Passed on here, not where they are waited for, so that a server that is slow to answer delays none.
        if number in _ENDING:
            self.ending = number
        if self.group is not None and number != _signal.SIGCHLD:
            signal_group(self.group, number)

    def wait(self, seconds: float) -> None:
        """Return at the next signal, SIGCHLD included, and at the latest after so many seconds."""
        if self._poll.poll(max(0.0, seconds) * 1000):
            os.read(self._read, 4096)

    def pause(self, seconds: float) -> None:
        """Return after so many seconds, or when a signal has asked for the end."""
        until = time.monotonic() + seconds
        while self.ending is None and time.monotonic() < until:
            self.wait(until - time.monotonic())

    def start(self, start: Callable[[], int]) -> None:
        """Start the command, whose process group `start` returns. It gets each signal that asks for the end: one that
        came before there was a group, or while it came to be, as soon as there is one.
        """
        _signal.pthread_sigmask(_signal.SIG_BLOCK, FORWARDED)
        try:
            self.group = start()
            if self.ending is not None:
                signal_group(self.group, self.ending)
        finally:
            _signal.pthread_sigmask(_signal.SIG_UNBLOCK, FORWARDED)


def signal_group(group: int, number: int) -> None:
    """Send a signal to a process group; one that is gone, or belongs to somebody else by now, is passed over."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
