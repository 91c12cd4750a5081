"""The machine of a JobInstance: one attempt to run a job on an executor.

    INSTANTIATED → SUBMITTING → SUBMITTED_TO_BATCH_EXECUTOR → RUNNING → DONE | ERROR | RESOURCE_ERROR | UNKNOWN_ERROR

Pure: `apply(instance, event)` returns the changed instance and the events that follow for its job.
"""

from types import MappingProxyType

import attrs
import msgspec
from msgspec.structs import replace

from jobmon.states import jobs
from jobmon.states.machine import ILLEGAL, LATE, STAY, TO, Choice, Move, look_up
from jobmon.states.names import FINAL_INSTANCE_STATES
from jobmon.states.names import InstanceState as S
from jobmon.states.reasons import Reason, final_state


class JobInstance(msgspec.Struct, frozen=True):
    """What the machine needs to know of an attempt. A Struct for the same reason as Job."""

    id: int
    job_id: int
    workflow_id: int
    executor: str
    attempt: int
    token: str
    state: S = S.INSTANTIATED
    executor_job_id: str | None = None
    worker_id: str | None = None  #: who won the start
    reason: Reason | None = None  #: why it ended, when not in success
    exit_status: int | None = None  #: of the command, 0 to 255
    signal: int | None = None  #: the signal that ended the command
    detail: str | None = None  #: the raw evidence, in words
    version: int = 0


# Events: what happened to an attempt.


@attrs.frozen
class SubmissionBegan:
    """Its manager is about to give it to the platform."""


@attrs.frozen
class Accepted:
    """The platform took it, under this id."""

    executor_job_id: str


@attrs.frozen
class Rejected:
    """The platform refuses it for good."""

    why: str


@attrs.frozen
class Deferred:
    """The platform does not take it now; it was not sent."""

    why: str


@attrs.frozen
class NeverAccepted:
    """A submission of unknown outcome was looked for, and the platform does not have it."""

    why: str


@attrs.frozen
class Revoked:
    """A submission of unknown outcome could not be settled in time: its token is void."""

    why: str


@attrs.frozen
class Started:
    """Its worker asks to start the command."""

    worker_id: str


@attrs.frozen
class GivenBack:
    """The agent that won its start will not run it; the command was not started."""

    why: str


@attrs.frozen
class Ended:
    """It ended. `reason` None means success."""

    reason: Reason | None
    exit_status: int | None = None
    signal: int | None = None
    detail: str | None = None


@attrs.frozen
class CancelRequested:
    """Its end was asked for."""


@attrs.frozen
class CancelConfirmed:
    """The platform does not run it any more."""

    why: str


@attrs.frozen
class ManagerLost:
    """The manager that claimed it is gone."""


InstanceEvent = (
    SubmissionBegan
    | Accepted
    | Rejected
    | Deferred
    | NeverAccepted
    | Revoked
    | Started
    | GivenBack
    | Ended
    | CancelRequested
    | CancelConfirmed
    | ManagerLost
)


def _by_reason(_instance: JobInstance, event: Ended) -> S:
    return final_state(event.reason)


BY_REASON = Choice("by reason", _by_reason, (S.DONE, S.ERROR, S.RESOURCE_ERROR, S.UNKNOWN_ERROR, S.CANCELLED))


def _row(state: S, moves: dict[type, Move[S]], *, otherwise: Move[S]) -> dict[tuple[S, type], Move[S]]:
    return {(state, event): moves.get(event, otherwise) for event in InstanceEvent.__args__}


_FINAL_ROWS: dict[tuple[S, type], Move[S]] = {}
for _state in FINAL_INSTANCE_STATES:
    _FINAL_ROWS |= _row(_state, {}, otherwise=LATE)

