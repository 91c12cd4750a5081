"""A whole executor for a platform of commands, and that platform: `batch` submits, lists and kills."""

from collections.abc import Iterable, Sequence

from jobmon.plugins import (
    ArrayRequest,
    BatchExecutor,
    Completed,
    Exited,
    Pending,
    Reason,
    Row,
    Running,
    SubmitRequest,
)
from jobmon.testing import Answer, CommandPlatform, JobTable


class LabBatch(BatchExecutor):
    """Jobs on the laboratory's batch host."""

    name = "labbatch"
    api_version = (1, 0)
    states = {  # noqa: RUF012
        "waiting": Pending(),
        "running": Running(),
        "ended": Exited(),
        **{reason.value: Exited(reason=reason) for reason in Reason},
    }
    refusals = "violates the limits"
    not_now = "no answer from labhost"
    too_large = r"array too large: it may have (\d+)"

    def submit_argv(self, request: SubmitRequest) -> Sequence[str]:
        return ["batch", "-n", request.job_name, "--", *request.worker_argv]

    def array_limit(self) -> int:
        return 100

    def submit_array_argv(self, array: ArrayRequest) -> Sequence[str]:
        return ["batch", "-a", str(len(array.members)), "-n", array.job_name, "--", *array.worker_argv]

    def parse_submission(self, done: Completed) -> str:
        return done.stdout.strip()

    def list_argv(self) -> Sequence[str]:
        return ["batch", "--list"]

    def parse_list(self, text: str) -> Iterable[Row]:
        for line in text.splitlines():
            job_id, name, state, status, seconds, why = line.split("\t")
            number, _, index = job_id.partition(".")
            yield Row(
                number,
                name,
                state,
                members=(int(index),) if index else (),
                status=int(status) if status else None,
                usage={"wall_s": float(seconds)},
                detail=why,
            )

    def cancel_argv(self, ids: Sequence[str]) -> Sequence[str]:
        return ["batch", "--kill", *ids]


def batch(table: JobTable, argv: list[str], stdin: str) -> Answer:
    """The command `batch` of the kit's fake platform."""
    if argv[0] == "-n":
        return Answer(stdout=table.submit(argv[1], argv[3:]) + "\n")
    if argv[0] == "-a":
        return Answer(stdout=table.submit_array(argv[3], argv[5:], int(argv[1])) + "\n")
    if argv[0] == "--kill":
        for job_id in argv[1:]:
            table.delete(job_id)
        return Answer()
    rows = []
    for job in table.listing().jobs:
        state = (job.reason or "ended") if job.ended else "waiting" if job.waits else "running"
        status = job.status if job.reason is None else None
        rows.append(
            f"{job.id}\t{job.name}\t{state}\t{'' if status is None else status}\t{job.used['wall_s']}\t{job.waits}\n"
        )
    return Answer(stdout="".join(rows))


class BatchPlatform(CommandPlatform):
    """The laboratory's batch host."""

    commands = {"batch": batch}  # noqa: RUF012
    away = "batch: no answer from labhost"
