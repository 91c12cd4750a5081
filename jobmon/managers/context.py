"""What an executor is given by its host."""

from collections.abc import Callable, Mapping
from pathlib import Path

import attrs

from jobmon.errors import ConfigurationError
from jobmon.isolated import isolated
from jobmon.managers.folders import Folders
from jobmon.plugins import Observation, SubmitRequest
from jobmon.worker.build import build_worker


@attrs.frozen
class HostContext:
    """The ExecutorContext of one named executor."""

    executor: str
    workflow_id: int
    folders: Folders
    in_process: bool
    pushed: Callable[[Mapping[str, Observation]], None]
    run: Callable[[SubmitRequest], None]
    python: str  #: what runs workers

    @property
    def state_folder(self) -> Path:
        """A private folder, kept across restarts of the manager."""
        return self.folders.state

    @property
    def log_folder(self) -> Path:
        """Where the platform's own output goes."""
        return self.folders.platform_logs

    def output_path(self, *, token: str, index: str = "") -> Path:
        """The file for the platform's own output of a submission, or of a member of an array."""
        return self.folders.output_path(token, index)

    def report(self, *, observations: Mapping[str, Observation]) -> None:
        """Push observations, by token. Thread-safe."""
        self.pushed(observations)

    def agent_argv(self, *, workers: int) -> tuple[str, ...]:
        """The command that starts the core's agent on this executor's private folder."""
        return (*isolated("jobmon.agent", "--state", str(self.state_folder), "--workers", str(workers)),)

    def payload_argv(self) -> tuple[str, ...]:
        """The command that runs a request's payload."""
        return (self.python, "-I", "-S", str(build_worker(self.folders.shared)), "payload")

    def run_here(self, *, request: SubmitRequest) -> None:
        """Run the payload in this thread.

        Raises:
            ConfigurationError: the manager is not in the user's process; user code never runs in the manager's own.
        """
        if not self.in_process:
            raise ConfigurationError(f"executor {self.executor} asks to run a task in the manager's own process")
        self.run(request)
