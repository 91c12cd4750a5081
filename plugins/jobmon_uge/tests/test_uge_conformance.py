"""Grid Engine's executor keeps the contract, on fake commands that print what real ones did.

The same kit runs on real daemons in tests/clusters/gridengine.
"""

import shlex
from xml.sax.saxutils import escape

from jobmon_uge import GridEngine, Settings

from jobmon.plugins import Reason
from jobmon.testing import Answer, CancelRefused, CommandPlatform, ExecutorConformance, JobRefused, JobTable, TableJob

ROW = """    <job_list state="{word}">
      <JB_job_number>{number}</JB_job_number>
      <JB_name>{name}</JB_name>
      <state>{state}</state>
      {tasks}
    </job_list>
"""
RECORD = """==============================================================
qname        all.q
hostname     node1
owner        user1
jobname      {name}
jobnumber    {number}
taskid       {task}
start_time   Sun Nov 22 09:32:21 2026
end_time     Sun Nov 22 09:32:25 2026
slots        1
failed       {failed}
exit_status  {status}
ru_wallclock {wall:.0f}s
ru_maxrss    {peak:.3f}KB
cpu          {cpu:.3f}s
maxvmem      350.562MB
category     {category}
"""
KILLED = ("100 : assumedly after job", "137                  (Killed)", "NONE")
LIMIT = "37  : qmaster enforced h_rt, h_cpu, or h_vmem limit"
ENDS = {
    Reason.SIGNALLED: KILLED,
    Reason.CANCELLED: KILLED,
    Reason.TIMEOUT: (LIMIT, "137                  (Killed)", "-l h_rt=3"),
    Reason.OUT_OF_MEMORY: (LIMIT, "137                  (Killed)", "-l h_vmem=200M"),
    Reason.NODE_FAILURE: ("21  : in recognizing job", "0", "NONE"),
    Reason.PREEMPTED: ("24  : migrating", "0", "NONE"),
}


def qsub(table: JobTable, argv: list[str], stdin: str) -> Answer:
    """Take a job, or an array."""
    name, command = argv[argv.index("-N") + 1], shlex.split(stdin)[1:]
    try:
        if "-t" not in argv:
            limit = [float(word.removeprefix("h_rt=")) for word in argv if word.startswith("h_rt=")]
            return Answer(stdout=f"{table.submit(name, command, {'runtime': limit[-1]} if limit else {})}\n")
        count = int(argv[argv.index("-t") + 1].removeprefix("1-"))
        assert command[-1] == "$SGE_TASK_ID"
        return Answer(stdout=f"{table.submit_array(name, command[:-1], count)}.1-{count}:1\n")
    except JobRefused as error:
        return Answer(1, "", f"Unable to run job: job rejected: {error}\nExiting.\n")


def qstat(table: JobTable, argv: list[str], stdin: str) -> Answer:
    """List what has not ended."""
    if "-j" in argv:
        return Answer()
    rows = "".join(_row(job) for job in table.listing().jobs if not job.ended)
    return Answer(stdout=f"<job_info><queue_info>\n{rows}</queue_info><job_info></job_info></job_info>\n")


def _row(job: TableJob) -> str:
    tasks = "" if job.index is None else f"<tasks>{job.index}</tasks>"
    word, state = ("pending", "qw") if job.waits else ("running", "r")
    return ROW.format(number=job.id.partition(".")[0], name=escape(job.name), tasks=tasks, word=word, state=state)


def qacct(table: JobTable, argv: list[str], stdin: str) -> Answer:
    """Tell how those that ran and have ended did; it reads a file, and needs no daemon."""
    records = "".join(_record(job) for job in table.jobs.values() if job.ended and not job.waits)
    return Answer(stdout=records) if records else Answer(1, "", "error: job name j* not found\n")


def _record(job: TableJob) -> str:
    failed, status, category = ENDS.get(job.reason, ("0", str(job.status or 0), "NONE"))  # type: ignore[arg-type]
    number, task = job.id.partition(".")[0], job.index or "undefined"
    told = {"name": job.name, "number": number, "task": task, "failed": failed, "status": status, "category": category}
    # The kernel's kilobytes are taken for bytes: 4512 kB are printed as "4.406KB".
    peak = job.used["max_rss_bytes"] / 1024 / 1024
    return RECORD.format(**told, wall=job.used["wall_s"], cpu=job.used["cpu_s"], peak=peak)


def qdel(table: JobTable, argv: list[str], stdin: str) -> Answer:
    """End jobs and tasks, whatever their names."""
    lines = []
    for word in argv:
        number, _, tasks = word.partition(".")
        low, _, high = tasks.partition("-")
        for job_id in [f"{number}.{i}" for i in range(int(low), int(high or low) + 1)] if tasks else [number]:
            lines.append(_delete(table, job_id))
    return Answer(1 if any(line.startswith("denied") for line in lines) else 0, "".join(f"{line}\n" for line in lines))


def _delete(table: JobTable, job_id: str) -> str:
    try:
        if not table.delete(job_id):
            return f'denied: job "{job_id}" does not exist'
    except CancelRefused:
        return f'denied: "user1" is not allowed to delete job {job_id}'
    pending = table.jobs[job_id].waits
    return f"user1 has deleted job {job_id}" if pending else f"user1 has registered the job {job_id} for deletion"


class FakeGridEngine(CommandPlatform):
    """A Grid Engine in memory."""

    commands = {"qsub": qsub, "qstat": qstat, "qacct": qacct, "qdel": qdel}  # noqa: RUF012
    too_large = "you tried to submit a job with more than {limit} tasks"
    broken = 'error: commlib error: got read error (closing "node1/qmaster/1")'
    away = 'error: unable to send message to qmaster using port 6444 on host "node1": got send error'


class TestGridEngine(ExecutorConformance):
    executor_type = GridEngine
    claims = "silver"
    settings = Settings(accounting_wait=0.01, pe="smp", gpu_resource="gpu")
    resources = {"cores": 2}  # noqa: RUF012
    own_resources = {  # noqa: RUF012
        "queue": "long.q",
        "project": "malaria",
        "pe": "one_host",
        "request": {"scratch": "1G"},
        "native": ["-ac", "LAB=7"],
    }
    platform_type = FakeGridEngine
    complete = True
    tells_usage = True
    many = 300
    lives = 3
    shrinks = False
