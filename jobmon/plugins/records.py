"""The records that pass between the host and an executor: frozen, and made by keyword or in the order shown."""

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import attrs
import msgspec

from jobmon.plugins.resources import Resources
from jobmon.states.reasons import Reason
from jobmon.wire.decoding import Undecodable
from jobmon.wire.jobs import Call, Command

#: From SIGTERM to SIGKILL, for a payload whose end is asked for, in seconds.
PAYLOAD_GRACE_S = 10.0


@attrs.frozen
class SubmitRequest:
    """One attempt to place on the platform.

    An executor with `reporting = WORKER` makes the platform run `worker_argv` and looks no further. One with
    `reporting = PLATFORM` runs `command` or `call` itself, with `environment` set, in the folder `cwd`, the output in
    the files `stdout` and `stderr`: best by running `context.payload_argv()` with `payload()` as standard input.
    """

    token: str  #: names the attempt; must stand at the start of its name at the platform
    job_name: str  #: the token and the cleaned name of the task: letters, digits, `_`, `.` and `-`, at most 100
    task_name: str  #: as the user wrote it; never put it on a command line
    resources: Resources
    worker_argv: tuple[str, ...] = ()  #: what the platform is to run, where workers report
    command: Command | None = None  #: what is to be run, where the platform alone reports: this or `call`
    call: Call | None = None
    environment: Mapping[str, str] = MappingProxyType({})  #: to be set in addition to the platform's
    cwd: str = ""  #: the folder to run it in
    stdout: str = ""  #: the file that its standard output goes to
    stderr: str = ""  #: the file that its standard error goes to

    def payload(self) -> str:
        """What `context.payload_argv()` reads: what to run, where, and how, in one line of ASCII. Never to be shown."""
        work = {
            "env": dict(self.environment),
            "cwd": self.cwd,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "command": None if self.command is None else msgspec.structs.asdict(self.command),
            "call": None if self.call is None else attrs.asdict(self.call),
        }
        return json.dumps({"token": self.token, "work": work, "grace_s": PAYLOAD_GRACE_S})


@attrs.frozen
class ArrayRequest:
    """Several attempts to place by one submission, an array. All of them ask for the same resources.

    The platform runs `worker_argv` once for each member, with one more argument: the member's index, from 1 on, in
    decimal digits. What it then has is exactly these members, whatever becomes of each.
    """

    token: str  #: names the submission; must stand at the start of its name at the platform
    job_name: str  #: the token and the cleaned name of the first task, as for a single attempt
    resources: Resources
    worker_argv: tuple[str, ...]
    members: tuple[str, ...]  #: the tokens of the attempts, in the order of their indexes


@attrs.frozen
class Submission:
    """An attempt as it was, or may have been, given to the platform: `job_name` is the name that it has there."""

    token: str
    job_name: str
    submitted_at: datetime  #: aware, UTC
    index: int | None = None  #: in an array: its place there, from 1 on; the array's token begins `job_name`


@attrs.frozen
class Submitted:
    """An attempt that the platform is believed to have."""

    executor_job_id: str  #: the platform's id, as Accepted or Found gave it
    token: str
    job_name: str  #: the name that it has at the platform
    submitted_at: datetime  #: aware, UTC
    index: int | None = None  #: in an array: its place there, from 1 on; the array's token begins `job_name`


# What came of a submission.


@attrs.frozen
class Accepted:
    """The platform has it, under this id."""

    executor_job_id: str


@attrs.frozen
class Rejected:
    """The platform refuses it for good: trying again cannot help."""

    why: str


@attrs.frozen
class Deferred:
    """The platform does not take it now and does not have it. It may be tried again after `retry_after_s`."""

    why: str
    retry_after_s: float = 5.0


@attrs.frozen
class Uncertain:
    """It cannot be told whether the platform has it. `find` will be asked; it is never simply sent again."""

    why: str


Outcome = Accepted | Rejected | Deferred | Uncertain


# What the platform says of an attempt that it was given.


@attrs.frozen
class Pending:
    """It has not begun; `why` is the platform's own reason, shown to the user."""

    why: str = ""


@attrs.frozen
class Running:
    """It runs."""


@attrs.frozen
class Exited:
    """It ended: `reason` None is success. `detail` is the raw native evidence, kept as text.

    `usage` may hold `wall_s`, `cpu_s` and `max_rss_bytes`. The rest is for executors that run the payload themselves:
    `result` is the JSON text that a call returned, tails are the last 10 kB of the output. `ending` makes all of it.
    """

    status: int | None = None
    reason: Reason | None = None
    usage: Mapping[str, float] = MappingProxyType({})
    detail: str | None = None
    result: str | None = None
    signal: int | None = None
    host: str | None = None
    stdout_tail: str | None = None
    stderr_tail: str | None = None


@attrs.frozen
class Absent:
    """The platform answered *completely*, listing and accounting, and does not have it.

    An accounting that does not answer is waited for in Unknown, with a bound; then `why` says since when.
    """

    as_of: datetime
    why: str = ""


@attrs.frozen
class Unknown:
    """The platform says something that this executor does not understand, or did not answer for this one."""

    why: str


Observation = Pending | Running | Exited | Absent | Unknown


def ending(told: str) -> Exited:
    """The end that `context.payload_argv()` wrote to its standard output.

    Raises:
        ValueError: it wrote none, or not all of it: it was killed itself.
    """
    try:
        said = msgspec.json.decode(told, type=_Ending)
    except Undecodable as error:
        raise ValueError(f"the payload's runner told no end: {told[:200]!r}") from error
    return Exited(
        said.exit_status,
        said.reason,
        said.usage,
        said.detail,
        said.result,
        said.signal,
        said.host,
        said.stdout_tail,
        said.stderr_tail,
    )


@attrs.frozen
class _Ending:
    """What jobmon.worker.alone writes."""

    host: str
    reason: Reason | None
    exit_status: int | None
    signal: int | None
    detail: str | None
    usage: dict[str, float]
    stdout_tail: str | None
    stderr_tail: str | None
    result: str | None = None


# What `find` says of a token.


@attrs.frozen
class Found:
    """The platform has it, under this id."""

    executor_job_id: str


@attrs.frozen
class CannotTell:
    """The platform's answer was not complete."""

    why: str


Finding = Found | Absent | CannotTell


class Placement(StrEnum):
    """Where the workers of an executor run."""

    LOCAL = "local"  #: on the manager's host
    REMOTE = "remote"  #: on other hosts: the server must be reachable from there


class Support(StrEnum):
    """What an executor makes of one of the core's resources."""

    ENFORCED = "enforced"  #: the platform stops a task that takes more
    WORKER = "enforced by the worker"  #: the worker does: `runtime` only, where the platform has no limit of time
    BOOKED = "booked"  #: kept free for the task, not held to it
    IGNORED = "ignored"  #: accepted and said once to have no effect


class SchedulerUnavailable(Exception):
    """The platform does not answer. No job suffers, and the host calls again later.

    `submit` and `submit_array` do not raise it: they yield Deferred for what was certainly not sent, else Uncertain.
    Whatever is raised there, each request without an outcome is taken as Uncertain.
    """


class ArrayRefused(Exception):
    """The platform takes no array of this size, and has none of its members; smaller ones it may take.

    `limit` is the largest array that it takes; 1: none. The attempts are given again, in arrays of that size or singly.
    """

    def __init__(self, why: str, *, limit: int = 1) -> None:
        super().__init__(why)
        self.limit = limit
