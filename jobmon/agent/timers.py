"""What is to be done later."""

import heapq
import itertools
from collections.abc import Callable


class Timers:
    """Functions to call at an instant of a monotonic clock, in order of their instants."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Call `do` when it is time."""
        heapq.heappush(self._heap, (when, next(self._count), do))

    def wait_s(self, now: float) -> float:
        """How long until the next is due."""
        return max(0.0, self._heap[0][0] - now) if self._heap else 3600.0

    def run(self, now: float) -> None:
        """Call those that are due."""
        while self._heap and self._heap[0][0] <= now:
            heapq.heappop(self._heap)[2]()
