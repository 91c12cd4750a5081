"""Managers' leases and the stored answers of requests, as rows."""

from collections.abc import Iterable
from typing import Any

import attrs
import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from jobmon.processes import ProcessIdentity
from jobmon.store import bulk
from jobmon.store.connection import Connection
from jobmon.store.schema import answer, lease
from jobmon.wire.leases import ExecutorRegistration


@attrs.frozen
class StoredLease:
    """Who serves an executor of a workflow; `epoch` grows with each new holder."""

    workflow_id: int
    executor: str
    epoch: int
    released: bool
    manager: ProcessIdentity
    registration: ExecutorRegistration


_SELECT = sa.select(
    lease.c.workflow_id, lease.c.executor, lease.c.epoch, lease.c.released, lease.c.manager, lease.c.registration
)
_ONE = _SELECT.where(lease.c.workflow_id == sa.bindparam("workflow_id"), lease.c.executor == sa.bindparam("executor"))
_OF_WORKFLOWS = _SELECT.where(bulk.among(lease.c.workflow_id))
_STORED_ANSWER = sa.select(answer.c.body).where(answer.c.key == sa.bindparam("key"))
_SAVE_ANSWER = sa.insert(answer)


def _stored(row: Any) -> StoredLease:
    return StoredLease(
        row[0],
        row[1],
        row[2],
        bool(row[3]),
        msgspec.json.decode(row[4], type=ProcessIdentity),
        msgspec.json.decode(row[5], type=ExecutorRegistration),
    )


def get(connection: Connection, workflow_id: int, executor: str) -> StoredLease | None:
    """The newest lease of an executor of a workflow."""
    row = connection.execute(_ONE, {"workflow_id": workflow_id, "executor": executor}).first()
    return None if row is None else _stored(row)


def of_workflows(connection: Connection, workflow_ids: Iterable[int]) -> dict[tuple[int, str], StoredLease]:
    """The newest lease of each executor that was ever served for one of the workflows, by workflow and executor."""
    found = map(_stored, connection.execute(_OF_WORKFLOWS, bulk.keys(workflow_ids)))
    return {(one.workflow_id, one.executor): one for one in found}


def of_executor(connection: Connection, executor: str) -> list[StoredLease]:
    """The newest leases of an executor's name over all workflows."""
    return [_stored(row) for row in connection.execute(_SELECT.where(lease.c.executor == executor))]


def save(connection: Connection, stored: StoredLease) -> None:
    """Store a lease in place of the one before."""
    values = {
        "workflow_id": stored.workflow_id,
        "executor": stored.executor,
        "epoch": stored.epoch,
        "released": stored.released,
        "manager": msgspec.json.encode(stored.manager).decode(),
        "registration": msgspec.json.encode(stored.registration).decode(),
    }
    statement = insert(lease).values(values)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["workflow_id", "executor"],
            set_={name: statement.excluded[name] for name in ("epoch", "released", "manager", "registration")},
        )
    )


def stored_answer(connection: Connection, key: bytes) -> bytes | None:
    """The answer that this request was given before."""
    body = connection.execute(_STORED_ANSWER, {"key": key}).scalar()
    return None if body is None else bytes(body)


def save_answer(connection: Connection, key: bytes, body: bytes, at: int) -> None:
    """Keep the answer for a repetition of the request."""
    connection.execute(_SAVE_ANSWER, {"key": key, "body": body, "at": at})


def forget_answers(connection: Connection, before: int) -> None:
    """Drop the answers given before an instant (microseconds since 1970)."""
    connection.execute(sa.delete(answer).where(answer.c.at < before))
