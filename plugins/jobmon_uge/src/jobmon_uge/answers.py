"""What Grid Engine's commands answer, beside listing and accounting. Pure; garbage makes no answer certain."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from jobmon.plugins import Accepted, ArrayRefused, Completed, Deferred, Outcome, Rejected, Uncertain

_TERSE = re.compile(r"^\s*(\d+)(?:\.(\d+)-(\d+):(\d+))?\s*$", re.MULTILINE)
_PLAIN = re.compile(r'^Your job(?:-array)? (\d+)(?:\.(\d+)-(\d+):(\d+))? \("', re.MULTILINE)
#: The request did not reach qmaster.
_NOT_SENT = re.compile(
    r"got send error|unable to send message to qmaster|connection refused|unable to contact qmaster"
    r"|cannot reach qmaster|can't resolve.*qmaster|no route to host|critical error: unresolvable hostname",
    re.IGNORECASE,
)
#: The answer did not come back.
_CUT_OFF = re.compile(r"commlib error|receiv|time-?out|timed out", re.IGNORECASE)
#: qmaster has as many jobs as it is set to take: of the cluster, of a user, or in a queue with quotas.
_FULL = re.compile(r"only \d+ .*(?:is|are) allowed|job count|maximum number of.*jobs|exceeds.*job limit", re.IGNORECASE)
_TOO_MANY_TASKS = re.compile(r"submit a job with more than (\d+) tasks", re.IGNORECASE)
#: Whatever else is said so is for good.
_REFUSED = re.compile(
    r"unable to run job|denied|rejected|invalid option|unknown option|unable to read script|usage:", re.I
)
_DELETED = re.compile(r"has deleted (?:job-array tasks? )?(?:job )?([\d.,:-]+)(?: of job (\d+))?\s*$", re.MULTILINE)
_REASON = re.compile(r"^error reason\s+\d+:\s*(?:\S+ \S+ \[\d+:\d+\]:\s*)?(.*)$", re.MULTILINE)
_INFO = re.compile(r"^scheduling info:\s*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
_WANTED = re.compile(r"^hard_queue_list:\s+(\S.*)$", re.MULTILINE)
_QUEUE = re.compile(r'queue (?:instance )?"([^"@]+)')
_DROPPED = re.compile(r"dropped because", re.IGNORECASE)
NO_SUITABLE_QUEUE = "no suitable queues"


def said(done: Completed) -> str:
    """A command's words in one line."""
    lines = f"{done.stderr}\n{done.stdout}".splitlines()
    kept = [line.strip() for line in lines if line.strip() and line.strip() != "Exiting."]
    return " ".join(kept)[:1000] or f"{done.argv[0]} exited with {done.status} and said nothing"


def unreachable(done: Completed) -> bool:
    """The command could not reach qmaster."""
    return not done.ok and bool(_NOT_SENT.search(done.stderr + done.stdout))


def submitted(done: Completed, count: int | None) -> Outcome:
    """What came of a qsub of one job, or of an array of `count` tasks (Accepted then has the id of the whole).

    Raises:
        ArrayRefused: the cluster takes only smaller arrays.
    """
    if done.timed_out:
        return Uncertain(f"qsub gave no answer in time: {said(done)}" if done.stdout + done.stderr else "qsub hung")
    wanted = (None, None, None) if count is None else ("1", str(count), "1")
    told = [m[1] for form in (_PLAIN, _TERSE) for m in form.finditer(done.stdout) if m.groups()[1:] == wanted]
    if done.ok:
        return Accepted(told[-1]) if told else Uncertain(f"qsub told no id: {said(done)}")
    text = said(done)
    if told or done.status is None or done.status < 0:
        return Uncertain(f"qsub exited with {done.status}: {text}")
    if too_many := _TOO_MANY_TASKS.search(text):
        raise ArrayRefused(text, limit=max(1, int(too_many[1])))
    if unreachable(done):
        return Deferred(text, retry_after_s=15.0)
    if _FULL.search(text):
        return Deferred(text, retry_after_s=5.0)
    return Rejected(text) if _REFUSED.search(text) and not _CUT_OFF.search(text) else Uncertain(text)


def run_limits(stdout: str) -> dict[str, str]:
    """The hard run-time limit of each queue that `qconf -sq` shows, where it has one."""
    limits = {}
    for text in re.split(r"^qname\s+", stdout, flags=re.MULTILINE)[1:]:
        if match := re.search(r"^h_rt\s+([\d:]+)", text, re.MULTILINE):
            limits[text.split()[0]] = match[1]
    return limits


def deleted(stdout: str) -> set[tuple[str, int | None]]:
    """The jobs (None: with all tasks) and tasks that qdel has deleted at once: they were pending, nothing follows."""
    gone: set[tuple[str, int | None]] = set()
    for match in _DELETED.finditer(stdout):
        job, _, task = match[1].partition(".")
        if match[2]:
            gone.update((match[2], index) for tasks in ranges(match[1]) for index in tasks)
        elif job.isdecimal() and (not task or task.isdecimal()):
            gone.add((job, int(task) if task else None))
    return gone


def ranges(text: str) -> list[range]:
    """`1,5-9:2` as ranges, both ends in them; nothing for what is no such list."""
    found = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(?:-(\d{1,9}))?(?::(\d{1,9}))?\s*", part)
        if match is None or match[3] == "0":
            return []
        found.append(range(int(match[1]), int(match[2] or match[1]) + 1, int(match[3] or 1)))
    return found


def explanations(stdout: str) -> dict[str, str]:
    """Why each job that `qstat -j` tells of waits, or could not be started."""
    return {job: why[:300] for job, text in _jobs(stdout) if (why := _why(text))}


def _jobs(stdout: str) -> Iterator[tuple[str, str]]:
    for text in re.split(r"^={20,}$", stdout, flags=re.MULTILINE):
        number = re.search(r"^job_number:\s+(\d+)\s*$", text, re.MULTILINE)
        if number:
            yield number[1], text


def _why(text: str) -> str:
    if reasons := _REASON.findall(text):
        return str(reasons[0])
    info = _INFO.search(text)
    lines = [line.strip() for line in info[1].splitlines()] if info else []
    wanted = _WANTED.search(text)
    names = [name.strip().partition("@")[0] for name in wanted[1].split(",")] if wanted else []
    own = [line for line in lines if not _of_another_queue(line, names)]
    telling = [line for line in own if _DROPPED.search(line)] + [line for line in own if "cannot run" in line]
    return "; ".join(telling[:2] or own[:1] or lines[:1])


def _of_another_queue(line: str, wanted: list[str]) -> bool:
    """It tells why a job does not run in a queue that it does not ask for."""
    if "not contained in its hard queue list" in line:
        return True
    queue = _QUEUE.search(line)
    return queue is not None and bool(wanted) and not any(fnmatchcase(queue[1], name) for name in wanted)
