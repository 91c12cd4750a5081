"""The manager's process: started by the client, watched, and started again when it dies."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

#: The manager's exit status when another one has taken its place: it must not be fought.
SUPERSEDED = 3
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
_STEADY_S = 60.0


class ManagerProcess:
    """One manager in a session of its own, for all executors of a workflow. It outlives the client on purpose."""

    def __init__(
        self, workflow_id: int, executors: Sequence[str], folder: Path, log_file: Path, tell: Callable[[str], None]
    ) -> None:
        self._argv = [
            sys.executable,
            "-m",
            "jobmon",
            "manager",
            "--workflow",
            str(workflow_id),
            "--folder",
            str(folder),
        ]
        for executor in executors:
            self._argv += ["--executor", executor]
        self._log_file = log_file
        self._tell = tell
        self._ended = threading.Event()
        self._lock = threading.Lock()  # so that none is started while, or after, the last one is told to end
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._supervise, name="jobmon-manager-supervisor", daemon=True)

    def start(self) -> None:
        """Start it, and start it again with growing pauses whenever it ends while it is needed."""
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        self._process = self._spawn()
        self._thread.start()

    def end(self) -> None:
        """The run is over: ask it to end. It is not waited for, and not killed: it may be talking to a platform."""
        with self._lock:
            self._ended.set()
        if self._process is not None:
            self._process.terminate()

    def leave(self) -> None:
        """Look after it no more, and let it go on."""
        self._ended.set()

    def _spawn(self) -> subprocess.Popen[bytes]:
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                self._argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=dict(os.environ),
            )

    def _supervise(self) -> None:
        pause_s = _FIRST_PAUSE_S / 2
        while True:
            assert self._process is not None
            began = time.monotonic()
            status = self._process.wait()
            if self._ended.is_set():
                return
            if status == SUPERSEDED:
                self._tell(f"another manager serves this workflow now (log of the one started here: {self._log_file})")
                return
            pause_s = _FIRST_PAUSE_S if time.monotonic() - began > _STEADY_S else min(2 * pause_s, _LONGEST_PAUSE_S)
            self._tell(f"the manager {_how(status)}; it is started again in {pause_s:g} s{self._last_words(status)}")
            if self._ended.wait(pause_s):
                return
            with self._lock:
                if self._ended.is_set():
                    return
                self._process = self._spawn()

    def _last_words(self, status: int) -> str:
        if status < 0:
            return f" (log: {self._log_file})"
        try:
            with self._log_file.open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - 2000))
                lines = log.read().decode(errors="replace").strip().splitlines()
        except OSError as error:
            return f" (its log cannot be read: {error})"
        return f": {lines[-1]} (log: {self._log_file})" if lines else f" (log: {self._log_file})"


def _how(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
