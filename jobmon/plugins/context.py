"""What the host gives an executor when it starts it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from jobmon.plugins.records import Observation, SubmitRequest


class ExecutorContext(Protocol):
    """The host of one named executor, as the executor sees it."""

    @property
    def executor(self) -> str:
        """The configured name of this executor."""

    @property
    def workflow_id(self) -> int:
        """The workflow that it serves."""

    @property
    def state_folder(self) -> Path:
        """A private folder of this executor and workflow on this host, kept across restarts of the manager."""

    @property
    def log_folder(self) -> Path:
        """Where the platform's own output of submissions goes, where nodes can write, too."""

    def output_path(self, *, token: str, index: str = "") -> Path:
        """The file in `log_folder` for the platform's own output, both streams, of a submission.

        Its end is quoted when no worker reports. Of an array `token` is the array's and `index` the platform's sign for
        a member's index, from 1 on, such as `%a` or `$TASK_ID`.
        """

    @property
    def in_process(self) -> bool:
        """The manager runs in the user's own process, for debugging."""

    def report(self, *, observations: Mapping[str, Observation]) -> None:
        """Push observations, by token, of a platform that knows at once. Thread-safe; need not wait for Accepted."""

    def agent_argv(self, *, workers: int) -> tuple[str, ...]:
        """The command that starts the core's agent for this executor with so many workers, in `state_folder`."""

    def payload_argv(self) -> tuple[str, ...]:
        """The command that runs a request's payload as every executor does, where the platform alone reports.

        It reads `request.payload()` on its standard input, runs the command or call as a process group, and writes a
        line that `ending` makes an Exited of to its standard output. On SIGTERM it ends the command, and so it does
        when the thread that started it ends. It needs Python and the file that the command names, nothing else.
        """

    def run_here(self, *, request: SubmitRequest) -> None:
        """Run the request's payload in this very thread: win its start, run it, report its end. For debugging."""
