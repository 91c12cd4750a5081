"""One table decides an attempt's fate from what its platform says: observation × what the server knows.

A worker's report needs no table: it is the strongest evidence and becomes `Ended` as it arrives (worker report >
platform). This table is for everything else. Silence alone ends nothing; neither does one missing row.
"""

from enum import StrEnum

import attrs

from jobmon.states import instances
from jobmon.states.instances import InstanceEvent
from jobmon.states.names import InstanceState
from jobmon.states.reasons import CHARGED, Reason

#: Statuses of a worker that ends without having run the command: it could not ask, or it was refused (see
#: jobmon.worker.attempt). They tell nothing of the command, which another copy of the worker may be running.
WORKER_DID_NOT_RUN_IT = (75, 77)


class Sighting(StrEnum):
    """What a platform can say of an attempt."""

    __hash__ = str.__hash__  # an Enum hashes in Python, and these are looked up more than anything else

    PENDING = "pending"
    RUNNING = "running"
    EXITED = "exited"
    ABSENT = "absent"  #: the platform answered completely and does not have it
    UNKNOWN = "unknown"


class Reporting(StrEnum):
    """Who reports how an attempt goes."""

    __hash__ = str.__hash__  # an Enum hashes in Python, and these are looked up more than anything else

    WORKER = "worker"  #: a worker beside the command: the platform's word is second to its report
    AGENT = "agent"  #: the core's agent, a worker for many attempts on one host
    PLATFORM = "platform"  #: nobody but the platform


@attrs.frozen
class Observed:
    """What the platform said, with the reason already found by the plugin (None: native success)."""

    sighting: Sighting
    reason: Reason | None = None
    exit_status: int | None = None
    detail: str | None = None
    output: str | None = None  #: the end of the platform's own output, where no worker has reported
    signal: int | None = None


@attrs.frozen
class Facts:
    """What the server knows of the attempt at that moment."""

    state: InstanceState
    reporting: Reporting
    is_call: bool  #: a Python call: its result is only in the worker's report
    silent: bool  #: no sign of life from its worker for the length of its lease (or none ever)
    gone_for_s: float  #: seconds since the platform first said that it is exited or absent, without a break
    started: bool = True  #: some worker has won the start
    last_heard: str = ""  #: of its worker, in words: where it runs, and when it was last heard of


@attrs.frozen
class Graces:
    """How long evidence must hold before it decides, in seconds."""

    report_grace_s: float = 10.0  #: after Exited, for a worker's report that is on its way
    agent_grace_s: float = 1.0  #: the same for an agent's: when its attempts have ended without it, it is dead
    absent_grace_s: float = 30.0  #: between the two complete answers without the attempt

    def after_exit_s(self, reporting: Reporting) -> float:
        """How long a report may still be on its way after the platform has said Exited."""
        return {Reporting.WORKER: self.report_grace_s, Reporting.AGENT: self.agent_grace_s}.get(reporting, 0.0)


def decide(facts: Facts, observed: Observed, graces: Graces) -> InstanceEvent | None:
    """The event that the evidence amounts to; None while it proves nothing new."""
    by_platform = facts.reporting is Reporting.PLATFORM
    cancelling = facts.state is InstanceState.CANCELLING
    match observed.sighting:
        case Sighting.PENDING | Sighting.UNKNOWN:
            return None
        case Sighting.RUNNING:
            waits = facts.state in (InstanceState.SUBMITTING, InstanceState.SUBMITTED_TO_BATCH_EXECUTOR)
            return instances.Started("platform") if by_platform and waits else None
        case Sighting.EXITED:
            unstartable = cancelling and not facts.started  # a start is refused now: no report can be on its way
            if facts.gone_for_s < graces.after_exit_s(facts.reporting) and not unstartable:
                return None
            if not by_platform and observed.exit_status in WORKER_DID_NOT_RUN_IT and not facts.silent:
                return None  # a further copy of the worker has ended; the one that won the start may still run
            if cancelling and not by_platform:
                return instances.CancelConfirmed(observed.detail or "the platform says that it has ended")
            return _ended(facts, observed, by_platform)
        case Sighting.ABSENT:
            if cancelling:
                return instances.CancelConfirmed("the platform does not have it any more")
            if facts.gone_for_s < graces.absent_grace_s or not (facts.silent or by_platform):
                return None
            lost = "its worker is silent and the platform does not have it; nothing tells how it ended"
            return instances.Ended(Reason.LOST, detail=_quoted(_seen_when(lost, facts, observed.detail), observed))


def _ended(facts: Facts, observed: Observed, by_platform: bool) -> instances.Ended:
    reason = observed.reason
    unstarted = facts.state is not InstanceState.RUNNING or observed.exit_status in WORKER_DID_NOT_RUN_IT
    if not by_platform and unstarted and (reason is None or reason in CHARGED):
        # Nothing of the task has run. What ended with a status of its own could not even run its worker, and that may
        # be so each time: it is bounded as tightly as node failures are.
        own = reason is Reason.EXIT_NONZERO and observed.exit_status not in WORKER_DID_NOT_RUN_IT
        return instances.Ended(Reason.UNKNOWN if own else Reason.LOST, detail=_before_start(observed))
    if facts.reporting is Reporting.WORKER and reason in (Reason.SIGNALLED, Reason.EXIT_NONZERO):
        # Whatever its command does, a worker reports it, or leaves the report in a file.
        wordless = f"its worker ended without a word of how its command did ({observed.detail or reason})"
        wordless = _seen_when(wordless, facts)
        return instances.Ended(Reason.LOST, observed.exit_status, detail=_quoted(wordless, observed))
    if not by_platform and reason is None and facts.is_call:
        detail = "it ended with status 0, but its worker never reported the result of the call"
        detail = _seen_when(detail, facts)
        return instances.Ended(Reason.LOST, observed.exit_status, detail=_quoted(detail, observed))
    return instances.Ended(reason, observed.exit_status, observed.signal, _quoted(observed.detail, observed))


def _seen_when(lost: str, facts: Facts, said: str | None = None) -> str:
    """The words, and after them where its worker was, when it was last heard of, and when the platform was asked."""
    seen = "; ".join(part for part in (facts.last_heard, f"the platform was asked {said}" if said else "") if part)
    return f"{lost} ({seen})" if seen else lost


def _before_start(observed: Observed) -> str | None:
    status = None if observed.exit_status is None else f"status {observed.exit_status}"
    said = ", ".join(str(part) for part in (observed.reason, status, observed.detail) if part)
    unheard = "the platform ended it without a word from a worker that has run it" + (f" ({said})" if said else "")
    return _quoted(unheard, observed)


def _quoted(detail: str | None, observed: Observed) -> str | None:
    """The detail, and after it what stands in the platform's own output."""
    if not observed.output:
        return detail
    return f"{detail + '; ' if detail else ''}the platform's output ends with:\n{observed.output}"