TABLE = MappingProxyType(
    _row(
        S.INSTANTIATED,
        {
            SubmissionBegan: TO(S.SUBMITTING),
            CancelRequested: TO(S.CANCELLED),
            ManagerLost: TO(S.RETURNED),
        },
        otherwise=ILLEGAL,
    )
    | _row(
        S.SUBMITTING,
        {
            Accepted: TO(S.SUBMITTED_TO_BATCH_EXECUTOR),
            Rejected: TO(S.NO_EXECUTOR_ID),
            Deferred: TO(S.RETURNED),
            NeverAccepted: TO(S.NO_EXECUTOR_ID),
            Revoked: TO(S.UNKNOWN_ERROR),
            Started: TO(S.RUNNING),
            Ended: BY_REASON,
            CancelRequested: TO(S.CANCELLING),
            SubmissionBegan: LATE,
            ManagerLost: LATE,
        },
        otherwise=ILLEGAL,
    )
    | _row(
        S.SUBMITTED_TO_BATCH_EXECUTOR,
        {
            Started: TO(S.RUNNING),
            Ended: BY_REASON,
            CancelRequested: TO(S.CANCELLING),
            CancelConfirmed: ILLEGAL,
            GivenBack: TO(S.RETURNED),
        },
        otherwise=LATE,
    )
    | _row(
        S.RUNNING,
        {
            Accepted: STAY,  # the worker was faster than the answer of the platform
            GivenBack: TO(S.RETURNED),
            Ended: BY_REASON,
            CancelRequested: TO(S.CANCELLING),
            CancelConfirmed: ILLEGAL,
        },
        otherwise=LATE,
    )
    | _row(
        S.CANCELLING,
        {
            Accepted: STAY,  # the id is needed to cancel it there
            Rejected: TO(S.CANCELLED),
            Deferred: TO(S.CANCELLED),
            NeverAccepted: TO(S.CANCELLED),
            Revoked: TO(S.CANCELLED),
            GivenBack: TO(S.CANCELLED),
            Ended: BY_REASON,
            CancelConfirmed: TO(S.CANCELLED),
        },
        otherwise=LATE,
    )
    | _FINAL_ROWS
)


def apply(instance: JobInstance, event: InstanceEvent) -> tuple[JobInstance, tuple[jobs.JobEvent, ...]]:
    """The instance after the event, and what its job must hear. A late event returns the very same instance.

    Raises:
        InvalidTransition: the event has no meaning in the instance's state.
    """
    target = look_up(TABLE, instance, event)
    if target is None or (isinstance(event, Accepted) and instance.executor_job_id is not None):
        return instance, ()
    changed = _changed(instance, event, target)
    return changed, () if target is instance.state else _for_the_job(changed, event)


def _for_the_job(instance: JobInstance, event: InstanceEvent) -> tuple[jobs.JobEvent, ...]:
    state = instance.state
    if state is S.NO_EXECUTOR_ID:
        return _REFUSED if isinstance(event, Rejected) else _RETURNED
    if state in _FAILED:
        assert instance.reason is not None
        return (jobs.AttemptFailed(instance.reason),)
    return _FOLLOWS.get(state, ())


_REFUSED, _RETURNED = (jobs.AttemptRefused(),), (jobs.AttemptReturned(),)
_FOLLOWS: dict[S, tuple[jobs.JobEvent, ...]] = {
    S.RUNNING: (jobs.AttemptStarted(),),
    S.DONE: (jobs.AttemptSucceeded(),),
    S.RETURNED: _RETURNED,
}
_FAILED = frozenset({S.ERROR, S.RESOURCE_ERROR, S.UNKNOWN_ERROR, S.CANCELLED})


def _changed(instance: JobInstance, event: InstanceEvent, target: S) -> JobInstance:
    version = instance.version + 1
    match event:
        case Accepted(executor_job_id=executor_job_id):
            return replace(instance, state=target, version=version, executor_job_id=executor_job_id)
        case Started(worker_id=worker_id):
            return replace(instance, state=target, version=version, worker_id=worker_id)
        case Ended(reason=None, exit_status=0, detail=None):
            return replace(instance, state=target, version=version, exit_status=0)
        case Ended():
            changes = {"reason": event.reason, "exit_status": event.exit_status, "signal": event.signal}
            return replace(instance, state=target, version=version, detail=event.detail, **changes)
        case SubmissionBegan() | ManagerLost():
            return replace(instance, state=target, version=version)
        case CancelRequested():
            reason = Reason.CANCELLED if target is S.CANCELLED else None
            return replace(instance, state=target, version=version, reason=reason)
        case Rejected():
            reason = Reason.CANCELLED if target is S.CANCELLED else Reason.SUBMIT_REJECTED
        case Revoked():
            reason = Reason.CANCELLED if target is S.CANCELLED else Reason.LOST
        case Deferred() | GivenBack() | NeverAccepted() | CancelConfirmed():
            reason = Reason.CANCELLED if target is S.CANCELLED else None
    return replace(instance, state=target, version=version, reason=reason, detail=event.why)
