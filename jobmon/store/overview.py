"""What people ask about: how workflows stand and what became of their jobs, a page at a time and all of it in a few
statements, however many workflows there are."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from jobmon.states.names import JobState
from jobmon.states.reasons import Reason
from jobmon.store import bulk
from jobmon.store.connection import Connection
from jobmon.store.history import iso
from jobmon.store.schema import instance_report, job, job_instance, job_spec, workflow, workflow_run
from jobmon.store.workflows import WORKFLOW, StoredRun, StoredWorkflow, stored_run, workflow_block
from jobmon.wire.jobs import JobRow

_NEWEST_RUNS = (
    sa.select(workflow_run.c.workflow_id, sa.func.max(workflow_run.c.number))
    .where(bulk.among(workflow_run.c.workflow_id))
    .group_by(workflow_run.c.workflow_id)
)
_LAST_RUNS = sa.select(
    workflow_run.c.id,
    workflow_run.c.workflow_id,
    workflow_run.c.state,
    workflow_run.c.version,
    workflow_run.c.number,
    workflow_run.c.client,
    sa.literal_column("''"),  # the context is large, and nobody asks for it here
).where(sa.tuple_(workflow_run.c.workflow_id, workflow_run.c.number).in_(_NEWEST_RUNS))
_COUNTS = (
    sa.select(workflow.c.id, job.c.executor, job.c.state, sa.func.count())
    .select_from(workflow)
    .join(job, job.c.id.between(workflow.c.first_job_id, workflow.c.first_job_id + workflow.c.n_jobs - 1))
    .where(bulk.among(workflow.c.id))
    .group_by(workflow.c.id, job.c.executor, job.c.state)
)
_JOBS = (
    sa.select(
        job.c.id,
        job_spec.c.name,
        job.c.executor,
        job.c.state,
        job.c.attempts,
        job_instance.c.reason,
        job_instance.c.detail,
    )
    .join(job_spec, job_spec.c.job_id == job.c.id)
    .outerjoin(job_instance, sa.and_(job_instance.c.job_id == job.c.id, job_instance.c.attempt == job.c.attempts))
    .order_by(job.c.id)
)
_DETAILED_JOBS = _JOBS.outerjoin(instance_report, instance_report.c.token == job_instance.c.token).add_columns(
    job.c.max_attempts,
    sa.func.json_extract(job_spec.c.payload, "$.tags"),
    job_instance.c.submitted_at,
    job_instance.c.started_at,
    job_instance.c.ended_at,
    instance_report.c.host,
    instance_report.c.usage,
)
_MOST = 5000  # rows of one answer, whatever is asked for


def newest(connection: Connection, name: str | None, before: int | None, limit: int) -> list[StoredWorkflow]:
    """Workflows with ids below `before`, newest first."""
    query = WORKFLOW if name is None else WORKFLOW.where(workflow.c.name == name)
    query = query if before is None else query.where(workflow.c.id < before)
    return [
        StoredWorkflow(*row) for row in connection.execute(query.order_by(workflow.c.id.desc()).limit(_page(limit)))
    ]


def last_runs(connection: Connection, workflow_ids: Iterable[int]) -> dict[int, StoredRun]:
    """The newest run of each workflow that has one, without its context."""
    found = map(stored_run, connection.execute(_LAST_RUNS, bulk.keys(workflow_ids)))
    return {one.run.workflow_id: one for one in found}


def counts(connection: Connection, workflow_ids: Iterable[int]) -> dict[int, dict[str, dict[str, int]]]:
    """How many jobs there are, by workflow, executor and state."""
    found: dict[int, dict[str, dict[str, int]]] = defaultdict(dict)
    for workflow_id, executor, state, number in connection.execute(_COUNTS, bulk.keys(workflow_ids)):
        found[workflow_id].setdefault(executor, {})[state] = number
    return found


def job_rows(
    connection: Connection,
    workflow_id: int,
    *,
    states: Sequence[JobState] = (),
    name: str | None = None,
    after: int = 0,
    limit: int,
    detailed: bool = False,
) -> list[JobRow]:
    """Jobs of a workflow with ids above `after`, in `states` if any are given, with what the last attempt came to."""
    query = (_DETAILED_JOBS if detailed else _JOBS).limit(_page(limit))
    query = query.where(workflow_block(connection, workflow_id), job.c.id > after)
    if states:
        query = query.where(job.c.state.in_([str(state) for state in states]))
    if name is not None:
        query = query.where(job_spec.c.workflow_id == workflow_id, job_spec.c.name == name)
    return [_job_row(row) for row in connection.execute(query)]


def _job_row(row: Sequence[Any]) -> JobRow:
    job_id, name, executor, state, attempts, reason, detail, *more = row
    plain = (job_id, name, executor, JobState(state), attempts, Reason(reason) if reason else None, detail)
    if not more:
        return JobRow(*plain)
    max_attempts, tags, submitted_at, started_at, ended_at, host, usage = more
    return JobRow(
        *plain,
        max_attempts=max_attempts,
        tags=msgspec.json.decode(tags, type=list[str]) if tags else [],
        submitted_at=time_of(submitted_at),
        started_at=time_of(started_at),
        ended_at=time_of(ended_at),
        host=host,
        usage=msgspec.json.decode(usage, type=dict[str, float]) if usage else {},
    )


def _page(limit: int) -> int:
    return max(0, min(limit, _MOST))


def time_of(at: int | None) -> str | None:
    """ISO 8601 of an instant in microseconds since 1970, if there is one."""
    return None if at is None else iso(at)
