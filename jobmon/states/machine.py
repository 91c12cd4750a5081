"""What the three state machines share: a total table from (state, event) to a move.

A table names every pair. `TO(state)` moves there, `STAY` takes the event without moving, `LATE` ignores it (a repeated
or overtaken message, recorded in the history), `ILLEGAL` raises `InvalidTransition`. A move whose target depends on
the record or the event is a `Choice`, with its possible targets listed for the documentation.
"""

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from typing import Any, Generic, TypeVar

import attrs

from jobmon.errors import InvalidTransition

State = TypeVar("State", bound=StrEnum)


class Rule(Enum):
    """Moves without a target."""

    STAY = "stays"
    LATE = "late"
    ILLEGAL = "illegal"


STAY, LATE, ILLEGAL = Rule.STAY, Rule.LATE, Rule.ILLEGAL


@attrs.frozen
class TO(Generic[State]):
    """A move to one state."""

    target: State


@attrs.frozen
class Choice(Generic[State]):
    """A move whose target `decide(record, event)` finds among `targets`."""

    name: str
    decide: Callable[[Any, Any], State]
    targets: tuple[State, ...]


Move = Rule | TO[State] | Choice[State]
Table = Mapping[tuple[State, type], Move[State]]


def look_up(table: Table[State], record: Any, event: object) -> State | None:
    """The state that `event` takes `record` to; None when it comes late.

    Raises:
        InvalidTransition: the pair has no meaning; the error carries the record.
    """
    move = table[record.state, type(event)]
    if isinstance(move, TO):
        return move.target
    if isinstance(move, Choice):
        return move.decide(record, event)
    if move is STAY:
        return record.state  # type: ignore[no-any-return]
    if move is LATE:
        return None
    raise InvalidTransition(
        f"{type(record).__name__} {record.id} is {record.state}: {type(event).__name__} cannot happen to it",
        story=f"record: {record!r}\nevent:  {event!r}",
    )
