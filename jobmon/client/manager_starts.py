"""Whether a manager that ended can ever start: pure, from how it ended and what it wrote."""

import re
import signal
from collections.abc import Sequence

import attrs

from jobmon.managers.ahead import SERVER_AWAY

_BEGUN = re.compile(r"^\S+ \S+ INFO \S+: serving ", re.MULTILINE)
#: Ended by somebody, which says nothing of the next one.
_BY_OTHERS = frozenset({-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP})
#: What passes by itself: no memory, processes, descriptors, or room on the disk.
_PASSES = re.compile(r"MemoryError|can't start new thread|\[Errno (?:11|12|23|24|28)\]")


@attrs.frozen
class Ended:
    """One manager's end: its wait status and what it wrote to its log."""

    status: int
    wrote: str

    def reason(self) -> str | None:
        """Why it could not start; None where it did, or where the reason lies elsewhere and may pass."""
        words = last_line(self.wrote)
        if self.status in _BY_OTHERS or self.status == SERVER_AWAY or _BEGUN.search(self.wrote):
            return None
        return None if _PASSES.search(words) else f"it {how(self.status)}{f': {words}' if words else ''}"


def cannot_start(ends: Sequence[Ended]) -> str | None:
    """Why no further one is worth a try: the last two could not start, for the same reason."""
    if len(ends) < 2:
        return None
    last, before = ends[-1].reason(), ends[-2].reason()
    return last if last == before else None


def how(status: int) -> str:
    """A wait status in words."""
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"


def last_line(text: str) -> str:
    """The last line that says anything."""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
