"""What an executor and its agent say to each other: one line of JSON for a question, one for its answer.

Several fields of a question may be set; they are acted on in the order shown.
"""

from enum import StrEnum

import attrs

from jobmon.surroundings import Surroundings


class Stage(StrEnum):
    """Where an attempt stands in the agent."""

    WAITING = "waiting"  #: accepted; its command has not been started
    RUNNING = "running"
    ENDED = "ended"  #: its end is not yet acknowledged by the server
    DROPPED = "dropped"  #: cancelled before it was started, or refused by the server: it never ran and never will


@attrs.frozen
class Order:
    """An attempt to run. Its cores count against the agent's workers; it is ended when it runs beyond `runtime_s`."""

    token: str
    cores: int = 1
    runtime_s: float | None = None


@attrs.frozen
class Question:
    """What an executor wants. `surroundings` are those of its run, which hold for all that starts from now on."""

    surroundings: Surroundings | None = None

    workers: int | None = None  #: so many at once from now on
    submit: list[Order] = attrs.field(factory=list)
    cancel: list[str] = attrs.field(factory=list)
    ask: list[str] | None = None


@attrs.frozen
class Reply:
    """`agent` names this life of the agent. `stages` has the asked tokens that it knows, `full` why none can begin."""

    agent: str
    accepted: list[str] = attrs.field(factory=list)
    stages: dict[str, Stage] = attrs.field(factory=dict)
    full: str = ""
    error: str = ""
    ends: bool = False  #: it has nothing to do, and ends so that one with the right surroundings can be started
