"""A table of jobs behind fake commands that speak as Slurm's do."""

import itertools
import os
import re
from collections.abc import Mapping

from jobmon_slurm.listing import SEP

from jobmon.plugins import Reason
from jobmon.testing import Answer, CancelRefused, CommandPlatform, JobTable, TableJob

_STATES = {
    None: "COMPLETED",
    Reason.EXIT_NONZERO: "FAILED",
    Reason.SIGNALLED: "FAILED",
    Reason.OUT_OF_MEMORY: "OUT_OF_MEMORY",
    Reason.TIMEOUT: "TIMEOUT",
    Reason.NODE_FAILURE: "NODE_FAIL",
    Reason.PREEMPTED: "PREEMPTED",
    Reason.CANCELLED: f"CANCELLED by {os.getuid() + 1}",
    Reason.CANCELLED_BY_USER: f"CANCELLED by {os.getuid()}",
}
_EXIT_CODES = {Reason.SIGNALLED: "0:9", Reason.OUT_OF_MEMORY: "0:125"}
PARTITION = "PartitionName=debug Default=YES MaxTime=10-00:00:00 MaxCPUsPerNode=UNLIMITED TotalCPUs=16 State=UP\n"


def _state(job: TableJob) -> str:
    if job.ended:
        return _STATES[job.reason]
    return "PENDING" if job.waits else "RUNNING"


def sbatch(table: JobTable, argv: list[str], stdin: str) -> Answer:
    """Takes a job or an array; the script must be the plugin's."""
    script = argv.index("/dev/stdin")
    options = dict(option.partition("=")[::2] for option in argv[:script])
    name, worker_argv = options["--job-name"], argv[script + 1 :]
    assert {"--parsable", "--no-requeue", "--export"} <= set(options)
    if "--array" not in options:
        assert stdin == '#!/bin/sh\nexec "$@"\n', stdin
        limit = {"runtime": 60.0 * int(options["--time"])} if "--time" in options else {}
        return Answer(stdout=table.submit(name, worker_argv, limit) + "\n")
    assert stdin == '#!/bin/sh\nexec "$@" "$SLURM_ARRAY_TASK_ID"\n', stdin
    try:
        members = int(options["--array"].removeprefix("1-"))
        return Answer(stdout=table.submit_array(name, worker_argv, members) + "\n")
    finally:
        for job_id in [one for one in table.jobs if "." in one]:
            job = table.jobs.pop(job_id)
            job.id = job_id.replace(".", "_")
            table.jobs[job.id] = job


def squeue(table: JobTable, argv: list[str], _stdin: str) -> Answer:
    """All jobs that live, and of those that ended every second one."""
    jobs = [job for job in table.listing().jobs if not job.ended or int(job.id.split("_")[0]) % 2]
    rows = [SEP.join((job.id, _state(job).split(" ")[0], job.waits or "None", job.name)) for job in jobs]
    return Answer(stdout="".join(f"{row}\n" for row in rows))


def sacct(table: JobTable, argv: list[str], _stdin: str) -> Answer:
    """Those that are asked for by number or name."""
    options = dict(option.partition("=")[::2] for option in argv)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", options["--starttime"]), "a start is always said"
    numbers, names = options.get("--jobs", "").split(","), options.get("--name", "").split(",")
    rows = []
    for job in table.listing().jobs:
        if job.id.split("_")[0] not in numbers and job.name not in names:
            continue
        code = _EXIT_CODES.get(job.reason) or f"{(job.status or 0) % 128}:0" if job.reason else "0:0"
        wall, cpu = f"{job.used['wall_s']:.0f}", _span(job.used["cpu_s"])
        peak = f"{job.used['max_rss_bytes'] / 1024:.0f}K"
        rows.append(SEP.join((job.id, _state(job), code, "0:0", wall, cpu, "", job.name)))
        rows.append(SEP.join((f"{job.id}.batch", _state(job), code, "", wall, cpu, peak, "batch")))
    return Answer(stdout="".join(f"{row}\n" for row in rows))


def _span(seconds: float) -> str:
    """As Slurm writes it: minutes, seconds and milliseconds."""
    return f"{int(seconds // 60):02}:{seconds % 60:06.3f}"


def scancel(table: JobTable, argv: list[str], _stdin: str) -> Answer:
    """Ends jobs, whole arrays and members; says nothing of those that are gone, and goes on after those it may not."""
    table.delete("0")  # whether it answers at all
    words = []
    for word in argv:
        number, _, indexes = word.partition("_")
        for part in indexes.strip("[]").split(","):
            first, _, last = part.partition("-")
            for index in itertools.repeat("", 1) if not first else range(int(first), int(last or first) + 1):
                job_id = f"{number}_{index}" if index else number
                try:
                    table.delete(job_id)
                except CancelRefused:
                    words.append(f"scancel: error: Kill job error on job id {job_id}: Access/permission denied\n")
    return Answer(1 if words else 0, "", "".join(words))


def scontrol(table: JobTable, argv: list[str], _stdin: str) -> Answer:
    """The configuration, or the one partition."""
    table.listing()
    return Answer(stdout="MaxArraySize            = 1001\n" if argv[-1] == "config" else PARTITION)


def sinfo(table: JobTable, _argv: list[str], _stdin: str) -> Answer:
    """The one kind of node."""
    table.listing()
    return Answer(stdout="debug|16|65536\n")


class SlurmTable(CommandPlatform):
    """Slurm, as far as its commands tell."""

    commands = {  # noqa: RUF012
        "sbatch": sbatch,
        "squeue": squeue,
        "sacct": sacct,
        "scancel": scancel,
        "scontrol": scontrol,
        "sinfo": sinfo,
    }
    reasons = (*CommandPlatform.reasons, Reason.CANCELLED, Reason.CANCELLED_BY_USER)
    too_large = "Invalid job array specification"
    broken = "Zero Bytes were transmitted or received"
    away = "slurm_load_jobs error: Unable to contact slurm controller (connect failure)"

    def answer(self, name: str, argv: list[str], stdin: str, environment: Mapping[str, str]) -> Answer | None:
        answer = super().answer(name, argv, stdin, environment)
        if name == "sbatch" and answer is not None and answer.status:
            return Answer(1, "", f"sbatch: error: Batch job submission failed: {answer.stderr}")
        return answer
