"""The machine of a WorkflowRun: REGISTERED → BOUND → RUNNING → DONE | ERROR, or STOPPING → STOPPED, or LOST."""

from types import MappingProxyType

import attrs

from jobmon.states.machine import ILLEGAL, LATE, TO, Choice, Move, look_up
from jobmon.states.names import FINAL_RUN_STATES
from jobmon.states.names import RunState as S


@attrs.frozen
class WorkflowRun:
    """What the machine needs to know of a run."""

    id: int
    workflow_id: int
    state: S = S.REGISTERED
    version: int = 0


@attrs.frozen
class Bound:
    """All its jobs are bound."""


@attrs.frozen
class Began:
    """Its first jobs may be queued."""


@attrs.frozen
class StopRequested:
    """Its end was asked for."""


@attrs.frozen
class Finished:
    """No job is ready, live or adjusting any more."""

    all_done: bool


@attrs.frozen
class ClientGone:
    """Its client is dead, or has been silent for the length of its lease, and another run takes its place."""


RunEvent = Bound | Began | StopRequested | Finished | ClientGone


def _ended(_run: WorkflowRun, event: Finished) -> S:
    return S.DONE if event.all_done else S.ERROR


def _stopped(_run: WorkflowRun, event: Finished) -> S:
    return S.DONE if event.all_done else S.STOPPED


ENDED = Choice("all done or not", _ended, (S.DONE, S.ERROR))
STOPPED = Choice("all done or not", _stopped, (S.DONE, S.STOPPED))


def _row(state: S, moves: dict[type, Move[S]], *, otherwise: Move[S]) -> dict[tuple[S, type], Move[S]]:
    return {(state, event): moves.get(event, otherwise) for event in RunEvent.__args__}


_FINAL_ROWS: dict[tuple[S, type], Move[S]] = {}
for _state in FINAL_RUN_STATES:
    _FINAL_ROWS |= _row(_state, {}, otherwise=LATE)

TABLE = MappingProxyType(
    _row(S.REGISTERED, {Bound: TO(S.BOUND), StopRequested: TO(S.STOPPED), ClientGone: TO(S.LOST)}, otherwise=ILLEGAL)
    | _row(
        S.BOUND,
        {Began: TO(S.RUNNING), StopRequested: TO(S.STOPPED), ClientGone: TO(S.LOST), Bound: LATE},
        otherwise=ILLEGAL,
    )
    | _row(S.RUNNING, {StopRequested: TO(S.STOPPING), Finished: ENDED, ClientGone: TO(S.LOST)}, otherwise=LATE)
    | _row(S.STOPPING, {Finished: STOPPED, ClientGone: TO(S.LOST)}, otherwise=LATE)
    | _FINAL_ROWS
)


def apply(run: WorkflowRun, event: RunEvent) -> WorkflowRun:
    """The run after the event; a late event returns the very same run.

    Raises:
        InvalidTransition: the event has no meaning in the run's state.
    """
    target = look_up(TABLE, run, event)
    return run if target is None else attrs.evolve(run, state=target, version=run.version + 1)
