"""The history: every state change of a workflow, under sequence numbers without gaps; also the feed of changes."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState, JobState
from jobmon.states.reasons import Reason
from jobmon.store import bulk
from jobmon.store.connection import Connection
from jobmon.store.schema import history, history_group, job_instance, workflow
from jobmon.wire.jobs import JobChange
from jobmon.wire.leases import InstanceChange
from jobmon.wire.runs import HistoryRow

_COLUMNS = (
    "workflow_id", "seq", "at", "kind", "entities", "events", "from_state", "via", "to_state", "attempt", "reason",
    "detail",
)  # fmt: skip
_INSERT = bulk.Insert(history_group, _COLUMNS)
_LARGEST_GROUP = 1000
_ADVANCE = (
    sa.update(workflow)
    .where(workflow.c.id == sa.bindparam("workflow_id"))
    .values(seq=workflow.c.seq + sa.bindparam("n"))
    .returning(workflow.c.seq)
)
_t = history_group.c
_JOB_CHANGES = (
    sa.select(_t.seq, _t.entities, _t.to_state, _t.attempt, _t.reason, _t.detail)
    .where(
        _t.workflow_id == sa.bindparam("workflow_id"),
        _t.seq > sa.bindparam("since"),
        _t.kind == sa.literal_column("'job'"),
        _t.to_state != _t.from_state,
    )
    .order_by(_t.seq)
    .limit(sa.bindparam("n"))
)
_TOLD_TO_MANAGERS = [InstanceState.RUNNING, InstanceState.CANCELLING, *FINAL_INSTANCE_STATES]


def _changes_to(states: Sequence[InstanceState]) -> sa.Select[Any]:
    each = sa.func.json_each(_t.entities).table_valued("value", name="each")
    return (
        sa.select(_t.seq, sa.func.json_group_array(job_instance.c.token), _t.to_state)
        .select_from(history_group.join(each, sa.true()).join(job_instance, job_instance.c.id == each.c.value))
        .where(
            _t.workflow_id == sa.bindparam("workflow_id"),
            _t.seq > sa.bindparam("since"),
            _t.kind == sa.literal_column("'instance'"),
            _t.to_state != _t.from_state,
            _t.to_state.in_(sa.literal_column(f"'{state}'") for state in states),
            job_instance.c.executor == sa.bindparam("executor"),
        )
        .group_by(_t.seq)
        .order_by(_t.seq)
        .limit(sa.bindparam("n"))
    )


_INSTANCE_CHANGES = _changes_to(_TOLD_TO_MANAGERS)
_CANCELLATIONS = _changes_to([InstanceState.CANCELLING])
_SEQ = sa.select(workflow.c.seq).where(workflow.c.id == sa.bindparam("workflow_id"))
_JOB_STATES = {state.value: state for state in JobState}
_INSTANCE_STATES = {state.value: state for state in InstanceState}
_decode_ids = msgspec.json.Decoder(list[int]).decode
_REASONS = {reason.value: reason for reason in Reason} | {None: None}


class Entry(msgspec.Struct, frozen=True):
    """What happened to a record within one transaction: all its events, and every state that it went through.

    Records to which the same happened share it.
    """

    events: str  #: separated by commas; a late one, which changed nothing, stands in brackets
    from_state: str
    via: str | None  #: the states between the first and the last, separated by commas
    to_state: str
    attempt: int | None = None
    reason: Reason | None = None
    detail: str | None = None

    def extended(self, event: str, to_state: str) -> "Entry":
        """The same, and then a further event took the record to this state."""
        events = f"{self.events},{event}"
        if to_state == self.to_state:
            return replace(self, events=events)
        via = self.to_state if self.via is None else f"{self.via},{self.to_state}"
        return replace(self, events=events, via=via, to_state=to_state)


class Log:
    """The entries of one transaction and workflow. Records to which the same happened share a row."""

    def __init__(self) -> None:
        self._groups: dict[tuple[object, ...], list[int]] = {}

    def add(self, kind: str, entity_ids: Sequence[int], entry: Entry) -> None:
        """An entry of jobs, of instances or of a run."""
        e = entry
        key = (kind, e.events, e.from_state, e.via, e.to_state, e.attempt, e.reason, e.detail)
        self._groups.setdefault(key, []).extend(entity_ids)

    def append(self, connection: Connection, workflow_id: int, at: int) -> int:
        """Append the entries to the history; the sequence number of the last one."""
        pieces = [
            (key, entities[start : start + _LARGEST_GROUP])
            for key, entities in self._groups.items()
            for start in range(0, len(entities), _LARGEST_GROUP)
        ]
        seq: int = connection.execute(_ADVANCE, {"workflow_id": workflow_id, "n": len(pieces)}).scalar_one()
        first = seq - len(pieces) + 1
        rows = [
            (workflow_id, number, at, key[0], msgspec.json.encode(entities).decode(), *key[1:])
            for number, (key, entities) in enumerate(pieces, first)
        ]
        _INSERT.execute(connection, rows)
        return seq


def current_seq(connection: Connection, workflow_id: int) -> int:
    """The newest sequence number of a workflow; -1 when there is no such workflow."""
    seq = connection.execute(_SEQ, {"workflow_id": workflow_id}).scalar()
    return -1 if seq is None else int(seq)


def job_changes(connection: Connection, workflow_id: int, since: int, limit: int) -> tuple[int, list[JobChange]]:
    """Changes of jobs after `since`, and the sequence number that they reach."""
    seq = current_seq(connection, workflow_id)
    rows = connection.execute(_JOB_CHANGES, {"workflow_id": workflow_id, "since": since, "n": limit}).all()
    changes = [
        JobChange(_decode_ids(row[1]), _JOB_STATES[row[2]], row[3] or 0, _REASONS[row[4]], row[5]) for row in rows
    ]
    return (int(rows[-1][0]) if len(rows) == limit else max(seq, since)), changes


def instance_changes(
    connection: Connection, workflow_id: int, executor: str, since: int, limit: int, *, only_cancelling: bool
) -> tuple[int, list[InstanceChange]]:
    """Changes of an executor's instances that its manager must hear of, and the sequence number that they reach."""
    seq = current_seq(connection, workflow_id)
    parameters = {"workflow_id": workflow_id, "executor": executor, "since": since, "n": limit}
    rows = connection.execute(_CANCELLATIONS if only_cancelling else _INSTANCE_CHANGES, parameters).all()
    changes = [InstanceChange(msgspec.json.decode(row[1]), _INSTANCE_STATES[row[2]]) for row in rows]
    return (int(rows[-1][0]) if len(rows) == limit else max(seq, since)), changes


