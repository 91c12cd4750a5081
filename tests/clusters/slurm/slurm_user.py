"""A user whose workflows run on the real Slurm."""

import json
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slurm_daemons import end_jobs_since, jobs_since, next_job, said, wrap
from users import Running, User, until

#: Pauses are cut, so that faults show soon; the server's own graces are as they are.
TOML = """
[workflow]
executor = "cluster"

[executors.cluster]
type = "slurm"
submit_timeout_s = {submit_timeout_s}
query_timeout_s = 15.0
{settings}

[executors.cluster.host]
poll_max_s = 2.0
{host}
"""
#: A task is [name, command, resources]. Each start of a command leaves a line, so that a second one would show.
SCRIPT = """
    import json, sys
    from jobmon import BashTask, Workflow

    workflow = Workflow("on-slurm", workflow_args="1")
    for name, command, resources in json.load(open("tasks.json")):
        command = f"echo {name} $JOBMON_ATTEMPT >> starts; {command}"
        workflow.add_task(BashTask(command, name=name, resources=resources, max_attempts=2))
    result = workflow.run(resume="--resume" in sys.argv)
    print("it ended as", result.state)
"""
Task = tuple[str, str, Mapping[str, Any]]
#: Counts its calls by lines.
_COUNTED = 'echo "$0" >> "{folder}/calls"\nexec "$REAL" "$@"'
PATIENCE_S = 120.0


class SlurmUser(User):
    """A user with an executor `cluster`. Slurm's commands can be wrapped, for their faults and for counting."""

    def __init__(self, folder: Path, *, settings: str = "", host: str = "", submit_timeout_s: float = 15.0) -> None:
        super().__init__(folder)
        self.first = next_job()
        self.commands = folder / "commands"
        self.environ["PATH"] = f"{self.commands}:{os.environ['PATH']}"
        for program in ("sbatch", "squeue", "sacct", "scancel"):
            wrap(self.commands, program, _COUNTED.format(folder=folder))
        self.configure(settings, host, submit_timeout_s)

    def configure(self, settings: str = "", host: str = "", submit_timeout_s: float = 15.0) -> None:
        """Write the configuration anew."""
        self.write("jobmon.toml", TOML.format(settings=settings, host=host, submit_timeout_s=submit_timeout_s))

    def wrapped(self, program: str, script: str) -> None:
        """Put a script before a command of Slurm's; `$REAL` is the command, `$FOLDER` a folder for its notes."""
        wrap(self.commands, program, f'FOLDER="{self.commands}"\n{script}')

    def calls(self) -> Counter[str]:
        """How often each of Slurm's commands was called."""
        path = self.folder.parent / "calls"
        return Counter(Path(line).name for line in path.read_text().splitlines()) if path.exists() else Counter()

    # Workflows.

    def submit(self, tasks: Sequence[Task]) -> Running:
        """Start a workflow of independent tasks."""
        self.write("tasks.json", json.dumps(tasks))
        self.write("script.py", SCRIPT)
        return self.start("script.py")

    def finish(self, client: Running, patience_s: float = PATIENCE_S) -> str:
        """Wait for the workflow's end; what was said."""
        done = client.end(patience_s)
        assert done.status == 0, done.said
        return done.said

    def until_running(self, n: int = 1) -> None:
        """Wait until so many jobs are recorded running."""
        until(lambda: self.recorded.n_in("RUNNING") >= n, f"{n} jobs run", PATIENCE_S)

    def ends(self) -> dict[str, list[tuple[str, str | None, int | None]]]:
        """By name of job, how each of its attempts ended: state, reason and exit status."""
        found: dict[str, list[tuple[str, str | None, int | None]]] = {}
        sql = """SELECT name, i.state, i.reason, i.exit_status FROM job_instance i
                 JOIN job_spec s ON s.job_id = i.job_id ORDER BY i.id"""
        for name, state, reason, status in self.recorded.rows(sql):
            found.setdefault(name, []).append((state, reason, status))
        return found

    def details(self) -> list[str]:
        """What is recorded beside the ends of attempts."""
        return [row[0] for row in self.recorded.rows("SELECT detail FROM job_instance WHERE detail IS NOT NULL")]

    def starts(self) -> Counter[str]:
        """How often the command of each job was started."""
        path = self.folder / "starts"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        twice = {token for token, n in Counter(token for _, token in lines).items() if n > 1}
        assert not twice, f"a command was started twice for one attempt: {twice}"
        return Counter(name for name, _ in lines)

    def ids(self) -> list[str]:
        """The ids by which Slurm knows the attempts, in order."""
        sql = "SELECT executor_job_id FROM job_instance WHERE executor_job_id IS NOT NULL ORDER BY id"
        return [row[0] for row in self.recorded.rows(sql)]

    def ids_of(self, name: str) -> list[str]:
        """The ids by which Slurm knows the attempts of a job."""
        sql = """SELECT executor_job_id FROM job_instance i JOIN job_spec s ON s.job_id = i.job_id
                 WHERE executor_job_id IS NOT NULL AND name = ? ORDER BY i.id"""
        return [row[0] for row in self.recorded.rows(sql, name)]

    # Processes and jobs.

    def workers(self) -> dict[int, str]:
        """The processes of live workers of this user's jobs: process id and command line."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                argv = (path / "cmdline").read_bytes().split(b"\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            said = b" ".join(argv).decode(errors="replace")
            if "worker" in said and " run " in said and str(self.folder.parent) in said:
                found[int(path.name)] = said
        return found

    def end(self, pid: int) -> None:
        """End a process by force."""
        _kill(pid)

    def child_of(self, pid: int) -> int:
        """The command that a worker runs."""
        return until(lambda: _children(pid), "the worker has started its command")[0]

    def jobs(self) -> dict[int, str]:  # type: ignore[override]
        """The jobs that Slurm was given, number and name."""
        return {number: name for number, name in jobs_since(self.first).items() if name != "probe"}

    def live(self) -> dict[int, str]:
        """Those of them that have not ended."""
        return {number: name for number, name in jobs_since(self.first, live=True).items() if name != "probe"}

    def leave(self) -> dict[int, str]:
        end_jobs_since(self.first)
        for pid in self.workers():
            _kill(pid)
        return super().leave()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def state_of(number: int | str) -> str:
    """What Slurm says of a job."""
    return said("squeue", "-h", "-a", "--states=all", "-j", str(number), "-o", "%T").strip()
