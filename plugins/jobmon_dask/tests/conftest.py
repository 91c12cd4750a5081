"""A real Dask cluster: a scheduler and workers as processes of their own, where Jobmon cannot be imported."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import Client

_NODE = """\
import sys

class NotHere:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0].startswith("jobmon"):
            raise ModuleNotFoundError(f"{name} is not installed on this node", name=name)

sys.meta_path.insert(0, NotHere())
from dask.cli import run_cli
run_cli()
"""


class Nodes:
    """The processes of one cluster, on this host's loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = str(folder / "scheduler.json")
        self.scheduler = self._scheduler()
        self.workers: list[subprocess.Popen[bytes]] = []

    def _scheduler(self, port: int = 0) -> "subprocess.Popen[bytes]":
        where = ("--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--scheduler-file", self.file)
        return self._node("scheduler", *where)

    def _node(self, what: str, *more: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{what}.log").open("ab") as log:
            argv = [sys.executable, "-c", _NODE, what, *more]
            return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def grow(self, workers: int, *more: str, threads: int = 4) -> None:
        """Start workers and wait until the scheduler has them."""
        own = ("--no-nanny", "--nthreads", str(threads), "--memory-limit", "0", "--no-dashboard", *more)
        local = ("--local-directory", str(self.folder / "scratch"), "--host", "127.0.0.1")
        self.workers += [self._node("worker", "--scheduler-file", self.file, *own, *local) for _ in range(workers)]
        with Client(scheduler_file=self.file, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(len(self.workers), timeout=30)

    def kill_workers(self) -> None:
        """Kill all workers, and see them gone."""
        for worker in self.workers:
            worker.send_signal(signal.SIGKILL)
            worker.wait()
        self.workers = []

    def restart_scheduler(self) -> None:
        """A scheduler that dies, and another one at the same address."""
        with Client(scheduler_file=self.file, timeout=30, set_as_default=False) as client:
            port = int(client.scheduler.address.rpartition(":")[2])
        self.scheduler.kill()
        self.scheduler.wait()
        Path(self.file).unlink()
        self.scheduler = self._scheduler(port)

    def close(self) -> None:
        """End all of it."""
        self.scheduler.send_signal(signal.SIGCONT)
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A cluster of two workers with four threads each, one for all tests of a module."""
    made = Nodes(tmp_path_factory.mktemp("dask"))
    try:
        made.grow(2)
        yield made
    finally:
        made.close()
