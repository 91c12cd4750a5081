"""Signals as something to read, when the loop has time for them. Linux only.

A handler would run between any two steps of the loop: one that ends attempts could meet an attempt whose process is
just being started, and not yet known.
"""

import ctypes
import os
import signal
from collections.abc import Iterable

_INFO_BYTES = 128  # struct signalfd_siginfo
_SET_BYTES = 128  # sigset_t
_AT_ONCE = 16


class Signals:
    """Keeps the signals from this thread, and from threads that it starts later, and has them read from `fd`."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        """Begin.

        Raises:
            OSError: the kernel refuses.
        """
        wanted = set(numbers)
        signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
        bits = sum(1 << (number - 1) for number in wanted)
        libc = ctypes.CDLL(None, use_errno=True)
        # SFD_NONBLOCK and SFD_CLOEXEC are those of open(2).
        self.fd: int = libc.signalfd(-1, bits.to_bytes(_SET_BYTES, "little"), os.O_NONBLOCK | os.O_CLOEXEC)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "signalfd")

    def read(self) -> set[int]:
        """Those that have come since the last time, each once however often it came."""
        found: set[int] = set()
        try:
            while True:
                infos = os.read(self.fd, _AT_ONCE * _INFO_BYTES)
                found.update(infos[start] for start in range(0, len(infos), _INFO_BYTES))
                if len(infos) < _AT_ONCE * _INFO_BYTES:
                    return found
        except BlockingIOError:
            return found
