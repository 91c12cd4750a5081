"""Job instances and their reports, as rows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from jobmon.errors import StoreError
from jobmon.states.instances import JobInstance
from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState
from jobmon.states.reasons import Reason
from jobmon.store import bulk
from jobmon.store.connection import Connection
from jobmon.store.schema import array_member, instance_report, job_instance, job_spec
from jobmon.wire.leases import ArrayPlace, LiveInstance
from jobmon.wire.workers import FinishReport

_STATES = {state.value: state for state in InstanceState}
_REASONS = {reason.value: reason for reason in Reason} | {None: None}
_t = job_instance.c
_SELECT = sa.select(
    _t.id,
    _t.job_id,
    _t.workflow_id,
    _t.executor,
    _t.attempt,
    _t.token,
    _t.state,
    _t.executor_job_id,
    _t.worker_id,
    _t.reason,
    _t.exit_status,
    _t.signal,
    _t.detail,
    _t.version,
)
# The very words of the partial indexes: SQLite uses such an index only for a query that says the same.
_IS_LIVE = sa.text(
    "state NOT IN (" + ", ".join(f"'{state}'" for state in sorted(map(str, FINAL_INSTANCE_STATES))) + ")"
)
_BY_TOKEN = _SELECT.where(bulk.among(_t.token))
_LIVE_OF_JOBS = _SELECT.where(bulk.among(_t.job_id), _IS_LIVE)
_INSERT = bulk.InsertAlike(
    job_instance,
    ("id", "job_id", "token"),
    ("workflow_id", "executor", "attempt", "state", "version", "submitted_at"),
)
_STATE_COLUMNS = ("state", "worker_id", "exit_status", "reason", "signal", "detail", "version")
_TIMES = ("started_at", "ended_at")
_UPDATE = bulk.UpdateAlike(job_instance, _STATE_COLUMNS, once=_TIMES)
_UPDATE_WITH_ID = bulk.UpdateAlikeBut(job_instance, _STATE_COLUMNS, own="executor_job_id", once=_TIMES)
_LAST_ID = sa.select(sa.func.coalesce(sa.func.max(_t.id), 0))
_INSERT_MEMBERS = bulk.Insert(array_member, ("token", "array_token", "array_index", "job_name"))
_REPORT_COLUMNS = ("token", "host", "usage", "stdout_tail", "stderr_tail")
_SAVE_REPORTS = bulk.Insert(instance_report, _REPORT_COLUMNS, ignore=True)


def _record(row: Any) -> JobInstance:
    return JobInstance(
        row[0], row[1], row[2], row[3], row[4], row[5], _STATES[row[6]],
        row[7], row[8], _REASONS[row[9]], row[10], row[11], row[12], row[13],
    )  # fmt: skip


def load(connection: Connection, tokens: Iterable[str]) -> dict[str, JobInstance]:
    """The instances of these tokens, by token."""
    return {row[5]: _record(row) for row in connection.execute(_BY_TOKEN, bulk.keys(tokens))}


def live_of_jobs(connection: Connection, job_ids: Iterable[int]) -> list[JobInstance]:
    """The live instances of these jobs; a job has at most one."""
    return [_record(row) for row in connection.execute(_LIVE_OF_JOBS, bulk.keys(job_ids))]


def of_executor(connection: Connection, workflow_id: int, executor: str, state: InstanceState) -> list[JobInstance]:
    """The live instances of an executor of a workflow that are in a state."""
    where = (_t.workflow_id == workflow_id, _t.executor == executor, _IS_LIVE, _t.state == str(state))
    return [_record(row) for row in connection.execute(_SELECT.where(*where))]


def count_live(connection: Connection, workflow_id: int | None = None, executor: str | None = None) -> int:
    """How many instances are live: of an executor of a workflow, of a workflow, or of all."""
    query = sa.select(sa.func.count()).select_from(job_instance).where(_IS_LIVE)
    if workflow_id is not None:
        query = query.where(_t.workflow_id == workflow_id)
    if executor is not None:
        query = query.where(_t.executor == executor)
    return int(connection.execute(query).scalar_one())


def last_id(connection: Connection) -> int:
    """The highest id in use."""
    return int(connection.execute(_LAST_ID).scalar_one())


def insert(connection: Connection, like: JobInstance, own: Sequence[tuple[int, int, str]], at: int) -> None:
    """Store new instances that are alike but for id, job and token; `at` is in microseconds since 1970."""
    shared = (like.workflow_id, like.executor, like.attempt, like.state, like.version, at)
    _INSERT.execute(connection, shared, own)


def insert_members(connection: Connection, places: Mapping[str, ArrayPlace]) -> None:
    """Store which attempts, by token, are submitted in which arrays."""
    rows = [(token, place.token, place.index, place.job_name) for token, place in places.items()]
    _INSERT_MEMBERS.execute(connection, rows)


def save(
    connection: Connection,
    changes: Iterable[tuple[JobInstance, JobInstance, Sequence[tuple[int, str | None]]]],
    at: int,
) -> None:
    """Store changed instances: groups of id and executor_job_id, with how a group was read and how it is now.

    In the two records ids and token are of no account, but for whether there is an executor_job_id. `at`, in
    microseconds since 1970, is when those that run now have started, and those that are final have ended.

    Raises:
        StoreError: one was changed meanwhile, which the single writer rules out.
    """
    groups: dict[tuple[int, bool, tuple[object, ...]], list[tuple[int, str | None]]] = defaultdict(list)
    for old, i, own in changes:
        values: tuple[object, ...] = (i.state, i.worker_id, i.exit_status, i.reason, i.signal, i.detail, i.version)
        values += (at if i.state is InstanceState.RUNNING else None, at if i.state in FINAL_INSTANCE_STATES else None)
        groups[old.version, i.executor_job_id == old.executor_job_id, values] += own
    for (version, same_id, values), own in groups.items():
        if same_id:
            found = _UPDATE.execute(connection, values, version, [each[0] for each in own])
        else:
            found = _UPDATE_WITH_ID.execute(connection, values, version, own)
        if found != len(own):
            raise StoreError("an instance was changed by somebody else between reading and writing it")


def save_reports(connection: Connection, host: str | None, reports: Sequence[FinishReport]) -> None:
    """Store output tails and usage; the first report of an attempt stays."""
    rows = [(r.token, host, msgspec.json.encode(r.usage).decode(), r.stdout_tail, r.stderr_tail) for r in reports]
    _SAVE_REPORTS.execute(connection, rows)


def live_page(connection: Connection, workflow_id: int, executor: str, after: int, limit: int) -> list[LiveInstance]:
    """Live instances of an executor with ids above `after`."""
    rows = connection.execute(
        sa.select(
            _t.id,
            _t.token,
            job_spec.c.name,
            _t.state,
            _t.executor_job_id,
            _t.submitted_at,
            array_member.c.array_token,
            array_member.c.array_index,
            array_member.c.job_name,
        )
        .join(job_spec, job_spec.c.job_id == _t.job_id)
        .outerjoin(array_member, array_member.c.token == _t.token)
        .where(_t.workflow_id == workflow_id, _t.executor == executor, _IS_LIVE, _t.id > after)
        .order_by(_t.id)
        .limit(limit)
    )
    return [
        LiveInstance(
            row[0], row[1], row[2], _STATES[row[3]], row[4], row[5] / 1e6, ArrayPlace(*row[6:]) if row[6] else None
        )
        for row in rows
    ]


def attempts_of(connection: Connection, job_id: int) -> list[tuple[JobInstance, tuple[Any, ...], Any]]:
    """All instances of a job, the first attempt first, with when each was submitted, started and ended, and the rows of
    their reports (None where there is none)."""
    r = instance_report.c
    rows = connection.execute(
        _SELECT.add_columns(_t.submitted_at, _t.started_at, _t.ended_at, r.host, r.usage, r.stdout_tail, r.stderr_tail)
        .outerjoin(instance_report, r.token == _t.token)
        .where(_t.job_id == job_id)
        .order_by(_t.attempt)
    ).all()
    return [(_record(row), row[14:17], row[17:] if row[18] is not None else None) for row in rows]
