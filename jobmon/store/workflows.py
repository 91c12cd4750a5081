"""Workflows, their runs, and what is counted over their jobs, as rows."""

from typing import Any

import attrs
import msgspec
import sqlalchemy as sa

from jobmon.processes import ProcessIdentity
from jobmon.states.names import JobState, RunState
from jobmon.states.runs import WorkflowRun
from jobmon.store.connection import Connection
from jobmon.store.schema import job, job_spec, workflow, workflow_run
from jobmon.wire.runs import RunContext


@attrs.frozen
class StoredWorkflow:
    """A workflow as it was made."""

    id: int
    name: str
    workflow_args: str | None
    n_jobs: int
    first_job_id: int
    created_at: int  #: microseconds since 1970
    seq: int = 0  #: the sequence number of its newest change


@attrs.frozen
class StoredRun:
    """A run with its client and the context that its jobs share, which are decoded only where they are wanted."""

    run: WorkflowRun
    number: int
    client_json: str
    context_json: str

    @property
    def client(self) -> ProcessIdentity:
        """The process that the run belongs to."""
        return msgspec.json.decode(self.client_json, type=ProcessIdentity)

    @property
    def context(self) -> RunContext:
        """Where its jobs were submitted from, and with which environment."""
        return msgspec.json.decode(self.context_json, type=RunContext)


WORKFLOW = sa.select(
    workflow.c.id,
    workflow.c.name,
    workflow.c.workflow_args,
    workflow.c.n_jobs,
    workflow.c.first_job_id,
    workflow.c.created_at,
    workflow.c.seq,
)
_RUN = sa.select(
    workflow_run.c.id,
    workflow_run.c.workflow_id,
    workflow_run.c.state,
    workflow_run.c.version,
    workflow_run.c.number,
    workflow_run.c.client,
    workflow_run.c.context,
)
# A statement is made once: to write its SQL takes longer than to run it.
_WORKFLOW_BY_ID = WORKFLOW.where(workflow.c.id == sa.bindparam("workflow_id"))
_LAST_RUN = (
    _RUN.where(workflow_run.c.workflow_id == sa.bindparam("workflow_id"))
    .order_by(workflow_run.c.number.desc())
    .limit(1)
)
_RUN_BY_ID = _RUN.where(workflow_run.c.id == sa.bindparam("run_id"))

_queued = (
    job.c.workflow_id == sa.bindparam("workflow_id"),
    job.c.state == sa.literal_column(f"'{JobState.QUEUED_FOR_INSTANTIATION}'"),
)
# From each executor straight to the next one in the index: however many jobs are queued, a few steps.
_first = sa.select(sa.func.min(job.c.executor).label("executor")).where(*_queued).cte("found", recursive=True)
_next = sa.select(sa.func.min(job.c.executor)).where(*_queued, job.c.executor > _first.c.executor).scalar_subquery()
_steps = _first.union_all(sa.select(_next).where(_first.c.executor.is_not(None)))
_QUEUED_EXECUTORS = sa.select(_steps.c.executor).where(_steps.c.executor.is_not(None))


def find(connection: Connection, name: str, workflow_args: str) -> StoredWorkflow | None:
    """The workflow of that name and arguments."""
    where = (workflow.c.name == name, workflow.c.workflow_args == workflow_args)
    row = connection.execute(WORKFLOW.where(*where)).first()
    return None if row is None else StoredWorkflow(*row)


def get(connection: Connection, workflow_id: int) -> StoredWorkflow | None:
    """The workflow of that id."""
    row = connection.execute(_WORKFLOW_BY_ID, {"workflow_id": workflow_id}).first()
    return None if row is None else StoredWorkflow(*row)


def create(connection: Connection, name: str, workflow_args: str | None, n_jobs: int, at: int) -> StoredWorkflow:
    """Make a workflow and set aside a block of job ids for it."""
    blocks = sa.select(sa.func.coalesce(sa.func.max(workflow.c.first_job_id + workflow.c.n_jobs), 1))
    first = int(connection.execute(blocks).scalar_one())
    values = {
        "name": name, "workflow_args": workflow_args, "n_jobs": n_jobs, "first_job_id": first, "created_at": at,
    }  # fmt: skip
    inserted = connection.execute(sa.insert(workflow).values(values).returning(workflow.c.id)).scalar_one()
    return StoredWorkflow(int(inserted), name, workflow_args, n_jobs, first, at)


def stored_run(row: Any) -> StoredRun:
    """A row of the columns above as a run."""
    return StoredRun(
        WorkflowRun(row[0], row[1], RunState(row[2]), row[3]),
        row[4],
        row[5],
        row[6],
    )


def get_run(connection: Connection, run_id: int) -> StoredRun | None:
    """The run of that id."""
    row = connection.execute(_RUN_BY_ID, {"run_id": run_id}).first()
    return None if row is None else stored_run(row)


def last_run(connection: Connection, workflow_id: int) -> StoredRun | None:
    """The newest run of a workflow."""
    row = connection.execute(_LAST_RUN, {"workflow_id": workflow_id}).first()
    return None if row is None else stored_run(row)


def insert_run(
    connection: Connection, workflow_id: int, number: int, client: ProcessIdentity, context: RunContext, at: int
) -> WorkflowRun:
    """Store a new run in REGISTERED."""
    values = {
        "workflow_id": workflow_id,
        "number": number,
        "state": str(RunState.REGISTERED),
        "version": 0,
        "client": msgspec.json.encode(client).decode(),
        "context": msgspec.json.encode(context).decode(),
        "created_at": at,
    }
    run_id = connection.execute(sa.insert(workflow_run).values(values).returning(workflow_run.c.id)).scalar_one()
    return WorkflowRun(int(run_id), workflow_id)


def save_run(connection: Connection, run: WorkflowRun) -> None:
    """Store a changed run."""
    connection.execute(
        sa.update(workflow_run)
        .where(workflow_run.c.id == run.id, workflow_run.c.version == run.version - 1)
        .values(state=str(run.state), version=run.version)
    )


def count_bound(connection: Connection, workflow_id: int) -> int:
    """How many jobs of a workflow are bound."""
    query = sa.select(sa.func.count()).select_from(job_spec).where(job_spec.c.workflow_id == workflow_id)
    return int(connection.execute(query).scalar_one())


def count_by_state(connection: Connection, workflow_id: int) -> dict[tuple[str, str], int]:
    """How many jobs there are by executor and state."""
    found = workflow_block(connection, workflow_id)
    rows = connection.execute(
        sa.select(job.c.executor, job.c.state, sa.func.count()).where(found).group_by(job.c.executor, job.c.state)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def workflow_block(connection: Connection, workflow_id: int) -> sa.ColumnElement[bool]:
    """The condition that a job is of the workflow: its ids are one block, so that no index is needed."""
    found = get(connection, workflow_id)
    if found is None:
        return sa.false()
    return job.c.id.between(found.first_job_id, found.first_job_id + found.n_jobs - 1)


def queued_executors(connection: Connection, workflow_id: int) -> list[str]:
    """The executors that jobs of the workflow are queued for."""
    return [row[0] for row in connection.execute(_QUEUED_EXECUTORS, {"workflow_id": workflow_id})]
