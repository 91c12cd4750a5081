"""Messages of a manager: its leases, the jobs it claims, what its platforms answer."""

from enum import StrEnum
from typing import Annotated, Any

import attrs
import msgspec
from msgspec import Meta

from jobmon.processes import ProcessIdentity
from jobmon.states.evidence import Reporting, Sighting
from jobmon.states.names import InstanceState
from jobmon.states.reasons import Reason
from jobmon.wire.bounds import Cursor, Id, Limit, Name, News, Seconds, Status, Tail, Text, Token, Usage
from jobmon.wire.jobs import Call, Command
from jobmon.wire.problems import Problem


@attrs.frozen
class ExecutorRegistration:
    """What a manager tells of an executor that it serves, so that a client without the plugin can check its tasks."""

    type: Name
    distribution: Name
    version: Name
    api_version: Annotated[list[Id], Meta(max_length=10)]
    exclusive: bool
    reporting: Reporting
    resources: dict[Name, Text] = attrs.field(factory=dict)  #: a task's own keys under `type`, and their types
    required: Annotated[list[Name], Meta(max_length=10_000)] = attrs.field(
        factory=list
    )  #: those of them that must be given
    core_resources: dict[Name, Text] = attrs.field(factory=dict)  #: what it makes of the core's resources


@attrs.frozen
class ServeExecutors:
    """A standing manager lives, and serves these executors, by name, for every workflow."""

    manager: ProcessIdentity
    executors: dict[Name, ExecutorRegistration]


@attrs.frozen
class Wanted:
    """A workflow has jobs for an executor that no live manager serves for it."""

    workflow_id: int
    executor: str


@attrs.frozen
class ExecutorsToServe:
    """`superseded` names executors that a newer standing manager serves."""

    ask_again_s: float
    wanted: list[Wanted]
    superseded: list[str]


@attrs.frozen
class ReadExecutors:
    """Which executors standing managers serve now."""


@attrs.frozen
class ServedExecutors:
    """The executors of live standing managers, by name."""

    executors: dict[str, ExecutorRegistration]


@attrs.frozen
class Lease:
    """The right to serve one executor of one workflow; `epoch` fences every write made with it."""

    workflow_id: Id
    executor: Name
    epoch: Id


@attrs.frozen
class AcquireLease:
    """Ask to serve an executor of a workflow, superseding whoever does, unless it is exclusive and in use."""

    workflow_id: Id
    executor: Name
    manager: ProcessIdentity
    registration: ExecutorRegistration


@attrs.frozen
class LeaseAnswer:
    """`lease` None: not now, and `why`."""

    lease: Lease | None
    renew_every_s: float
    why: str | None = None


@attrs.frozen
class RenewLeases:
    """The manager lives; `notes` say what is waiting and why, by executor, also of those whose lease it waits for."""

    workflow_id: Id
    leases: Annotated[list[Lease], Meta(max_length=10_000)]
    notes: dict[Name, Text] = attrs.field(factory=dict)


@attrs.frozen
class LeasesRenewed:
    """`superseded` names executors that somebody else serves now. `needed`: a run is active, or jobs are left."""

    superseded: list[str]
    needed: bool
    refused: list[Problem] = attrs.field(factory=list)  #: elements that were refused, each by itself


@attrs.frozen
class ReleaseLease:
    """The manager does not serve the executor any more."""

    lease: Lease


@attrs.frozen
class ClaimJobs:
    """Take up to `limit` queued jobs, waiting up to `wait_s` for the first: each gets an instance in SUBMITTING."""

    lease: Lease
    limit: Limit
    wait_s: Seconds = 0.0
    with_payload: bool = False  #: for executors that run the payload themselves
    with_credentials: bool = False  #: for workers that are not this user's agent
    array_limit: Id = 1  #: attempts that ask for the same resources are put into arrays of at most so many


@attrs.frozen
class ArrayPlace:
    """The place of an attempt in an array, committed with the exact membership before its platform is called.

    `token` names the submission at the platform, where it begins its `job_name`; indexes count from 1 without a gap.
    """

    token: str
    index: int
    job_name: str


