"""The machine of a Job: the durable record of a task, whatever number of attempts it takes.

    REGISTERED → ADJUSTING_RESOURCES → QUEUED_FOR_INSTANTIATION → INSTANTIATED → RUNNING → DONE

Pure: `apply(job, event)` returns the changed job and what follows from it.
"""

from types import MappingProxyType

import attrs
import msgspec
from msgspec.structs import replace

from jobmon.states.machine import ILLEGAL, LATE, STAY, TO, Choice, Move, look_up
from jobmon.states.names import JobState as S
from jobmon.states.reasons import CHARGED, Reason

#: Attempts that ended through no fault of the task (node failure, preemption, loss) before the job is given up:
#: a task that keeps killing its node must not go round the cluster.
FREE_ATTEMPTS = 10
#: Attempts that were lost before their command began, before the job is given up. What is given back unsent (put off by
#: its platform, its manager gone) has no bound: a queue may be full, and a scheduler away, for as long as it takes.
FREE_UNBEGUN = 1000


class Job(msgspec.Struct, frozen=True):
    """What the machine needs to know of a job. A Struct: thousands are replaced in one transaction."""

    id: int
    workflow_id: int
    executor: str
    state: S = S.REGISTERED
    max_attempts: int = 1
    attempts: int = 0  #: instances made so far; the next one's number is one more
    charged: int = 0  #: attempts used up by the task's own faults since the last resume
    uncharged: int = 0  #: attempts that ended through no fault of the task since the last resume
    unbegun: int = 0  #: attempts that were lost before their command began since the last resume
    cancel_requested: bool = False
    version: int = 0


# Events: what happened to a job.


@attrs.frozen
class Ready:
    """All its upstream jobs are done."""


@attrs.frozen
class ResourcesAdjusted:
    """The resources of the next attempt are known."""


@attrs.frozen
class Instantiated:
    """A manager claimed it: an attempt was made."""


@attrs.frozen
class AttemptReturned:
    """Its attempt was given back unsent."""


@attrs.frozen
class AttemptStarted:
    """The worker of its attempt won the start."""


@attrs.frozen
class AttemptSucceeded:
    """Its attempt succeeded."""


@attrs.frozen
class AttemptFailed:
    """Its attempt failed for a reason that another attempt may not meet."""

    reason: Reason


@attrs.frozen
class AttemptRefused:
    """The platform refuses it for good."""


@attrs.frozen
class Retried:
    """Another attempt was decided."""


@attrs.frozen
class CancelRequested:
    """Its end was asked for."""


@attrs.frozen
class Resumed:
    """A new run of the workflow takes it up again."""


JobEvent = (
    Ready
    | ResourcesAdjusted
    | Instantiated
    | AttemptReturned
    | AttemptStarted
    | AttemptSucceeded
    | AttemptFailed
    | AttemptRefused
    | Retried
    | CancelRequested
    | Resumed
)

# Effects: what is to be done next, beside storing the job.


@attrs.frozen
class AdjustResources:
    """Work out the resources of the next attempt."""


@attrs.frozen
class RetryJob:
    """Take the job to its next attempt."""


@attrs.frozen
class CancelInstance:
    """Ask for the end of its live attempt."""


JobEffect = AdjustResources | RetryJob | CancelInstance
_ADJUST, _RETRY, _CANCEL = (AdjustResources(),), (RetryJob(),), (CancelInstance(),)


def _lost_unbegun(job: Job, event: AttemptFailed) -> bool:
    """Lost before its command began, with an agent that died for instance: it cannot have been its own doing."""
    return event.reason is Reason.LOST and job.state is S.INSTANTIATED


def _after_failure(job: Job, event: AttemptFailed) -> S:
    if job.cancel_requested or event.reason is Reason.CANCELLED_BY_USER:
        return S.CANCELLED
    if event.reason in CHARGED:
        return S.ERROR_RECOVERABLE if job.charged + 1 < job.max_attempts else S.ERROR_FATAL
    if _lost_unbegun(job, event):
        return S.ERROR_RECOVERABLE if job.unbegun + 1 < FREE_UNBEGUN else S.ERROR_FATAL
    return S.ERROR_RECOVERABLE if job.uncharged + 1 < FREE_ATTEMPTS else S.ERROR_FATAL


