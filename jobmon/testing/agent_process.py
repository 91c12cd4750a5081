"""A running agent, and what a test needs to talk with it and with the tasks that it runs."""

import json
import os
import select
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobmon.agent.descendants import descendants
from jobmon.isolated import isolated
from jobmon.processes import start_ticks
from jobmon.testing.worker_server import USER_TOKEN, WorkerServer
from jobmon.wire.workers import FinishReport


class AgentProcess:
    """An agent and one client of it."""

    def __init__(self, server: WorkerServer, state: Path, *options: str) -> None:
        environ = {**os.environ, "JOBMON_SERVER": server.url, "JOBMON_TOKEN": USER_TOKEN}
        argv = isolated("jobmon.agent", "--state", str(state), "--workers", "2", *options)
        self.server = server
        self.state = state
        self.log = state.with_suffix(".log")
        with self.log.open("ab") as log:
            self.keeper = subprocess.Popen(
                argv, env=environ, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self.keeper.stdout is not None
        self.ready = self.keeper.stdout.readline()
        self.keeper.stdout.close()
        self.spawner = min(descendants(self.keeper.pid), default=0)
        self.channel = socket.socket(socket.AF_UNIX)
        fd = os.open(state, os.O_PATH)
        self.channel.connect(f"/proc/self/fd/{fd}/agent.sock")
        os.close(fd)
        self.lines = self.channel.makefile("rb")

    def ask(self, **question: Any) -> dict[str, Any]:
        """Put a question (see `jobmon.agent.messages`) and return the reply."""
        self.channel.sendall(json.dumps(question).encode() + b"\n")
        reply: dict[str, Any] = json.loads(self.lines.readline())
        return reply

    def submit(self, *tokens: str, **more: Any) -> None:
        """Give it attempts, all with the same further fields of an order."""
        orders = [{"token": token, **more} for token in tokens]
        assert self.ask(submit=orders)["accepted"] == list(tokens)

    def report(self, token: str) -> FinishReport:
        """The report of a token, once it has come."""
        return self.server.wait_for_report(token)

    def hang_up(self) -> None:
        """Be no client of it any more."""
        self.lines.close()
        self.channel.close()

    def end(self) -> None:
        """Have it end, with all that it runs."""
        self.hang_up()
        if self.keeper.poll() is None:
            self.keeper.terminate()
        self.keeper.wait(30)


def wait_gone(*pids: int) -> None:
    """Return when none of the processes lives."""
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if start_ticks(pid) is not None:
            assert select.select([fd], [], [], 20)[0], f"process {pid} lives"
        os.close(fd)


class Fifo:
    """Lines between tasks and a test. It is held open for both, so that nobody meets an end of file."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CLOEXEC), "r+b", buffering=0)

    def pids(self, count: int = 1) -> list[int]:
        """Process ids that tasks wrote: blocks until they are there."""
        return [int(self._file.readline()) for _ in range(count)]

    def let_go(self, count: int = 1) -> None:
        """Let so many tasks read a line."""
        self._file.write(b"go\n" * count)

    def __str__(self) -> str:
        return str(self.path)


@contextmanager
def agents(server: WorkerServer, state: Path) -> Iterator[Callable[..., AgentProcess]]:
    """A function that starts an agent of the folder `state` with more options; all that it started end afterwards."""
    started: list[AgentProcess] = []

    def start(*options: str) -> AgentProcess:
        started.append(AgentProcess(server, state, *options))
        return started[-1]

    try:
        yield start
    finally:
        for agent in started:
            agent.end()
