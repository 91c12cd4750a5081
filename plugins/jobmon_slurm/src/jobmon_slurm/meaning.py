"""What Slurm's states, reasons and exit codes mean. Pure."""

import re

from jobmon.plugins import Exited, Observation, Pending, Reason, Running, Unknown
from jobmon_slurm.listing import Row

_PENDING = frozenset({"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD"})
_RUNNING = frozenset(
    {"RUNNING", "COMPLETING", "CONFIGURING", "RESIZING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED"}
)
#: States that tell why by themselves. FAILED and COMPLETED are read with the exit code.
_REASONS = {
    "BOOT_FAIL": Reason.NODE_FAILURE,
    "CANCELLED": Reason.CANCELLED,
    "DEADLINE": Reason.TIMEOUT,
    "LAUNCH_FAILED": Reason.NODE_FAILURE,
    "NODE_FAIL": Reason.NODE_FAILURE,
    "OUT_OF_MEMORY": Reason.OUT_OF_MEMORY,
    "PREEMPTED": Reason.PREEMPTED,
    "RECONFIG_FAIL": Reason.NODE_FAILURE,
    "REVOKED": Reason.CANCELLED,
    "TIMEOUT": Reason.TIMEOUT,
}
ENDED = frozenset({*_REASONS, "COMPLETED", "FAILED"})
#: A "signal" that no process gets: Slurm could not set the job up.
_NOT_SET_UP, _OUT_OF_MEMORY = 53, 125
_LAUNCH_FAILED = "launch failed"

#: Reasons of pending jobs that a user can do something about, or should know of.
_WORDS = {
    "AssocGrpCpuLimit": "the account's limit of cores is reached",
    "AssocMaxJobsLimit": "the account's limit of running jobs is reached",
    "BadConstraints": "no node can ever satisfy what it asks for",
    "BeginTime": "its begin time has not come",
    "Dependency": "it waits for another job",
    "DependencyNeverSatisfied": "the job that it waits for did not end as it should: it will never run",
    "InvalidAccount": "its account is not valid: it will not run",
    "InvalidQOS": "its quality of service is not valid: it will not run",
    "JobArrayTaskLimit": "as many members of its array run as may",
    "JobHeldAdmin": "held by an administrator",
    "JobHeldUser": "held by its user: scontrol release lets it go",
    "Licenses": "it waits for a licence",
    "NodeDown": "a node that it needs is down",
    "PartitionConfig": "it asks for more than its partition has: it will not run as it is",
    "PartitionDown": "its partition is down",
    "PartitionInactive": "its partition is inactive",
    "PartitionNodeLimit": "it asks for more nodes than its partition allows: it will not run as it is",
    "PartitionTimeLimit": "it asks for more run time than its partition allows: it will not run as it is",
    "Priority": "others are before it",
    "QOSMaxCpuPerUserLimit": "its user has as many cores as the quality of service allows",
    "QOSMaxJobsPerUserLimit": "as many jobs of its user run as the quality of service allows",
    "ReqNodeNotAvail": "a node that it asks for is not available",
    "Reservation": "it waits for its reservation",
    "Resources": "it waits for free resources",
}


def meaning(row: Row, user_id: int | None = None) -> Observation:
    """What a row of the queue or of accounting says of a job of this user's."""
    state = row.state.split(" ")[0].rstrip("+")  # `CANCELLED by 1001`
    if state in _PENDING:
        if row.reason.startswith(_LAUNCH_FAILED):
            return Exited(reason=Reason.NODE_FAILURE, detail=f"Slurm could not launch it and holds it: {row.reason}")
        return Pending(why(row.reason))
    if state in _RUNNING:
        return Running()
    if state not in ENDED:
        return Unknown(f"Slurm says {row.state!r}, which this plugin does not know")
    status, signal = _exit_code(row.exit_code)
    told = f"Slurm: {row.state}" + (f", ExitCode {row.exit_code}" if row.exit_code else "")
    if row.derived not in ("", "0:0"):
        told += f", DerivedExitCode {row.derived}"
    if state == "COMPLETED" and not status and not signal:
        return Exited(0, usage=row.usage)
    reason = _REASONS.get(state) or _failed(signal, row.derived)
    if row.state == f"CANCELLED by {user_id}":
        reason = Reason.CANCELLED_BY_USER
    if signal == _NOT_SET_UP:
        told += ": it could not be set up on its node; can its output folder be reached from there?"
    if state == "CANCELLED" and row.reason.startswith(_LAUNCH_FAILED):
        reason, told = Reason.NODE_FAILURE, f"{told}, after {row.reason}"
    return Exited(status if reason is Reason.EXIT_NONZERO else None, reason, row.usage, told)


def _failed(signal: int | None, derived: str) -> Reason:
    if signal == _OUT_OF_MEMORY or _exit_code(derived)[1] == _OUT_OF_MEMORY:
        return Reason.OUT_OF_MEMORY
    if signal == _NOT_SET_UP:
        return Reason.UNKNOWN
    if signal:
        return Reason.SIGNALLED
    return Reason.EXIT_NONZERO


def _exit_code(text: str) -> tuple[int | None, int | None]:
    """Status and signal of `3:0`. FAILED with status 0 was 128, which Slurm loses: no status then."""
    match = re.fullmatch(r"([0-9]{1,3}):([0-9]{1,3})", text)
    return (int(match[1]) or None, int(match[2]) or None) if match else (None, None)


def why(reason: str) -> str:
    """A reason of Slurm's, with words for it where there are better ones."""
    if reason in ("", "None"):
        return ""
    words = _WORDS.get(reason.split(",")[0].strip("( )"))
    return f"{words} ({reason})" if words else reason
