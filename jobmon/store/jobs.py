"""Jobs and what they run, as rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa

from jobmon.errors import StoreError
from jobmon.states.jobs import Job
from jobmon.states.names import JobState
from jobmon.store import bulk
from jobmon.store.connection import Connection
from jobmon.store.schema import job, job_result, job_spec
from jobmon.wire.jobs import BoundJob, Call, Command, JobSpec

_STATES = {state.value: state for state in JobState}
_COUNTERS = ("attempts", "charged", "uncharged", "unbegun")
_SELECT = sa.select(
    job.c.id,
    job.c.workflow_id,
    job.c.executor,
    job.c.state,
    job.c.max_attempts,
    job.c.attempts,
    job.c.charged,
    job.c.uncharged,
    job.c.unbegun,
    job.c.cancel_requested,
    job.c.version,
)
_LOAD = _SELECT.where(bulk.among(job.c.id))
_CLAIMABLE = (
    sa.select(job.c.id)
    .where(
        job.c.workflow_id == sa.bindparam("workflow_id"),
        job.c.executor == sa.bindparam("executor"),
        job.c.state == sa.literal_column(f"'{JobState.QUEUED_FOR_INSTANTIATION}'"),
    )
    .order_by(job.c.id)
    .limit(sa.bindparam("n"))
)
_INSERT = bulk.InsertAlike(
    job, ("id",), ("workflow_id", "executor", "state", "max_attempts", *_COUNTERS, "cancel_requested", "version")
)
_UNTOUCHED = (0, 0, 0, 0, False, 0)  #: the counters, cancel_requested and version of a new job
_UPDATE = bulk.UpdateAlike(job, ("state", *_COUNTERS, "cancel_requested", "version"))
_SPEC_COLUMNS = ("job_id", "workflow_id", "name", "digest", "upstream", "resources", "payload")
_INSERT_SPECS = bulk.Insert(job_spec, _SPEC_COLUMNS)
_REBIND = bulk.Update(
    job, ("id",), ("executor", "max_attempts"), only_where="state NOT IN ('INSTANTIATED', 'RUNNING', 'DONE')"
)
_REBIND_SPECS = bulk.Update(job_spec, ("job_id",), ("resources", "payload"))
_EXISTING = sa.select(job_spec.c.job_id, job_spec.c.digest).where(bulk.among(job_spec.c.job_id))
_PAYLOADS = sa.select(job_spec.c.job_id, job_spec.c.name, job_spec.c.resources, job_spec.c.payload).where(
    bulk.among(job_spec.c.job_id)
)
_RESULTS = sa.select(job_result.c.job_id, job_result.c.value).where(bulk.among(job_result.c.job_id))
_SAVE_RESULTS = bulk.Insert(job_result, ("job_id", "value"), ignore=True)


class Payload(msgspec.Struct, omit_defaults=True):
    """What a job runs, as it is stored."""

    command: Command | None = None
    call: Call | None = None
    env: dict[str, str] = {}
    cwd: str | None = None
    tags: list[str] = []
    needs_outputs: bool = False


class StoredJob(msgspec.Struct):
    """A job's specification, read back."""

    name: str
    resources: dict[str, Any]
    payload: Payload


_payload_decoder = msgspec.json.Decoder(Payload)


def _record(row: Any) -> Job:
    return Job(row[0], row[1], row[2], _STATES[row[3]], row[4], row[5], row[6], row[7], row[8], bool(row[9]), row[10])


def load(connection: Connection, ids: Iterable[int]) -> dict[int, Job]:
    """The jobs of these ids, by id."""
    return {row[0]: _record(row) for row in connection.execute(_LOAD, bulk.keys(ids))}


def claimable(connection: Connection, workflow_id: int, executor: str, limit: int) -> list[int]:
    """The ids of queued jobs of an executor, oldest first."""
    rows = connection.execute(_CLAIMABLE, {"workflow_id": workflow_id, "executor": executor, "n": limit})
    return [row[0] for row in rows]


