"""Messages about tasks as the server keeps them: what to run, and how it stands."""

from typing import Any

import attrs
import msgspec

from jobmon.states.names import JobState
from jobmon.states.reasons import Reason
from jobmon.wire.bounds import Id, Ids, MaxAttempts, Name, Place, Places, Script, Text, Texts


class Command(msgspec.Struct, frozen=True, gc=False):
    """A shell command (`shell`: one string for `bash -c`) or a program with its arguments (`argv`); one of the two."""

    shell: Script | None = None
    argv: Texts | None = None


@attrs.frozen
class Call:
    """A Python call by reference, with JSON arguments.

    Where an argument anywhere in `args` or `kwargs` is `{"$output": job_id}`, the server puts that job's result there
    before a worker sees it. A tuple stands as `{"$tuple": [...]}`, there and in a result.
    """

    module: Place  #: importable name, or the path of a script that is loaded under another name
    function: Place  #: qualified name inside the module
    args: list[Any] = attrs.field(factory=list)
    kwargs: dict[str, Any] = attrs.field(factory=dict)
    is_path: bool = False  #: `module` is the path of a script
    import_paths: Places = attrs.field(factory=list)  #: first on `sys.path`; "" stands for the interpreter's own
    python: Place = "python3"  #: the interpreter to run it


class JobSpec(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One task as it is bound. Resources are JSON as the user wrote them, units and all.

    A Struct, like others of which a message has thousands: made in a tenth of the time, shorter, and left alone by the
    garbage collector.
    """

    job_id: Id
    name: Name
    executor: Name
    digest: Name  #: of name, payload and upstream names: what must not change between the runs of one workflow
    command: Command | None = None
    call: Call | None = None
    upstream: Ids = []
    resources: dict[str, Any] = {}
    env: dict[Name, Text] = {}
    cwd: Place | None = None
    max_attempts: MaxAttempts = 1
    tags: Texts = []
    needs_outputs: bool = False  #: some argument of the call is an upstream's output


@attrs.frozen
class BoundJob:
    """A job as it was bound and as it stands, for a client that resumes."""

    job_id: int
    name: str
    digest: str
    upstream: list[int]
    state: JobState


@attrs.frozen
class JobChange:
    """Jobs came to a state together. With a `reason`, an attempt of each failed on the way, whatever the state is now.

    States that it passed within one transaction are not told: a failed attempt that is followed by another one shows as
    QUEUED_FOR_INSTANTIATION with the reason of the failure.
    """

    job_ids: list[int]
    state: JobState
    attempt: int = 0
    reason: Reason | None = None
    detail: str | None = None


@attrs.frozen
class JobRow:
    """A job as `jobmon jobs` shows it. What follows `detail` is told if it was asked for, of the last attempt; instants
    are ISO 8601.
    """

    job_id: int
    name: str
    executor: str
    state: JobState
    attempts: int
    reason: Reason | None
    detail: str | None
    max_attempts: int | None = None
    tags: list[str] | None = None
    submitted_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    host: str | None = None
    usage: dict[str, float] | None = None


@attrs.frozen
class AttemptRow:
    """One attempt of a job, with what its worker reported. Output tails are at most 10 kB."""

    token: str
    attempt: int
    executor: str
    state: str
    executor_job_id: str | None
    reason: Reason | None
    exit_status: int | None
    signal: int | None
    detail: str | None
    host: str | None
    stdout_path: str
    stderr_path: str
    stdout_tail: str | None
    stderr_tail: str | None
    usage: dict[str, float]
    submitted_at: str
    started_at: str | None
    ended_at: str | None
