"""Messages of the client: opening a run, binding and queueing jobs, hearing of changes, ending the run."""

from typing import Annotated, Literal

import attrs
from msgspec import Meta

from jobmon.processes import ProcessIdentity
from jobmon.states.names import JobState, RunState
from jobmon.wire.bounds import Cursor, Id, Ids, Limit, Name, News, NJobs, Place, Seconds, Text, Token
from jobmon.wire.jobs import AttemptRow, BoundJob, JobChange, JobRow, JobSpec
from jobmon.wire.problems import Problem


@attrs.frozen
class RunContext:
    """What every job of a run shares: where it was submitted from, and with which environment."""

    cwd: Place
    environment: dict[Name, Text]
    log_folder: Place


@attrs.frozen
class OpenRun:
    """Open a run of a workflow, which is made when there is none of that name and `workflow_args`.

    `workflow_args` None always makes a fresh workflow. `gone_run` names an active run whose client the sender has seen
    to be dead; `take_over` ends any other active run. A client inside an attempt names its token, and those of its
    executors that are exclusive: to wait for one that the attempt itself holds would never end.
    """

    name: Name
    workflow_args: Text | None
    n_jobs: NJobs
    context: RunContext
    client: ProcessIdentity
    resume: bool = False
    take_over: bool = False
    gone_run: Id | None = None
    inside: Token | None = None
    exclusive: Annotated[list[Name], Meta(max_length=10_000)] = attrs.field(factory=list)


@attrs.frozen
class RunOpened:
    """The run is REGISTERED. Job ids `first_job_id` to `first_job_id + n_jobs - 1` are the workflow's."""

    workflow_id: int
    run_id: int
    run_number: int
    first_job_id: int
    n_bound: int


@attrs.frozen
class BindJobs:
    """Bind jobs to the workflow of the run; a job that is bound already takes the new executor and resources."""

    run_id: Id
    jobs: Annotated[list[JobSpec], Meta(max_length=100_000)]


@attrs.frozen
class BeginRun:
    """All jobs are bound: the run goes to RUNNING, and failed and cancelled jobs back to REGISTERED."""

    run_id: Id


@attrs.frozen
class QueueJobs:
    """The upstream jobs of these are done: queue them."""

    run_id: Id
    job_ids: Ids


@attrs.frozen
class StopRun:
    """End the run politely: no job is queued any more, live attempts are cancelled."""

    run_id: Id


@attrs.frozen
class FinishRun:
    """No job is ready, live or adjusting: end the run."""

    run_id: Id


@attrs.frozen
class RunStanding:
    """How the run stands after a request."""

    state: RunState
    refused: list[Problem] = attrs.field(factory=list)  #: elements that were refused, each by itself


@attrs.frozen
class ReadBoundJobs:
    """The jobs of a workflow with ids above `after`, at most `limit`."""

    workflow_id: Id
    after: Id = 0
    limit: Limit = 5000


@attrs.frozen
class BoundJobs:
    """A page of jobs; `seq` is the workflow's change sequence number when it was read."""

    seq: int
    jobs: list[BoundJob]


@attrs.frozen
class ReadChanges:
    """Changes of jobs after `since`. Waits up to `wait_s` for one. Renews the run's lease."""

    run_id: Id
    workflow_id: Id
    since: Cursor
    database_id: Name
    wait_s: Seconds = 0.0
    limit: News = 5000


@attrs.frozen
class Changes:
    """Changes in order. With `reset` the cursor is unknown here: read all jobs again."""

    seq: int
    jobs: list[JobChange]
    run_state: RunState
    unserved: list[str] = attrs.field(factory=list)  #: executors with queued jobs that no live manager serves
    notes: list[str] = attrs.field(factory=list)  #: what managers say is waiting and why, a sentence each
    reset: bool = False


@attrs.frozen
class ReadWorkflows:
    """The newest workflows, of one name when it is given, with ids below `before` when that is given."""

    name: Name | None = None
    limit: Limit = 50
    before: Id | None = None


@attrs.frozen
class ReadWorkflow:
    """One workflow, whole."""

    workflow_id: Id


@attrs.frozen
class ExecutorCounts:
    """How many jobs of one executor are in each state."""

    executor: str
    type: str | None
    served: bool
    states: dict[str, int]


@attrs.frozen
class WorkflowStatus:
    """A workflow and its newest run.

    `client`, of a run that is not over: its client is alive, has not been heard of for the length of its lease
    ("silent"), or its process is known to be dead ("gone").
    """

    workflow_id: int
    name: str
    workflow_args: str | None
    run_number: int
    run_state: RunState
    created_at: str
    executors: list[ExecutorCounts]
    notes: list[str] = attrs.field(factory=list)
    client: Literal["alive", "silent", "gone"] | None = None


@attrs.frozen
class WorkflowStatuses:
    """Several workflows."""

    workflows: list[WorkflowStatus]


@attrs.frozen
class ReadJobs:
    """Jobs of a workflow after an id, all or those in one of the `states` or of `name`; `detailed`: all of a row."""

    workflow_id: Id
    states: Annotated[list[JobState], Meta(max_length=len(JobState))] = attrs.field(factory=list)
    name: Name | None = None
    after: Id = 0
    limit: Limit = 1000
    detailed: bool = False


@attrs.frozen
class JobRows:
    """A page of jobs."""

    jobs: list[JobRow]


@attrs.frozen
class ReadAttempts:
    """The attempts of one job."""

    job_id: Id


@attrs.frozen
class Attempts:
    """Attempts of a job, the first one first."""

    attempts: list[AttemptRow]


@attrs.frozen
class ReadResult:
    """The result of a job that is done."""

    job_id: Id


@attrs.frozen
class Result:
    """The JSON text of a result; None for a shell command."""

    value: str | None


@attrs.frozen
class ReadHistory:
    """The history of a workflow after `since`: every state change, in order."""

    workflow_id: Id
    since: Id = 0
    job_id: Id | None = None
    limit: Limit = 5000


@attrs.frozen
class HistoryRow:
    """What happened to one record in one transaction: its events, and every state that it went through.

    An event in brackets came late and changed nothing.
    """

    seq: int
    kind: str
    entity_id: int
    events: list[str]
    from_state: str
    via: list[str]
    to_state: str
    at: str
    detail: str | None


@attrs.frozen
class History:
    """A page of history."""

    rows: list[HistoryRow]