def in_states(connection: Connection, first: int, n: int, states: Sequence[JobState]) -> list[Job]:
    """Jobs with ids from `first` on, `n` of them, that are in one of the states."""
    names = [str(state) for state in states]
    rows = connection.execute(_SELECT.where(job.c.id.between(first, first + n - 1), job.c.state.in_(names)))
    return [_record(row) for row in rows]


def save(connection: Connection, changes: Iterable[tuple[Job, Job, Sequence[int]]]) -> None:
    """Store changed jobs: groups of ids, with how all of a group were read and how they are now (ids aside).

    Raises:
        StoreError: one was changed meanwhile, which the single writer rules out.
    """
    groups: dict[tuple[int, tuple[object, ...]], list[int]] = defaultdict(list)
    for old, new, ids in changes:
        counters = (new.attempts, new.charged, new.uncharged, new.unbegun, new.cancel_requested)
        groups[old.version, (new.state, *counters, new.version)] += ids
    for (version, values), ids in groups.items():
        if _UPDATE.execute(connection, values, version, ids) != len(ids):
            raise StoreError("a job was changed by somebody else between reading and writing it")


def insert(connection: Connection, workflow_id: int, specs: Sequence[JobSpec]) -> list[tuple[Job, list[int]]]:
    """Store new jobs in REGISTERED; the records in groups that are alike but for their ids."""
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    for s in specs:
        groups[s.executor, s.max_attempts].append(s.job_id)
    for (executor, max_attempts), ids in groups.items():
        shared = (workflow_id, executor, JobState.REGISTERED, max_attempts, *_UNTOUCHED)
        _INSERT.execute(connection, shared, [(job_id,) for job_id in ids])
    _INSERT_SPECS.execute(
        connection,
        [
            (s.job_id, workflow_id, s.name, s.digest, _json(s.upstream), _json(s.resources), _payload_json(s))
            for s in specs
        ],
    )
    return [(Job(0, workflow_id, executor, max_attempts=n), ids) for (executor, n), ids in groups.items()]


def rebind(connection: Connection, specs: Sequence[JobSpec]) -> None:
    """Give bound jobs that are not live or done the executor, resources and environment of a new run."""
    _REBIND.execute(connection, [(s.job_id, s.executor, s.max_attempts) for s in specs])
    _REBIND_SPECS.execute(connection, [(s.job_id, _json(s.resources), _payload_json(s)) for s in specs])


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _payload_json(spec: JobSpec) -> str:
    payload = Payload(spec.command, spec.call, spec.env, spec.cwd, spec.tags, spec.needs_outputs)
    return _json(payload)


def digests(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """The digests of those of the jobs that are bound."""
    return {row[0]: row[1] for row in connection.execute(_EXISTING, bulk.keys(ids))}


def specifications(connection: Connection, ids: Iterable[int]) -> dict[int, StoredJob]:
    """What the jobs run, by id."""
    # Many jobs say the same in the same words.
    resources, payload = cache(msgspec.json.decode), cache(_payload_decoder.decode)
    return {
        row[0]: StoredJob(row[1], resources(row[2]), payload(row[3]))
        for row in connection.execute(_PAYLOADS, bulk.keys(ids))
    }


def results(connection: Connection, ids: Iterable[int]) -> dict[int, str]:
    """The JSON text of the results that there are, by job id."""
    return {row[0]: row[1] for row in connection.execute(_RESULTS, bulk.keys(ids))}


def save_results(connection: Connection, values: Sequence[tuple[int, str]]) -> None:
    """Store results; the first one of a job stays."""
    _SAVE_RESULTS.execute(connection, values)


def bound(connection: Connection, workflow_id: int, after: int, limit: int) -> list[BoundJob]:
    """Jobs of a workflow as they were bound and as they stand, by id."""
    rows = connection.execute(
        sa.select(job.c.id, job_spec.c.name, job_spec.c.digest, job_spec.c.upstream, job.c.state)
        .join(job_spec, job_spec.c.job_id == job.c.id)
        .where(job.c.workflow_id == workflow_id, job.c.id > after)
        .order_by(job.c.id)
        .limit(limit)
    )
    return [BoundJob(row[0], row[1], row[2], msgspec.json.decode(row[3]), _STATES[row[4]]) for row in rows]
