"""Whether a whole database keeps what is promised: reads it beside the server, which may run, and changes nothing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from jobmon.errors import StoreError
from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState, JobState
from jobmon.store.acknowledged import LastCommit, is_older, number_of_commits, read_note
from jobmon.store.connection import Connection
from jobmon.store.database import explain

#: A job that is in one of these has no attempt that is alive.
_ENDED_JOBS = (JobState.DONE, JobState.ERROR_FATAL, JobState.CANCELLED)


@attrs.frozen
class Audit:
    """What was looked at, and every flaw that was found, in words."""

    workflows: int
    jobs: int
    instances: int
    history: int
    flaws: tuple[str, ...]


def audit(path: Path) -> Audit:
    """Look through the database of that file, as it stands now.

    Raises:
        StoreError: there is none, or it cannot be read at all.
    """
    if not path.exists():
        raise StoreError(f"there is no database {path}. JOBMON_DATA names another data folder")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            note = read_note(path)  # before the database: what a server notes meanwhile is not in that state of it
            connection.execute("BEGIN")
            flaws = tuple(_flaws(connection, note))
            workflows, jobs, instances, history = (
                int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
                for table in ("workflow", "job", "job_instance", "history_group")
            )
    except sqlite3.Error as error:
        raise explain(path, error) from error
    return Audit(workflows, jobs, instances, history, flaws)


def _flaws(connection: sqlite3.Connection, note: LastCommit | None) -> Iterator[str]:
    damaged = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    yield from (f"integrity: {text}" for text in damaged)
    if damaged:
        return
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {row} of {table} belongs to a row of {parent} that is not there"
    yield from _older_than_acknowledged(connection, note)
    yield from _of_attempts(connection)
    for workflow, seq in connection.execute("SELECT id, seq FROM workflow").fetchall():
        yield from _of_history(connection, workflow, seq)


def _older_than_acknowledged(connection: sqlite3.Connection, note: LastCommit | None) -> Iterator[str]:
    own_id = connection.execute("SELECT value FROM meta WHERE key = 'database_id'").fetchone()
    if note is None or own_id is None or note.database_id != own_id[0]:
        return
    number = number_of_commits(Connection(connection))
    if is_older(number, note.number):
        yield f"commit {note.number} was acknowledged, and the database ends with {number} (promise 1)"


def _of_attempts(connection: sqlite3.Connection) -> Iterator[str]:
    final, ended = _list(FINAL_INSTANCE_STATES), _list(_ENDED_JOBS)
    live = f"SELECT job_id, count(*) FROM job_instance WHERE state NOT IN ({final}) GROUP BY job_id HAVING count(*) > 1"
    for job, n in connection.execute(live):
        yield f"job {job} has {n} live attempts (promise 2)"
    for instance, state, of_job in connection.execute(
        "SELECT i.id, i.state, j.state FROM job_instance i JOIN job j ON j.id = i.job_id "
        f"WHERE j.state IN ({ended}) AND i.state NOT IN ({final})"
    ):
        yield f"attempt {instance} of a job that is {of_job} is {state} (promise 2)"
    done = "SELECT job_id, count(*) FROM job_instance WHERE state = ? GROUP BY job_id HAVING count(*) > 1"
    for job, n in connection.execute(done, (InstanceState.DONE,)):
        yield f"job {job} has {n} attempts that are DONE (promise 3)"


def _of_history(connection: sqlite3.Connection, workflow: int, seq: int) -> Iterator[str]:
    last: dict[tuple[str, int], str] = {}
    started: dict[int, int] = {}
    expected = 0
    for number, kind, entity, events, before, after in connection.execute(
        "SELECT seq, kind, entity_id, events, from_state, to_state FROM history WHERE workflow_id = ? ORDER BY seq",
        (workflow,),
    ):
        if number not in (expected, expected + 1):
            yield f"workflow {workflow}: the history has no rows {expected + 1} to {number - 1}"
        expected = number
        key = (kind, entity)
        if last.get(key, before) != before:
            yield f"row {number} of workflow {workflow}: {kind} {entity} was {last[key]}, not {before}"
        if last.get(key) == JobState.DONE and after != JobState.DONE:
            yield f"row {number} of workflow {workflow}: {kind} {entity} was DONE and became {after} (promise 3)"
        last[key] = after
        if kind == "instance":
            started[entity] = started.get(entity, 0) + events.split(",").count("Started")
    if expected != seq:
        yield f"workflow {workflow}: the history ends with row {expected} of {seq}"
    for entity, n in started.items():
        if n > 1:
            yield f"attempt {entity} was started {n} times (promise 2)"
    for kind, table in (("job", "job"), ("instance", "job_instance")):
        for entity, state in connection.execute(f"SELECT id, state FROM {table} WHERE workflow_id = ?", (workflow,)):
            if last.get((kind, entity), JobState.REGISTERED) != state:
                yield f"{kind} {entity} is {state}; its history ends with {last.get((kind, entity))}"


def _list(states: Any) -> str:
    return ", ".join(f"'{state}'" for state in sorted(map(str, states)))
