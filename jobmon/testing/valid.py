"""Whether what an executor answers is made of the contract's records, with values that they may have."""

from collections.abc import Mapping
from datetime import datetime

from jobmon.plugins import (
    Absent,
    Accepted,
    CannotTell,
    Deferred,
    Exited,
    Found,
    Pending,
    Reason,
    Rejected,
    Running,
    Uncertain,
    Unknown,
)

USAGE_KEYS = frozenset({"wall_s", "cpu_s", "max_rss_bytes"})


def wrong_outcome(outcome: object) -> str | None:
    """What is wrong with an outcome; None: nothing."""
    match outcome:
        case Accepted():
            return _wrong_id(outcome.executor_job_id)
        case Rejected() | Uncertain():
            return _wrong_text("why", outcome.why)
        case Deferred():
            if not isinstance(outcome.retry_after_s, int | float) or outcome.retry_after_s <= 0:
                return f"retry_after_s is {outcome.retry_after_s!r}"
            return _wrong_text("why", outcome.why)
    return "it is no Accepted, Rejected, Deferred or Uncertain"


def wrong_observation(seen: object) -> str | None:
    """What is wrong with an observation; None: nothing."""
    match seen:
        case Running():
            return None
        case Pending():
            return None if isinstance(seen.why, str) else f"why is {seen.why!r}"
        case Absent():
            return _wrong_instant(seen.as_of)
        case Unknown():
            return _wrong_text("why", seen.why)
        case Exited():
            return _wrong_end(seen)
    return "it is no Pending, Running, Exited, Absent or Unknown"


def wrong_finding(finding: object) -> str | None:
    """What is wrong with a finding; None: nothing."""
    match finding:
        case Found():
            return _wrong_id(finding.executor_job_id)
        case Absent():
            return _wrong_instant(finding.as_of)
        case CannotTell():
            return _wrong_text("why", finding.why)
    return "it is no Found, Absent or CannotTell"


def wrong_usage(usage: object) -> str | None:
    """What is wrong with what an attempt used; None: nothing."""
    if not isinstance(usage, Mapping):
        return f"usage is {usage!r}, no mapping"
    strange = [key for key in usage if key not in USAGE_KEYS]
    if strange:
        return f"usage has {strange[0]!r}; there are {', '.join(sorted(USAGE_KEYS))}"
    for key, value in usage.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            return f"usage has {key} = {value!r}"
    return None


def _wrong_end(end: Exited) -> str | None:
    # An executor may have put anything there.
    reason: object = end.reason
    status: object = end.status
    detail: object = end.detail
    if reason is not None and not isinstance(reason, Reason):
        return f"reason is {reason!r}, no Reason"
    if status is not None and (isinstance(status, bool) or not isinstance(status, int)):
        return f"status is {status!r}"
    if reason is None and status not in (None, 0):
        return f"it tells success (no reason) with status {status}"
    if detail is not None and not isinstance(detail, str):
        return f"detail is {detail!r}"
    return wrong_usage(end.usage)


def _wrong_id(executor_job_id: object) -> str | None:
    return None if isinstance(executor_job_id, str) and executor_job_id else f"executor_job_id is {executor_job_id!r}"


def _wrong_text(name: str, value: object) -> str | None:
    return None if isinstance(value, str) and value else f"{name} is {value!r}: somebody has to read it"


def _wrong_instant(value: object) -> str | None:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return None
    return f"as_of is {value!r}, no aware instant"
