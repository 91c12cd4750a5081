"""Time, injected: nothing below the composition roots asks the operating system for it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where a component gets its time from."""

    def now(self) -> datetime:
        """The wall clock: an aware instant in UTC. It may jump."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never goes back. Deadlines are kept on it."""


class SystemClock:
    """The clocks of this machine; `monotonic` may be another one."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic

    def now(self) -> datetime:
        return datetime.now(UTC)
