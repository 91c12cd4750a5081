"""What the processes of a run use, by role: memory, and processor time, which a busy machine hardly changes."""

import os
import re
import threading
from collections.abc import Iterator, Mapping
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
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Usage:
    """`peak_mb` of each role and of their sum: 10^6 bytes of proportional size (a shared page counts in parts).
    `cpu_s`: user and system time of each role, with that of its children that it has waited for.
    """

    def __init__(self) -> None:
        self.peak_mb: dict[str, float] = {}
        self._cpu_s: dict[tuple[str, int], float] = {}
        self._over = threading.Event()

    @property
    def cpu_s(self) -> Mapping[str, float]:
        """Processor time by role, as last seen."""
        used: dict[str, float] = {}
        for (role, _), cpu_s in self._cpu_s.items():
            used[role] = used.get(role, 0.0) + cpu_s
        return used

    @contextmanager
    def sampling(self, where: Scratch) -> Iterator[None]:
        """Sample four times a second, in a thread."""
        thread = threading.Thread(target=self._sample_on, args=[where], name="usage")
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _sample_on(self, where: Scratch) -> None:
        while not self._over.wait(_EVERY_S):
            self._sample(where)
        self._sample(where)

    def _sample(self, where: Scratch) -> None:
        now: dict[str, float] = {"sum": 0.0}
        for pid in where.processes():
            role = _role(pid)
            if role is not None:
                size_mb = _proportional_bytes(pid) / 1e6
                now[role] = now.get(role, 0.0) + size_mb
                now["sum"] += size_mb
                self._cpu_s[role, pid] = max(self._cpu_s.get((role, pid), 0.0), _cpu_s(pid))
        self.peak_mb = {role: max(self.peak_mb.get(role, 0.0), now.get(role, 0.0)) for role in self.peak_mb | now}


def _role(pid: int) -> str | None:
    command = _read(pid, "cmdline")
    return next((role for role, sign in _ROLES if sign in command), None)


def _proportional_bytes(pid: int) -> int:
    found = re.search(r"^Pss:\s+(\d+) kB", _read(pid, "smaps_rollup"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _cpu_s(pid: int) -> float:
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_PER_S if fields else 0.0


def _read(pid: int, name: str) -> str:
    """A file of a process; empty when it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
