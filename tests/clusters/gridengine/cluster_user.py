"""A user at work on the real Grid Engine: scripts run as real processes, their jobs as jobs of the cluster."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from gridengine_daemons import all_jobs, end_jobs, live_jobs, wrap
from users import Running, User, until

TOML = """
[workflow]
executor = "cluster"

[server]
host = "127.0.0.1"

[executors.cluster]
type = "uge"
sge_root = "/var/lib/gridengine"
accounting_wait = "3s"
explain_every = "2s"
query_timeout = "10s"
submit_timeout = "10s"
{more}

[executors.cluster.host]
poll_max_s = 2
{host}
"""
SCRIPT = """
    import json, sys
    from jobmon import BashTask, JobmonError, Workflow

    options = json.loads(sys.argv[1])
    workflow = Workflow("mine", workflow_args="1", fail_fast=False)
    for name, command, resources in options["tasks"]:
        task = BashTask(command, name=name, resources=resources, max_attempts=options["max_attempts"])
        workflow.add_task(task)
    try:
        result = workflow.run(resume=options["resume"])
    except JobmonError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    for task in result:
        print(task.name, "is", task.why)
    print("it ended as", result.state)
"""
#: Waits for a file of the user's; notes that it ran, once each time.
WAITS = 'echo "$0" >> ran; until [ -e go ]; do sleep 0.2; done'
Task = tuple[str, str, dict[str, Any]]


@attrs.frozen
class Attempt:
    """An attempt, as it is recorded."""

    name: str
    state: str
    reason: str | None
    exit_status: int | None
    executor_job_id: str | None
    detail: str | None


class ClusterUser(User):
    """A user whose tasks run on the cluster."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._commands = folder / "commands"
        self._commands.mkdir()
        self.environ["PATH"] = f"{self._commands}:{os.environ['PATH']}"
        self.write("mine.py", SCRIPT)
        self.configure()

    def configure(self, more: str = "", host: str = "") -> None:
        """Write jobmon.toml, with further settings."""
        self.write("jobmon.toml", TOML.format(more=more, host=host))

    def wrap(self, program: str, script: str) -> None:
        """Put a script before a command of Grid Engine's."""
        wrap(self._commands, program, script.replace("$HERE", str(self._commands)))

    def command_file(self, name: str) -> Path:
        """A file beside the wrappers, `$HERE/NAME` for them."""
        return self._commands / name

    def workflow(self, tasks: Sequence[Task], *, max_attempts: int = 1, resume: bool = False) -> Running:
        """Start a workflow of tasks."""
        options = {"tasks": [list(task) for task in tasks], "max_attempts": max_attempts, "resume": resume}
        path = self.folder.parent / "options.json"
        path.write_text(json.dumps(options))
        launcher = "import runpy, sys; sys.argv[1] = open(sys.argv[1]).read(); runpy.run_path('mine.py')"
        return self.start("-c", launcher, str(path))

    def attempts(self) -> list[Attempt]:
        """All attempts so far, in order."""
        rows = self.recorded.rows(
            "SELECT s.name, i.state, i.reason, i.exit_status, i.executor_job_id, i.detail "
            "FROM job_instance i JOIN job_spec s ON s.job_id = i.job_id ORDER BY i.id"
        )
        return [Attempt(*row) for row in rows]

    def submitted(self) -> dict[str, str]:
        """Names by number of the jobs that the cluster was given. One that has left the queue is accounted for soon."""
        ids = {attempt.executor_job_id.partition(".")[0] for attempt in self.attempts() if attempt.executor_job_id}
        until(lambda: ids <= set(all_jobs()), "all jobs are listed or accounted for")
        return self._known()

    def _known(self) -> dict[str, str]:
        tokens = self._tokens()
        return {number: name for number, name in all_jobs().items() if name[:27] in tokens}

    def in_queue(self) -> Mapping[str, tuple[str, str]]:
        """Names and states by number of the live ones."""
        tokens = self._tokens()
        return {number: row for number, row in live_jobs().items() if row[0][:27] in tokens}

    def _tokens(self) -> set[str]:
        sql = "SELECT token FROM job_instance UNION SELECT array_token FROM array_member"
        return {token for (token,) in self.recorded.rows(sql)}

    def ran(self, name: str = "ran") -> list[str]:
        """The lines of a file that tasks append to."""
        path = self.folder / name
        return sorted(path.read_text().split()) if path.exists() else []

    def leave(self) -> dict[int, str]:
        end_jobs(set(self._known()))
        return super().leave()