def page(connection: Connection, workflow_id: int, since: int, job_id: int | None, limit: int) -> list[HistoryRow]:
    """History rows after `since`; of one job and its instances when it is given.

    Rows of one sequence number are never parted, so that the next page can go on after it: a page may be longer.
    """
    h = history.c
    columns = (h.seq, h.kind, h.entity_id, h.events, h.from_state, h.via, h.to_state, h.at, h.detail)
    query = sa.select(*columns).where(h.workflow_id == workflow_id, h.seq > since)
    if job_id is not None:
        its = sa.select(job_instance.c.id).where(job_instance.c.job_id == job_id)
        query = query.where(
            sa.or_(sa.and_(h.kind == "job", h.entity_id == job_id), sa.and_(h.kind == "instance", h.entity_id.in_(its)))
        )
    rows = list(connection.execute(query.order_by(h.seq, h.entity_id).limit(limit)))
    if rows and len(rows) == limit:
        last = rows[-1][0]
        rows = [row for row in rows if row[0] != last]
        rows += connection.execute(query.where(h.seq == last).order_by(h.entity_id))
    return [
        HistoryRow(r[0], r[1], r[2], r[3].split(","), r[4], r[5].split(",") if r[5] else [], r[6], iso(r[7]), r[8])
        for r in rows
    ]


def iso(at: int) -> str:
    """ISO 8601 of an instant in microseconds since 1970."""
    return datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="milliseconds")
