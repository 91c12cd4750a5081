"""What an accounting record means: the table of `failed`, and the limits that a job ran into. Pure."""

import re
from collections.abc import Sequence

from jobmon.plugins import Exited, Reason
from jobmon_uge.accounting import Record

#: `failed` of a job that ran to its end, or the end of whose surroundings failed: its exit status tells.
_RAN = frozenset({0, 12, 13, 14, 15, 16})
#: `failed`: the reason, and Grid Engine's words.
_FAILED: dict[int, tuple[Reason, str]] = {
    **dict.fromkeys((1, 3, 4, 5, 6), (Reason.NODE_FAILURE, "the shepherd ended before the job")),
    **dict.fromkeys((7, 8), (Reason.NODE_FAILURE, "in the prolog")),
    **dict.fromkeys((9, 10), (Reason.NODE_FAILURE, "at the start of its parallel environment")),
    11: (Reason.NODE_FAILURE, "before the job"),
    17: (Reason.SIGNALLED, "through a signal"),
    18: (Reason.NODE_FAILURE, "the shepherd returned an error"),
    19: (Reason.NODE_FAILURE, "before writing the exit status"),
    20: (Reason.NODE_FAILURE, "an unexpected error file"),
    21: (Reason.NODE_FAILURE, "the execution host does not know the job"),
    24: (Reason.PREEMPTED, "migrating"),
    25: (Reason.PREEMPTED, "rescheduling"),
    26: (Reason.UNKNOWN, "opening an input or output file"),
    27: (Reason.UNKNOWN, "searching the requested shell"),
    28: (Reason.UNKNOWN, "changing into the working directory"),
    29: (Reason.NODE_FAILURE, "AFS"),
    30: (Reason.UNKNOWN, "the job exited with 100"),
    36: (Reason.NODE_FAILURE, "checking the configured daemons"),
    37: (Reason.TIMEOUT, "qmaster enforced a limit of time or memory"),
    38: (Reason.NODE_FAILURE, "adding a supplementary group"),
    100: (Reason.SIGNALLED, "ended by a signal"),
}
_SIGXCPU = 24
_STATUSES = range(256)


def exited(record: Record, memory_resources: Sequence[str] = (), user: str = "") -> Exited:
    """The end that a record tells of, of a job of this user's."""
    known, words = _FAILED.get(record.failed, (Reason.UNKNOWN, "unknown to Jobmon"))
    reason: Reason | None = known
    if record.failed in _RAN:
        reason, words = (Reason.EXIT_NONZERO if record.status else None), ""
    elif record.failed in (37, 100):
        reason = _limit(record, memory_resources) or _deleted(record, user) or known
    usage = {"wall_s": record.wall_s, "cpu_s": record.cpu_s, "max_rss_bytes": record.rss_bytes}
    status = record.status if reason is None else record.status or None
    return Exited(status if status in _STATUSES else None, reason, usage, _detail(record, words))


def _deleted(record: Record, user: str) -> Reason | None:
    if not record.deleted_by:
        return None
    own = record.deleted_by.partition("@")[0] == user
    return Reason.CANCELLED_BY_USER if own else Reason.CANCELLED


def _detail(record: Record, words: str) -> str:
    told = f"failed {record.failed}" + (f" ({words})" if words else "")
    by = f", deleted by {record.deleted_by}" if record.deleted_by else ""
    return f"{told}, exit status {record.status}, on {record.where}{by}"


def _limit(record: Record, memory_resources: Sequence[str]) -> Reason | None:
    """Which limit a job ran into that was ended by force: what it had asked for, against what it used."""
    asked = dict(re.findall(r"(\w+)=([^,\s]+)", record.requested))
    cpu_s = record.cpu_s * 1.2  # a job over h_cpu=2 was accounted for with 1.77 s
    times = {"h_rt": record.wall_s, "s_rt": record.wall_s, "h_cpu": cpu_s, "s_cpu": cpu_s}
    for name, used in times.items():
        limit = _seconds(asked.get(name, ""))
        if limit is not None and used >= limit:
            return Reason.TIMEOUT
    if record.status - 128 == _SIGXCPU:
        return Reason.TIMEOUT
    memory = {"h_vmem": record.vmem_bytes} | {
        name: max(record.rss_bytes, record.vmem_bytes if name == "h_vmem" else 0) for name in memory_resources
    }
    for name, used in memory.items():
        limit = _bytes(asked.get(name, ""))
        if limit is not None and used >= 0.95 * limit * record.slots:
            return Reason.OUT_OF_MEMORY
    # A peak between two measurements is not in the record: what else could it have been?
    return Reason.OUT_OF_MEMORY if record.failed == 37 and "h_vmem" in asked and "h_rt" not in asked else None


def _seconds(text: str) -> float | None:
    parts = text.split(":")
    if 1 <= len(parts) <= 3 and all(re.fullmatch(r"\d+(\.\d+)?", part) for part in parts):
        return sum(float(part) * float(60**place) for place, part in enumerate(reversed(parts)))
    return None


def _bytes(text: str) -> float | None:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgGtT]?)", text)
    if match is None:
        return None
    base = 1000 if match[2].islower() else 1024  # as in complex(5): k is 1000, K is 1024
    return float(match[1]) * float(base) ** " kmgt".index(match[2].lower() or " ")
