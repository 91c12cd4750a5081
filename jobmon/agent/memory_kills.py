"""Whose end was the kernel's doing, for want of memory."""

from collections.abc import Callable

from jobmon.worker.memory import oom_kills


class MemoryKills:
    """Shares out the kills that the kernel counts among the commands that were ended by SIGKILL."""

    def __init__(self, count: Callable[[], int | None] = oom_kills) -> None:
        self._count = count
        self._shared_out = self._before = count() or 0

    def one_more(self) -> bool:
        """A command was ended by SIGKILL: whether the kernel has killed one more than those before."""
        if (self._count() or 0) <= self._shared_out:
            return False
        self._shared_out += 1
        return True

    def settle(self) -> None:
        """To be called now and then: kills of which no command has died since the last time are nobody's."""
        self._shared_out = max(self._shared_out, self._before)
        self._before = self._count() or 0
