"""How much memory the processes of a run take, by role."""

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.scratch import Scratch

_EVERY_S = 0.25
_ROLES = (
    ("server", "jobmon.server"),
    ("manager", "jobmon\0manager"),
    ("agent", "jobmon.agent"),
    ("client", "benchmarks.client"),
)


class Memory:
    """Peaks in MB (10^6 bytes) of each role and of their sum, of proportional sizes (a shared page counts in parts)."""

    def __init__(self) -> None:
        self.peaks: dict[str, float] = {}
        self._over = threading.Event()

    @contextmanager
    def sampling(self, where: Scratch) -> Iterator[None]:
        """Sample four times a second, in a thread."""
        self._over.clear()
        thread = threading.Thread(target=self._sample, args=[where], name="memory")
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _sample(self, where: Scratch) -> None:
        while not self._over.wait(_EVERY_S):
            sizes: Counter[str] = Counter()
            for pid in where.processes():
                role = _role(pid)
                if role is not None:
                    sizes[role] += _proportional_bytes(pid)
            now = {role: size / 1e6 for role, size in sizes.items()} | {"sum": sum(sizes.values()) / 1e6}
            self.peaks = {role: max(self.peaks.get(role, 0.0), now.get(role, 0.0)) for role in self.peaks | now}


def _role(pid: int) -> str | None:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next((role for role, sign in _ROLES if sign in command), None)


def _proportional_bytes(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
