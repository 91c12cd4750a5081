"""The host of an executor under test."""

import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jobmon.isolated import isolated
from jobmon.plugins import Observation, SubmitRequest
from jobmon.plugins.answer_parts import Fault, Span
from jobmon.testing import boundary
from jobmon.worker.build import build_worker

#: The kit sets the clock that an executor sees by less than this.
_FARTHEST = timedelta(days=3)


class KitContext:
    """An `ExecutorContext` that keeps what is pushed: `pushed` has all of it, in order, as (token, observation)."""

    def __init__(self, folder: Path, executor: str) -> None:
        self.executor = executor
        self.workflow_id = 1
        self.state_folder = folder / "state"
        self.log_folder = folder / "log"
        self.in_process = False
        self.pushed: list[tuple[str, Observation]] = []
        self._last: dict[str, Observation] = {}
        self._faults: list[Fault] = []
        self._began = datetime.now(UTC)
        self._changed = threading.Condition()
        for path in (self.state_folder, self.log_folder):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def output_path(self, *, token: str, index: str = "") -> Path:
        """The file for the platform's own output of a submission, or of a member of an array."""
        return self.log_folder / (f"{token}.{index}.out" if index else f"{token}.out")

    def report(self, *, observations: Mapping[str, Observation]) -> None:
        """Keep pushed observations."""
        now = datetime.now(UTC)
        told, faults = boundary.pushed(observations, Span(self._began - _FARTHEST, now + _FARTHEST))
        with self._changed:
            self.pushed.extend(told.items())
            self._last.update(told)
            self._faults += faults
            self._changed.notify_all()

    def wrong(self) -> list[Fault]:
        """What is wrong with what was pushed since this was asked."""
        with self._changed:
            faults, self._faults = self._faults, []
        return faults

    def wait(self, timeout_s: float) -> None:
        """Wait until something is pushed, for so long at most."""
        with self._changed:
            self._changed.wait(timeout_s)

    def last_pushed(self, token: str) -> Observation | None:
        """What was pushed last of this attempt."""
        with self._changed:
            return self._last.get(token)

    def forget_pushed(self) -> None:
        """Remember nothing of what was pushed of attempts, as a new manager does."""
        with self._changed:
            self._last.clear()

    def agent_argv(self, *, workers: int) -> tuple[str, ...]:
        """The command that starts the core's agent."""
        return (*isolated("jobmon.agent", "--state", str(self.state_folder), "--workers", str(workers)),)

    def payload_argv(self) -> tuple[str, ...]:
        """The command that runs a request's payload."""
        return (sys.executable, "-I", "-S", str(build_worker(self.state_folder.parent / "worker")), "payload")

    def run_here(self, *, request: SubmitRequest) -> None:
        """Refuse: the kit is not the user's process.

        Raises:
            AssertionError: always.
        """
        raise AssertionError(f"run_here({request.job_name}) although context.in_process is False")
