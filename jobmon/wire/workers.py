"""Messages of workers and agents. The stand-alone worker speaks the same JSON without this module."""

from typing import Annotated

import attrs
from msgspec import Meta

from jobmon.states.reasons import Reason
from jobmon.wire.bounds import Name, Status, Tail, Text, Token, Tokens, Usage
from jobmon.wire.jobs import Call, Command
from jobmon.wire.problems import Problem


@attrs.frozen
class StartAttempts:
    """Ask to start commands. Each token is won once; asking again with the same worker_id repeats the answer."""

    worker_id: Name
    host: Name
    tokens: Tokens


@attrs.frozen
class Work:
    """What to run, how and where its output goes. `env` is set over the worker's own environment."""

    env: dict[str, str]
    cwd: str
    stdout: str  #: path
    stderr: str  #: path
    command: Command | None = None
    call: Call | None = None


@attrs.frozen
class Start:
    """The answer for one token: with `work` None the command must not be started, and `why`."""

    token: str
    work: Work | None = None
    why: str = ""


@attrs.frozen
class Starts:
    """Answers in the order of the tokens; where all would be too large, for the first ones: ask again for the others.

    Heartbeats are due every `heartbeat_s`.
    """

    starts: list[Start]
    heartbeat_s: float
    orphan_after_s: float
    refused: list[Problem] = attrs.field(factory=list)  #: elements that were refused, each by itself


@attrs.frozen
class Heartbeat:
    """These attempts live."""

    worker_id: Name
    tokens: Tokens


@attrs.frozen
class HeartbeatAnswer:
    """`end`: attempts that were given up or cancelled: end their commands."""

    end: list[str]
    refused: list[Problem] = attrs.field(factory=list)  #: elements that were refused, each by itself


@attrs.frozen
class FinishReport:
    """How one attempt ended. `reason` None is success; `result` is JSON text; tails are at most 10 kB."""

    token: Token
    reason: Reason | None = None
    exit_status: Status | None = None
    signal: Status | None = None
    detail: Text | None = None
    result: str | None = None
    stdout_tail: Tail | None = None
    stderr_tail: Tail | None = None
    usage: Usage = attrs.field(factory=dict)


@attrs.frozen
class FinishAttempts:
    """Report ends. A report is repeated until it is answered."""

    worker_id: Name
    reports: Annotated[list[FinishReport], Meta(max_length=100_000)]


@attrs.frozen
class GiveBackAttempts:
    """Attempts whose start was won and whose command was not started and will not be."""

    worker_id: Name
    tokens: Tokens
    why: Text


@attrs.frozen
class ReportsRecorded:
    """`superseded`: attempts that had been given up, so that the report changed nothing."""

    superseded: list[str]
    refused: list[Problem] = attrs.field(factory=list)  #: elements that were refused, each by itself
