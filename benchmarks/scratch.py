"""A data folder of its own for every measurement, and the end of every process that belongs to it."""

import os
import select
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs

from jobmon.processes import marked

_CONFIG = """[executors.local]
type = "multiprocess"
workers = {workers}

[executors.simulated]
type = "dummy"
"""
_END_S = 10.0


@attrs.frozen
class Scratch:
    """A folder with a configuration: `local` is multiprocess with 2 workers, `simulated` is dummy."""

    path: Path

    @property
    def data(self) -> Path:
        """The data folder of the embedded server."""
        return self.path / "data"

    @property
    def database(self) -> Path:
        """The database that the server writes."""
        return self.data / "jobmon.db"

    @property
    def commands(self) -> Path:
        """Comes first on PATH, if it is there."""
        return self.path / "commands"

    def environment(self) -> Mapping[str, str]:
        """For processes that work here; neither the user's configuration nor another server reaches them."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("JOBMON_")}
        path = f"{self.commands}:{os.environ['PATH']}"
        return kept | {"JOBMON_DATA": str(self.data), "XDG_CONFIG_HOME": str(self.path / "no-config"), "PATH": path}

    def processes(self) -> list[int]:
        """Every process that works here."""
        return [pid for pid, _ in marked("JOBMON_DATA", str(self.data))]

    def kill(self, first: int | None = None) -> None:
        """SIGKILL every process that works here, `first` before the others; returns when none is left."""
        while pids := sorted(self.processes(), key=lambda pid: pid != first):
            for pid in pids:
                _signal(pid, signal.SIGKILL)
            for pid in pids:
                _wait(pid)

    def close(self) -> None:
        """End all politely, then at once. The folder stays until all is measured (see `all_scratch`)."""
        pids = self.processes()
        for pid in pids:
            _signal(pid, signal.SIGTERM)
        for pid in pids:
            _wait(pid)
        self.kill()


@contextmanager
def all_scratch(parent: Path) -> Iterator[Path]:
    """A folder below `parent` for everything that is measured, deleted at the end.

    Not sooner: ext4 keeps inodes that were deleted in the last minutes from being used again, and to pass over
    thousands of them makes each new file cost up to 0.4 ms in place of 0.015.
    """
    with tempfile.TemporaryDirectory(prefix="jobmon-benchmarks-", dir=parent) as folder:
        yield Path(folder)


@contextmanager
def scratch(parent: Path, *, workers: int = 2) -> Iterator[Scratch]:
    """A fresh one below `parent`."""
    made = Scratch(Path(tempfile.mkdtemp(dir=parent)))
    (made.path / "jobmon.toml").write_text(_CONFIG.format(workers=workers))
    try:
        yield made
    finally:
        made.close()


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _wait(pid: int) -> None:
    """Wait for the end of a process that need not be a child, for some seconds."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([fd], [], [], _END_S)
    finally:
        os.close(fd)