class Claim(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One claimed job: an attempt, committed with its token before its platform is called."""

    token: str
    job_id: int
    name: str
    attempt: int
    resources: dict[str, Any]
    command: Command | None = None
    call: Call | None = None
    env: dict[str, str] = {}  #: its own, on top of what all share
    cwd: str | None = None  #: its own, in place of what all share
    credential: str | None = None
    array: ArrayPlace | None = None  #: None: it is submitted by itself


@attrs.frozen
class JobsClaimed:
    """The claimed jobs, oldest first, members of an array by index; none when the wait was in vain."""

    claims: list[Claim]
    env: dict[str, str] = attrs.field(factory=dict)  #: with the payloads: what the claimed jobs share
    cwd: str = ""
    log_folder: str = ""  #: where their output goes


class OutcomeKind(StrEnum):
    """What came of giving an attempt to its platform, or of looking for it there."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    NEVER_ACCEPTED = "never_accepted"
    REVOKED = "revoked"
    CANCEL_CONFIRMED = "cancel_confirmed"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The outcome of one submission. `why` is text for people; `executor_job_id` comes with ACCEPTED."""

    token: Token
    kind: OutcomeKind
    executor_job_id: Name | None = None
    why: Text = ""


@attrs.frozen
class RecordOutcomes:
    """Commit what came of submissions."""

    lease: Lease
    outcomes: Annotated[list[Outcome], Meta(max_length=100_000)]


class Observation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a platform says of one attempt. `result` is JSON text, where the platform is the only reporter."""

    token: Token
    sighting: Sighting
    reason: Reason | None = None
    exit_status: Status | None = None
    detail: Text | None = None
    usage: Usage = {}
    result: str | None = None
    executor_job_id: Name | None = None  #: pushed before Accepted was committed: the id that it has there
    output: Tail | None = None  #: the end of the platform's own output, where it is gone and no worker has reported
    signal: Status | None = None
    host: Name | None = None
    stdout_tail: Tail | None = None
    stderr_tail: Tail | None = None


@attrs.frozen
class RecordObservations:
    """Weigh what a platform says."""

    lease: Lease
    observations: Annotated[list[Observation], Meta(max_length=100_000)]


@attrs.frozen
class Recorded:
    """`ended`: those of the named attempts that are final now."""

    ended: list[str]
    refused: list[Problem] = attrs.field(factory=list)  #: elements that were refused, each by itself


@attrs.frozen
class ReadLiveInstances:
    """The attempts of one executor that are not final, with ids above `after`."""

    workflow_id: Id
    executor: Name
    after: Id = 0
    limit: Limit = 5000


@attrs.frozen
class LiveInstance:
    """An attempt that is not final. `name` is its task's, `submitted_at` in seconds since 1970, UTC."""

    id: int
    token: str
    name: str
    state: InstanceState
    executor_job_id: str | None
    submitted_at: float
    array: ArrayPlace | None = None


@attrs.frozen
class LiveInstances:
    """A page of attempts; `seq` is the workflow's change sequence number when it was read."""

    seq: int
    database_id: str
    instances: list[LiveInstance]


@attrs.frozen
class ReadInstanceChanges:
    """Attempts of one executor that became RUNNING, CANCELLING or final after `since`; waits up to `wait_s` for one.

    With `only_cancelling`, for executors whose manager tells all else itself, only those that became CANCELLING.
    """

    workflow_id: Id
    executor: Name
    since: Cursor
    database_id: Name
    wait_s: Seconds = 0.0
    limit: News = 5000
    only_cancelling: bool = False


@attrs.frozen
class InstanceChange:
    """Attempts came to a state together."""

    tokens: list[str]
    state: InstanceState


@attrs.frozen
class InstanceChanges:
    """Changes in order. With `reset` the cursor is unknown here: read the live instances again."""

    seq: int
    instances: list[InstanceChange]
    reset: bool = False
