"""From how a process ended to what the server is told."""

import os
import resource
import signal

from jobmon.states.reasons import Reason
from jobmon.wire.workers import FinishReport, Work
from jobmon.worker.report import ending_signal

#: Why a command ended that the kernel has killed.
FOR_MEMORY = (Reason.OUT_OF_MEMORY, "the kernel killed it for want of memory")
#: The end of each output that travels in a report, in bytes.
TAIL_BYTES = 10_000


def usage_of(spent: resource.struct_rusage, wall_s: float) -> dict[str, float]:
    """Usage of a reaped process in s and bytes.

    A process starts on the memory of the one that spawned it, and the kernel counts that into its peak: a peak that is
    not above ours is left out.
    """
    usage = {"wall_s": wall_s, "cpu_s": spent.ru_utime + spent.ru_stime}
    if spent.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss:
        usage["max_rss_bytes"] = spent.ru_maxrss * 1024.0
    return usage


def of_command(
    token: str, work: Work, status: int, usage: dict[str, float], ending: tuple[Reason, str] | None
) -> FinishReport:
    """The report of a command that ended with a wait status; `ending` is why that is so, where more is known."""
    code = os.waitstatus_to_exitcode(status)
    exit_status, number = (code, None) if code >= 0 else (None, -code)
    reason, detail = ending or (None, None)
    if ending is None and code > 0:
        reason, detail = Reason.EXIT_NONZERO, f"exit status {code}"
    elif ending is None and code < 0:
        reason, detail = Reason.SIGNALLED, f"ended by signal {-code}"
    return FinishReport(
        token=token,
        reason=reason,
        exit_status=exit_status,
        signal=number,
        detail=detail,
        stdout_tail=tail(work.stdout),
        stderr_tail=tail(work.stderr),
        usage=usage,
    )


def killed(status: int) -> bool:
    """Whether SIGKILL ended it, or a part of it of which a shell tells by its own status."""
    return ending_signal(status) == signal.SIGKILL


def not_run(token: str, status: int, why: str) -> FinishReport:
    """The report of a command that could not be executed."""
    return FinishReport(token=token, reason=Reason.EXIT_NONZERO, exit_status=status, detail=why)


def of_call(token: str, work: Work, answer: dict[str, object], usage: dict[str, float]) -> FinishReport:
    """The report of a call that its interpreter answered (see `jobmon.worker.warm`)."""
    failed = answer.get("failed")
    status = answer.get("status", 1 if failed else 0)
    result = answer.get("result")
    return FinishReport(
        token=token,
        reason=Reason.EXIT_NONZERO if failed else None,
        exit_status=status if isinstance(status, int) else 1,
        detail=str(failed) if failed else None,
        result=result if isinstance(result, str) else None,
        stdout_tail=tail(work.stdout),
        stderr_tail=tail(work.stderr),
        usage=usage,
    )


def agree(answer: dict[str, object], status: int) -> bool:
    """Whether an interpreter that has ended with this wait status has ended as its last answer says."""
    return os.waitstatus_to_exitcode(status) == answer.get("status", 0)


def of_dead_interpreter(
    token: str, work: Work, status: int, usage: dict[str, float], ending: tuple[Reason, str] | None
) -> FinishReport:
    """The report of a call whose interpreter ended before it answered, in whatever way."""
    code = os.waitstatus_to_exitcode(status)
    how = f"ended with status {code}" if code >= 0 else f"was ended by signal {-code}"
    fallen = (Reason.EXIT_NONZERO if code >= 0 else Reason.SIGNALLED, f"its interpreter {how} before the call returned")
    return of_command(token, work, status, usage, ending or fallen)


def tail(path: str) -> str | None:
    """The last 10 kB of a file as text, whatever its bytes; None when it is empty or gone."""
    try:
        size = os.stat(path).st_size  # noqa: PTH116
        if size == 0:
            return None
        with open(path, "rb") as file:  # noqa: PTH123
            file.seek(max(0, size - TAIL_BYTES))
            return file.read(TAIL_BYTES).decode(errors="replace") or None
    except OSError:
        return None