def _after_return(job: Job, _event: AttemptReturned) -> S:
    return S.CANCELLED if job.cancel_requested else S.QUEUED_FOR_INSTANTIATION


FAILED = Choice("by budget", _after_failure, (S.ERROR_RECOVERABLE, S.ERROR_FATAL, S.CANCELLED))
RETURNED = Choice("if its end was asked for", _after_return, (S.QUEUED_FOR_INSTANTIATION, S.CANCELLED))


def _row(state: S, moves: dict[type, Move[S]], *, otherwise: Move[S]) -> dict[tuple[S, type], Move[S]]:
    return {(state, event): moves.get(event, otherwise) for event in JobEvent.__args__}


_LIVE: dict[type, Move[S]] = {
    AttemptReturned: RETURNED,
    AttemptSucceeded: TO(S.DONE),
    AttemptFailed: FAILED,
    AttemptRefused: TO(S.ERROR_FATAL),
    CancelRequested: STAY,
    Ready: LATE,
    ResourcesAdjusted: LATE,
    Resumed: STAY,  # its attempt goes on; one that is being ended is followed by another
}
_WAITING: dict[type, Move[S]] = {CancelRequested: TO(S.CANCELLED), Resumed: LATE, Ready: LATE}

TABLE = MappingProxyType(
    _row(S.REGISTERED, _WAITING | {Ready: TO(S.ADJUSTING_RESOURCES)}, otherwise=ILLEGAL)
    | _row(S.ADJUSTING_RESOURCES, _WAITING | {ResourcesAdjusted: TO(S.QUEUED_FOR_INSTANTIATION)}, otherwise=ILLEGAL)
    | _row(
        S.QUEUED_FOR_INSTANTIATION,
        _WAITING | {Instantiated: TO(S.INSTANTIATED), ResourcesAdjusted: LATE},
        otherwise=ILLEGAL,
    )
    | _row(S.INSTANTIATED, _LIVE | {AttemptStarted: TO(S.RUNNING)}, otherwise=ILLEGAL)
    | _row(S.RUNNING, _LIVE | {AttemptStarted: LATE}, otherwise=ILLEGAL)
    | _row(S.ERROR_RECOVERABLE, _WAITING | {Retried: TO(S.ADJUSTING_RESOURCES)}, otherwise=ILLEGAL)
    | _row(S.DONE, {}, otherwise=LATE)
    | _row(S.ERROR_FATAL, {Resumed: TO(S.REGISTERED)}, otherwise=LATE)
    | _row(S.CANCELLED, {Resumed: TO(S.REGISTERED)}, otherwise=LATE)
)


def apply(job: Job, event: JobEvent) -> tuple[Job, tuple[JobEffect, ...]]:
    """The job after the event, and what follows. A late event returns the very same job and nothing.

    Raises:
        InvalidTransition: the event has no meaning in the job's state.
    """
    target = look_up(TABLE, job, event)
    if target is None:
        return job, ()
    changed = _changed(job, event, target)
    if target is S.ADJUSTING_RESOURCES:
        return changed, _ADJUST
    if target is S.ERROR_RECOVERABLE:
        return changed, _RETRY
    if isinstance(event, CancelRequested) and target is job.state:
        return changed, _CANCEL
    return changed, ()


def _changed(job: Job, event: JobEvent, target: S) -> Job:
    version = job.version + 1
    match event:
        case Instantiated():
            return replace(job, state=target, version=version, attempts=job.attempts + 1)
        case AttemptFailed(reason=reason) if reason in CHARGED:
            return replace(job, state=target, version=version, charged=job.charged + 1)
        case AttemptFailed() if _lost_unbegun(job, event):
            return replace(job, state=target, version=version, unbegun=job.unbegun + 1)
        case AttemptFailed():
            return replace(job, state=target, version=version, uncharged=job.uncharged + 1)
        case CancelRequested():
            return replace(job, state=target, version=version, cancel_requested=True)
        case Resumed() if target is job.state:
            return replace(job, version=version, cancel_requested=False)
        case Resumed():
            return replace(
                job, state=target, version=version, charged=0, uncharged=0, unbegun=0, cancel_requested=False
            )
        case _:
            return replace(job, state=target, version=version)
