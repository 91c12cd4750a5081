"""The manager's process: started by the client, watched, and started again when it dies."""

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import msgspec

from jobmon.client.manager_starts import Ended, cannot_start, how, last_line
from jobmon.errors import ConfigurationError
from jobmon.isolated import isolated
from jobmon.managers.ahead import SUPERSEDED, Told
from jobmon.trust import make_folder, open_log

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_STEADY_S = 60.0
_READ = 8192


class ManagerProcess:
    """One manager in a session of its own, for all executors of a workflow. It outlives the client on purpose."""

    def __init__(self, executors: Sequence[str], folder: Path) -> None:
        self._argv = isolated("jobmon", "manager", "--folder", str(folder))
        for executor in executors:
            self._argv += ["--executor", executor]
        self._workflow_id = 0
        self._log_file = Path()
        self._log_start = 0  #: where the log of the one that runs begins
        self._tell: Callable[[str], None] = print
        self._give_up: Callable[[Exception], None] = lambda _: None
        self._ended = threading.Event()
        self._lock = threading.Lock()  # so that none is started while, or after, the last one is told to end
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise, name="jobmon-manager-supervisor", daemon=True)

    def prepare(self) -> None:
        """Start it ahead of its workflow: it makes its imports, and waits."""
        self._process = self._run([*self._argv, "--ahead"], subprocess.PIPE, subprocess.DEVNULL)

    def start(
        self, workflow_id: int, log_file: Path, tell: Callable[[str], None], give_up: Callable[[Exception], None]
    ) -> None:
        """Have it serve a workflow, and start it again with growing pauses whenever it ends while it is needed.

        One that cannot start, twice for the same reason, is given up with that reason.
        """
        self._workflow_id, self._log_file, self._tell, self._give_up = workflow_id, log_file, tell, give_up
        make_folder(self._log_file.parent, 0o755)
        self._log_start = self._log_size()
        if self._process is None or not self._told(self._process):
            self._process = self._spawn()
        self._thread.start()

    def dismiss(self) -> None:
        """There is no workflow for it after all, if it has not been told of one."""
        if self._process is not None and self._thread.ident is None:
            self._process.terminate()
            self._process.communicate()

    def end(self) -> None:
        """The run is over: ask it to end. It is not waited for, and not killed: it may be talking to a platform."""
        with self._lock:
            self._ended.set()
        if self._process is not None:
            self._process.terminate()

    def leave(self) -> None:
        """Look after it no more, and let it go on."""
        self._ended.set()

    def lives(self) -> bool:
        """Whether it runs, be it that it is still starting."""
        return self._process is not None and self._process.poll() is None

    def _told(self, process: subprocess.Popen[bytes]) -> bool:
        """Tell the one that waits; False when it is dead: the next one says why, in its log."""
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(Told(self._workflow_id, str(self._log_file.absolute()))) + b"\n")
            process.stdin.close()
        except BrokenPipeError:
            process.wait()
            return False
        return True

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._log_start = self._log_size()
        with open_log(self._log_file, 0o644) as log:
            return self._run([*self._argv, "--workflow", str(self._workflow_id)], subprocess.DEVNULL, log)

    def _run(self, argv: list[str], source: int, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            argv, stdin=source, stdout=output, stderr=output, start_new_session=True, env=dict(os.environ)
        )

    def _supervise(self) -> None:
        pause_s = _FIRST_PAUSE_S / 2
        ends: list[Ended] = []
        while True:
            assert self._process is not None
            began = time.monotonic()
            status = self._process.wait()
            if self._ended.is_set():
                return
            if status == SUPERSEDED:
                self._tell(f"another manager serves this workflow now (log of the one started here: {self._log_file})")
                return
            ends = [*ends[-1:], Ended(status, self._wrote())]
            if reason := cannot_start(ends):
                self._give_up(ConfigurationError(f"the manager cannot start: {reason} (log: {self._log_file})"))
                return
            pause_s = _FIRST_PAUSE_S if time.monotonic() - began > _STEADY_S else min(2 * pause_s, _LONGEST_PAUSE_S)
            words = last_line(ends[-1].wrote) if status >= 0 else ""
            said = f"{f': {words}' if words else ''} (log: {self._log_file})"
            self._tell(f"the manager {how(status)}; it is started again in {pause_s:g} s{said}")
            if self._ended.wait(pause_s):
                return
            with self._lock:
                if self._ended.is_set():
                    return
                self._process = self._spawn()

    def _log_size(self) -> int:
        return self._log_file.stat().st_size if self._log_file.exists() else 0

    def _wrote(self) -> str:
        """What the one that has ended wrote: where it begins, and its end."""
        try:
            with self._log_file.open("rb") as log:
                log.seek(self._log_start)
                first = log.read(_READ)
                log.seek(max(log.tell(), self._log_size() - _READ))
                return (first + log.read()).decode(errors="replace")
        except OSError as error:
            return f"its log cannot be read: {error}"
