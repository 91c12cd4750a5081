"""A user at work, for acceptance tests: scripts run as real processes, whose every descendant carries a mark."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs
from recorded import Recorded
from serving import end_process

from jobmon.processes import marked

MARK = "ACCEPTANCE_TEST"
PATIENCE_S = 60.0
TOML = """
[workflow]
executor = "compute"

[executors.compute]
type = "multiprocess"
workers = 2

[executors.uploads]
type = "sequential"
"""
T = TypeVar("T")


def until(look: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """Look again and again until there is something to see; what is seen."""
    deadline = time.monotonic() + patience_s
    pause = threading.Event()
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s in vain for this: {what}"
        pause.wait(0.02)
    return seen


def chance(name: str) -> random.Random:
    """A source of chance; its seed is printed, and may be given in ACCEPTANCE_SEED."""
    seed = os.environ.get("ACCEPTANCE_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"{name}: to repeat, set ACCEPTANCE_SEED={seed}")
    return random.Random(f"{name} {seed}")


@attrs.frozen
class Done:
    """How a process ended, and all that it printed to standard output and standard error."""

    status: int
    said: str


class Running:
    """A process of the user's, its output in a file: a pipe would keep this test waiting for its descendants."""

    def __init__(self, argv: list[str], cwd: Path, environ: dict[str, str], output: Path) -> None:
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                argv, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT
            )
        self.pid = self.process.pid

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._output.read_text(errors="replace")

    def ended(self) -> bool:
        return self.process.poll() is not None

    def end(self, patience_s: float = PATIENCE_S) -> Done:
        """Wait for its end."""
        try:
            return Done(self.process.wait(patience_s), self.said)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end within {patience_s:g} s; it said:\n{self.said}") from None

    def press(self, number: signal.Signals = signal.SIGINT) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class User:
    """One user: a folder for scripts, with a jobmon.toml, a data folder, and the environment that names it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.mark = folder / "work", folder / "data", uuid.uuid4().hex
        self.python = sys.executable
        self.folder.mkdir()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("JOBMON_", "PYTEST_"))}
        self.environ = clean | {
            "JOBMON_DATA": str(self.data),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "share"),
            MARK: self.mark,
        }
        self._n_outputs = 0
        self._started: list[Running] = []
        self.write("jobmon.toml", TOML)

    def write(self, name: str, text: str) -> Path:
        """A file of the user's, dedented."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def start(self, *arguments: str | Path, cwd: Path | None = None, **environ: str) -> Running:
        """Start `python ARGUMENTS` in the user's folder."""
        self._n_outputs += 1
        output = self.folder.parent / f"said-{self._n_outputs}"
        argv = [self.python, *map(str, arguments)]
        running = Running(argv, cwd or self.folder, self.environ | environ, output)
        self._started.append(running)
        return running

    def run(self, *arguments: str | Path, cwd: Path | None = None, **environ: str) -> Done:
        """Run `python ARGUMENTS` to its end."""
        return self.start(*arguments, cwd=cwd, **environ).end()

    def jobmon(self, *arguments: str, **environ: str) -> Done:
        """Run the command `jobmon`."""
        return self.run("-m", "jobmon", *arguments, **environ)

    def jobs(self, workflow: int | str) -> dict[str, dict[str, object]]:
        """`jobmon jobs --json`, by name of job."""
        said = self.jobmon("jobs", str(workflow), "--json").said
        return {job["name"]: job for job in json.loads(said)}

    @property
    def recorded(self) -> Recorded:
        return Recorded(self.data / "jobmon.db")

    def processes(self, kind: str | None = None) -> dict[int, str]:
        """All live processes that this user started, directly or not, and what they are; or those of one kind."""
        found = {pid: kind_of(pid) for pid, _ in marked(MARK, self.mark)}
        return dict(sorted((pid, what) for pid, what in found.items() if what and kind in (None, what)))

    def await_one(self, kind: str, n: int = 1) -> list[int]:
        """The process ids of a kind, as soon as there are so many, the oldest first."""
        return until(lambda: pids if len(pids := list(self.processes(kind))) >= n else [], f"{n} {kind} process")

    def story(self) -> str:
        """What the scripts printed at last, and how attempts failed: for whoever reads why a test did."""
        scripts = [f"{' '.join(run.process.args[1:])} printed: {run.said[-2000:]}" for run in self._started[-10:]]
        try:
            failures = self.recorded.failures()
        except sqlite3.Error as error:  # some tests damage it
            failures = [f"{self.recorded.path} cannot be read: {error}"]
        return "\n".join([*scripts, *failures])

    def leave(self) -> dict[int, str]:
        """End what may outlive a script (its server, its agents), politely; whatever else was there or stayed.

        Nothing of it is left when this returns.
        """
        unfinished = [running for running in self._started if not running.ended()]
        if unfinished:  # the test has failed before its end
            for running in unfinished:
                running.kill()
            self._kill_all()
            return {running.pid: "a script that was not waited for" for running in unfinished}
        allowed = ("server", "agent", "interpreter")

        def others() -> dict[int, str]:
            return {pid: kind for pid, kind in self.processes().items() if kind not in allowed}

        strange = _settled(others, 15.0)
        for kind in ("agent", "server"):
            for pid in self.processes(kind):
                _signal(pid, signal.SIGTERM)
            strange |= _settled(lambda kind=kind: self.processes(kind), 20.0)  # type: ignore[misc]
        strange |= _settled(self.processes, 2.0)
        self._kill_all()
        return strange

    def _kill_all(self) -> None:
        while left := self.processes():
            for pid in left:
                end_process(pid)


def _settled(look: Callable[[], dict[int, str]], patience_s: float) -> dict[int, str]:
    """What is still to be seen after that time; nothing, as soon as there is nothing."""
    try:
        until(lambda: not look(), "", patience_s)
    except AssertionError:
        return look()
    return {}


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def kind_of(pid: int) -> str:
    """What a process is, by its command line; empty when it is gone."""
    try:
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    except (FileNotFoundError, ProcessLookupError):
        return ""
    for at in range(1, min(8, len(argv))):
        match argv[at : at + 2]:
            case ["jobmon.server", *_] | ["jobmon", "server"]:
                return "server"
            case ["jobmon.agent", *_]:
                return "agent"
            case ["jobmon", "manager"]:
                return "manager"
    if any(argument.endswith("warm.py") for argument in argv):
        return "interpreter"
    if any("worker" in argument and argument.endswith((".pyz", ".py")) for argument in argv):
        return "worker"
    return " ".join(argv)[:100]
