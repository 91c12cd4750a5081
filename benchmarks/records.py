"""What the database says of a run: when things happened, and whether all of it was written down."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path

import attrs

#: What must have happened, exactly once, to each of the jobs of a dummy run, and to the one instance of each.
DUMMY_JOB_EVENTS = ("Ready", "ResourcesAdjusted", "Instantiated", "AttemptSucceeded")
DUMMY_INSTANCE_EVENTS = ("Claimed", "SubmissionBegan", "Accepted", "Ended")
#: Rows that hold a job's events: queued (via adjusting), instantiated, done.
DUMMY_JOB_ROWS = 3


@attrs.frozen
class Spans:
    """Seconds between the instants of a run's records.

    `bind_to_done_s`: from the creation of the workflow, before its jobs are bound, to the last job's DONE: a run
    without the starts of client and server. `claim_to_done_s`: from the first claim: without the manager's start
    either, and without binding.
    """

    bind_to_done_s: float
    claim_to_done_s: float


@contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """The database, read only: its server may be at work on it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        yield connection


def spans(database: Path) -> Spans:
    """The spans of the database's only workflow."""
    with opened(database) as db:
        (created,) = db.execute("SELECT min(created_at) FROM workflow").fetchone()
        (claimed,) = db.execute("SELECT min(at) FROM history WHERE kind = 'instance'").fetchone()
        (done,) = db.execute("SELECT max(at) FROM history WHERE kind = 'job' AND to_state = 'DONE'").fetchone()
    return Spans((done - created) / 1e6, (done - claimed) / 1e6)


def hops_ms(database: Path) -> list[float]:
    """Milliseconds from each job's DONE to the next one's, in a chain."""
    with opened(database) as db:
        query = "SELECT at FROM history WHERE kind = 'job' AND to_state = 'DONE' ORDER BY seq"
        instants = [at for (at,) in db.execute(query)]
    return [(later - earlier) / 1e3 for earlier, later in pairwise(instants)]


def done_names(database: Path) -> set[str]:
    """Names of the jobs that are DONE."""
    with opened(database) as db:
        query = "SELECT name FROM job JOIN job_spec ON job_id = job.id WHERE state = 'DONE'"
        return {name for (name,) in db.execute(query)}


def check_all_done(database: Path, n: int) -> None:
    """Raises AssertionError unless there are `n` jobs and all are DONE."""
    with opened(database) as db:
        _equal("jobs by state", dict(db.execute("SELECT state, count(*) FROM job GROUP BY state")), {"DONE": n})


def check_values(database: Path, n: int) -> None:
    """Raises AssertionError unless the results are the numbers below `n`, each once."""
    with opened(database) as db:
        values = sorted(int(value) for (value,) in db.execute("SELECT value FROM job_result"))
    _equal("results", values, list(range(n)))


def check_dummy(database: Path, n: int) -> Mapping[str, float]:
    """Count the rows of a run of `n` dummy jobs; rows of history per job.

    Raises:
        AssertionError: a job, an instance or a step of one is missing or is there twice.
    """
    check_all_done(database, n)
    with opened(database) as db:
        instances = "SELECT state, count(*), count(DISTINCT job_id) FROM job_instance GROUP BY state"
        _equal("instances by state", db.execute(instances).fetchall(), [("DONE", n, n)])
        for kind, events in (("job", DUMMY_JOB_EVENTS), ("instance", DUMMY_INSTANCE_EVENTS)):
            for event in events:
                having = "kind = ? AND instr(',' || events || ',', ',' || ? || ',')"
                counted = f"SELECT count(*), count(DISTINCT entity_id) FROM history WHERE {having}"
                _equal(f"{event} of every {kind}", db.execute(counted, (kind, event)).fetchone(), (n, n))
        rows = dict(db.execute("SELECT kind, count(*) FROM history GROUP BY kind"))
        _equal("rows of jobs", rows["job"], DUMMY_JOB_ROWS * n)
        gaps = "SELECT max(seq) - count(DISTINCT seq), min(seq), (SELECT seq FROM workflow) - max(seq) FROM history"
        _equal("gaps, first number and missing end of the history", db.execute(gaps).fetchone(), (0, 1, 0))
        _equal("journal mode", db.execute("PRAGMA journal_mode").fetchone(), ("wal",))
    return {kind: rows[kind] / n for kind in ("job", "instance")}


def _equal(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"{what}: {str(found)[:300]}, expected {str(expected)[:300]}")
