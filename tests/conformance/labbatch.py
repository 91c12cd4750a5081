"""A whole executor for a platform of commands, and that platform: `batch` submits, lists and kills."""

from collections.abc import Iterable, Mapping, Sequence

import attrs

from jobmon.plugins import (
    Absent,
    Accepted,
    Executor,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    Reason,
    Rejected,
    Running,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Uncertain,
)
from jobmon.testing import Answer, CommandPlatform, JobTable


@attrs.frozen
class Row:
    """A line of `batch --list`."""

    id: str
    name: str
    state: str


class LabBatch(Executor):
    """Jobs on the laboratory's batch host."""

    name = "labbatch"
    api_version = (1, 0)

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        for request in requests:
            done = self.run(["batch", "-n", request.job_name, "--", *request.worker_argv])
            if done.timed_out or "no answer" in done.stderr:
                yield request.token, Uncertain(done.stderr or "batch gave no answer in time")
            elif done.ok:
                yield request.token, Accepted(done.stdout.strip())
            else:
                yield request.token, Rejected(done.stderr)

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        rows = {row.name: row for row in self.listing()}
        return {s.token: seen(rows[s.job_name]) if s.job_name in rows else Absent(self.now()) for s in submitted}

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        rows = {row.name[:27]: row for row in self.listing()}
        return {s.token: Found(rows[s.token].id) if s.token in rows else Absent(self.now()) for s in submissions}

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        for one in submitted:
            self.run(["batch", "--kill", "--name", one.job_name, one.executor_job_id]).check()

    def listing(self) -> list[Row]:
        done = self.run(["batch", "--list"])
        if not done.ok:
            raise SchedulerUnavailable(done.stderr)
        return [Row(*line.split("\t")) for line in done.stdout.splitlines()]


def seen(row: Row) -> Observation:
    """What a row means."""
    if row.state == "running":
        return Running()
    if row.state == "0":
        return Exited(0)
    return Exited(reason=Reason(row.state), detail=row.state)


def batch(table: JobTable, argv: list[str], stdin: str) -> Answer:
    """The command `batch` of the kit's fake platform."""
    if argv[0] == "-n":
        return Answer(stdout=table.submit(argv[1], argv[3:]) + "\n")
    if argv[0] == "--kill":
        table.delete(argv[3], argv[2])
        return Answer()
    rows = [f"{job.id}\t{job.name}\t{(job.reason or 0) if job.ended else 'running'}" for job in table.listing().jobs]
    return Answer(stdout="".join(f"{row}\n" for row in rows))


class BatchPlatform(CommandPlatform):
    """The laboratory's batch host."""

    commands = {"batch": batch}  # noqa: RUF012
    away = "batch: no answer from labhost"
