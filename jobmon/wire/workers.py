"""Messages of workers and agents. The stand-alone worker speaks the same JSON without this module."""

import attrs

from jobmon.states.reasons import Reason
from jobmon.wire.jobs import Call, Command


@attrs.frozen
class StartAttempts:
    """Ask to start commands. Each token is won once; asking again with the same worker_id repeats the answer."""

    worker_id: str
    host: str
    tokens: list[str]


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
    """Answers in the order of the tokens; heartbeats are due every `heartbeat_s`."""

    starts: list[Start]
    heartbeat_s: float
    orphan_after_s: float


@attrs.frozen
class Heartbeat:
    """These attempts live."""

    worker_id: str
    tokens: list[str]


@attrs.frozen
class HeartbeatAnswer:
    """`end`: attempts that were given up or cancelled: end their commands."""

    end: list[str]


@attrs.frozen
class FinishReport:
    """How one attempt ended. `reason` None is success; `result` is JSON text; tails are at most 10 kB."""

    token: str
    reason: Reason | None = None
    exit_status: int | None = None
    signal: int | None = None
    detail: str | None = None
    result: str | None = None
    stdout_tail: str | None = None
    stderr_tail: str | None = None
    usage: dict[str, float] = attrs.field(factory=dict)


@attrs.frozen
class FinishAttempts:
    """Report ends. A report is repeated until it is answered."""

    worker_id: str
    reports: list[FinishReport]


@attrs.frozen
class GiveBackAttempts:
    """Attempts whose start was won and whose command was not started and will not be."""

    worker_id: str
    tokens: list[str]
    why: str


@attrs.frozen
class ReportsRecorded:
    """`superseded`: attempts that had been given up, so that the report changed nothing."""

    superseded: list[str]
