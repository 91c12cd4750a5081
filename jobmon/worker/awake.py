"""A clock for deadlines: what a process spends stopped (SIGSTOP, a freezer, a container that is paused) is not on it.

Whoever counts the silence of others must not count the time in which it could not have heard them.
"""

from __future__ import annotations

import _thread
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class AwakeClock:
    """Seconds that never go back. It must be read at least every `most_s`: of a longer gap only so much counts."""

    def __init__(self, most_s: float, real: Callable[[], float] = time.monotonic) -> None:
        self._most_s = most_s
        self._real = real
        self._read_at = real()
        self._stopped_s = 0.0
        self._lock = _thread.allocate_lock()

    def now(self) -> float:
        """Seconds since an arbitrary moment. Thread-safe."""
        with self._lock:
            real = self._real()
            over_s = real - self._read_at - self._most_s
            if over_s > 0:
                self._stopped_s += over_s
            self._read_at = real
            return real - self._stopped_s
