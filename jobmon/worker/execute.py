"""One piece of work from its description to a process, and from the process's end to its outcome."""

from __future__ import annotations

import _signal
import errno
import os
import sys

from . import command, memory, report
from .compact import dumps
from .spawn import CannotStart, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OutputFailed(Exception):
    """The files for the command's output cannot be written."""


class Execution:
    """The work of one attempt (the JSON of `jobmon.wire.workers.Work`)."""

    FAILURES = (OutputFailed, CannotStart, OSError)

    def __init__(self, work: dict[str, Any], token: str, archive: str) -> None:
        self._work = work
        self._archive = archive
        with open("/proc/self/environ", "rb") as file:
            inherited = file.read()
        self._environment = command.environment_of(inherited, work["env"], token)
        self._answer: int | None = None
        self._oom_kills = memory.oom_kills()
        self.pid = 0

    def start(self) -> int:
        """Start it; its process id, which is that of its process group too.

        Raises:
            OutputFailed: its output files cannot be opened.
            CannotStart: the command cannot be executed.
            OSError: the host lacks what is needed to start it.
        """
        opened: dict[int, int] = {}
        try:
            opened[1] = _open_output(self._work["stdout"])
            opened[2] = (
                opened[1] if self._work["stderr"] == self._work["stdout"] else _open_output(self._work["stderr"])
            )
            opened[0] = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            self.pid = self._spawn(opened)
        finally:
            for descriptor in {*opened.values()} - {self._answer}:
                os.close(descriptor)
        return self.pid

    def _spawn(self, opened: dict[int, int]) -> int:
        if self._work.get("call"):
            opened[3] = _file_with(dumps(self._work["call"]))
            self._answer = opened[4] = _file_with("")
            return self._try(command.call_argv(self._work["call"], self._archive), opened)
        shell, argv = self._work["command"].get("shell"), self._work["command"].get("argv")
        words = command.plain_words(shell, self._environment) if argv is None else argv or [""]
        if words:
            try:
                return self._try(words, opened)
            except CannotStart as error:
                if argv or error.code != errno.ENOEXEC:  # bash runs a script that does not say what runs it
                    raise
        argv, script = command.bash(shell)
        if script is not None:
            opened[3] = _file_with(script)
        return self._try(argv, opened)

    def _try(self, argv: list[str], opened: dict[int, int]) -> int:
        programs = command.find_program(argv[0], self._environment, self._work["cwd"])
        return spawn(programs, argv, self._environment, self._work["cwd"], opened)

    def not_started(self, error: Exception) -> dict[str, Any]:
        """The outcome when it could not be started. What the command cannot do is the task's fault, the rest is not."""
        told: dict[str, Any] = {"reason": report.UNKNOWN, "exit_status": None, "signal": None, "detail": str(error)}
        if isinstance(error, CannotStart):
            told |= {"reason": report.EXIT_NONZERO, "exit_status": error.status}
            self._tell_on_stderr(str(error))
        return told

    def _tell_on_stderr(self, line: str) -> None:
        try:
            with open(self._work["stderr"], "a", encoding="utf-8", errors="replace") as file:
                file.write(f"jobmon: {line}\n")
        except OSError as error:
            sys.stderr.write(f"jobmon worker: {line}; nor can that be written to {error.filename}: {error.strerror}\n")

    def ended(self, status: int, ended_for: tuple[str, str] | None, passed_on: str | None) -> dict[str, Any]:
        """The outcome when it ended with this wait status; see `report.outcome`."""
        told = report.outcome(status, ended_for, passed_on)
        killed = report.ending_signal(status) == _signal.SIGKILL
        if ended_for is None and killed and memory.oom_kills() != self._oom_kills:
            told |= {"reason": report.OUT_OF_MEMORY, "detail": "the kernel killed it for want of memory"}
        if self._answer is not None:
            told = report.with_answer(told, report.read_answer(self._answer))
        return report.explained(told)


def _open_output(path: str) -> int:
    """Appending, so that what several processes write does not overwrite each other."""
    try:
        os.makedirs(os.path.dirname(path) or ".", 0o755, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError as error:
        told = f"{os.uname().nodename} cannot open the output file {path}: {error.strerror}"
        hint = "the log folder ([workflow] log_folder in jobmon.toml) must be one that this host can write"
        raise OutputFailed(f"{told}; {hint}") from error


def _file_with(text: str) -> int:
    """A file without a name that holds the text, at its beginning."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("jobmon")
    else:  # a Python built for an older C library
        folder = os.environ.get("TMPDIR", "/tmp")
        name = os.path.join(folder, f"jobmon-{os.urandom(8).hex()}")
        descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.unlink(name)
    data = os.fsencode(text)
    while data:
        data = data[os.write(descriptor, data) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
