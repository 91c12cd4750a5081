"""The tables. Constraints back up what the code promises; indexes cover only rows that are looked for."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from jobmon.states.names import FINAL_INSTANCE_STATES, FINAL_RUN_STATES, JobState

metadata = sa.MetaData()


def _in(column: str, states: frozenset[object], *, negate: bool = False) -> sa.TextClause:
    names = ", ".join(f"'{state}'" for state in sorted(map(str, states)))
    return sa.text(f"{column} {'NOT IN' if negate else 'IN'} ({names})")


meta = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

workflow = sa.Table(
    "workflow",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("workflow_args", sa.Text),
    sa.Column("n_jobs", sa.Integer, nullable=False),
    sa.Column("first_job_id", sa.Integer, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.UniqueConstraint("name", "workflow_args", name="one_workflow_per_name_and_args"),
)

workflow_run = sa.Table(
    "workflow_run",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("workflow_id", sa.Integer, sa.ForeignKey("workflow.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("context", sa.Text, nullable=False),
    sa.Column("created_at", sa.Integer, nullable=False),
    sa.UniqueConstraint("workflow_id", "number", name="runs_are_numbered"),
)
sa.Index(
    "one_active_run_per_workflow",
    workflow_run.c.workflow_id,
    unique=True,
    sqlite_where=_in("state", FINAL_RUN_STATES, negate=True),
)

job = sa.Table(
    "job",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("workflow_id", sa.Integer, sa.ForeignKey("workflow.id"), nullable=False),
    sa.Column("executor", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("charged", sa.Integer, nullable=False),
    sa.Column("uncharged", sa.Integer, nullable=False),
    sa.Column("unbegun", sa.Integer, nullable=False),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)
sa.Index(
    "queued_jobs",
    job.c.workflow_id,
    job.c.executor,
    job.c.id,
    sqlite_where=sa.text(f"state = '{JobState.QUEUED_FOR_INSTANTIATION}'"),
)

job_spec = sa.Table(
    "job_spec",
    metadata,
    sa.Column("job_id", sa.Integer, primary_key=True),
    sa.Column("workflow_id", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("upstream", sa.Text, nullable=False),
    sa.Column("resources", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.UniqueConstraint("workflow_id", "name", name="one_job_per_name"),
)

job_result = sa.Table(
    "job_result",
    metadata,
    sa.Column("job_id", sa.Integer, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

job_instance = sa.Table(
    "job_instance",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("job_id", sa.Integer, sa.ForeignKey("job.id"), nullable=False),
    sa.Column("workflow_id", sa.Integer, nullable=False),
    sa.Column("executor", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("executor_job_id", sa.Text),
    sa.Column("worker_id", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Column("exit_status", sa.Integer),
    sa.Column("signal", sa.Integer),
    sa.Column("detail", sa.Text),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("submitted_at", sa.Integer, nullable=False),
    sa.Column("started_at", sa.Integer),
    sa.Column("ended_at", sa.Integer),
    sa.UniqueConstraint("job_id", "attempt", name="attempts_are_numbered"),
)
_LIVE = _in("state", FINAL_INSTANCE_STATES, negate=True)
# Live instances are found by this index too: there are never many.
sa.Index("one_live_instance_per_job", job_instance.c.job_id, unique=True, sqlite_where=_LIVE)

array_member = sa.Table(
    "array_member",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("array_token", sa.Text, nullable=False),
    sa.Column("array_index", sa.Integer, nullable=False),
    sa.Column("job_name", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)

instance_report = sa.Table(
    "instance_report",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("host", sa.Text),
    sa.Column("usage", sa.Text, nullable=False),
    sa.Column("stdout_tail", sa.Text),
    sa.Column("stderr_tail", sa.Text),
)

#: One row for all records to which the same happened in one transaction: `entities` is the JSON list of their ids. The
#: view `history` has a row for each of them.
history_group = sa.Table(
    "history_group",
    metadata,
    sa.Column("workflow_id", sa.Integer, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("at", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("entities", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),
    sa.Column("from_state", sa.Text, nullable=False),
    sa.Column("via", sa.Text),
    sa.Column("to_state", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer),
    sa.Column("reason", sa.Text),
    sa.Column("detail", sa.Text),
    sqlite_with_rowid=False,
)
HISTORY_VIEW = """
CREATE VIEW history AS
SELECT workflow_id, seq, at, kind, entity.value AS entity_id, events, from_state, via, to_state, attempt, reason, detail
FROM history_group, json_each(history_group.entities) AS entity
"""


def statements() -> list[str]:
    """What makes all of this in an empty database."""
    made: list[Any] = []
    for table in metadata.sorted_tables:
        made += [CreateTable(table), *map(CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))]
    return [*(str(element.compile(dialect=sqlite.dialect())) for element in made), HISTORY_VIEW]


history = sa.table(
    "history",
    *[
        sa.column(
            name, sa.Text if name in ("kind", "events", "from_state", "via", "to_state", "detail") else sa.Integer
        )
        for name in (
            "workflow_id",
            "seq",
            "at",
            "kind",
            "entity_id",
            "events",
            "from_state",
            "via",
            "to_state",
            "detail",
        )
    ],
)

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("workflow_id", sa.Integer, primary_key=True),
    sa.Column("executor", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("released", sa.Boolean, nullable=False),
    sa.Column("manager", sa.Text, nullable=False),
    sa.Column("registration", sa.Text, nullable=False),
)

answer = sa.Table(
    "answer",
    metadata,
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("at", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
