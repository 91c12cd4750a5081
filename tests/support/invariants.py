"""What must hold of every database at every moment, whoever was killed: by plain SQL, apart from the store's code."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from jobmon.states import instances, jobs, runs
from jobmon.states.machine import TO, Choice

FINAL_INSTANCES = {"DONE", "ERROR", "RESOURCE_ERROR", "UNKNOWN_ERROR", "NO_EXECUTOR_ID", "CANCELLED", "RETURNED"}
FINAL_JOBS = {"DONE", "ERROR_FATAL", "CANCELLED"}
FINAL_RUNS = {"DONE", "ERROR", "STOPPED", "LOST"}
TABLES = (
    "workflow", "workflow_run", "job", "job_spec", "job_result", "job_instance", "instance_report", "history", "lease",
    "answer",
)  # fmt: skip
FIRST = {"job": "REGISTERED", "instance": "", "run": "REGISTERED"}
ROWS_OF = {"job": "job", "instance": "job_instance", "run": "workflow_run"}
#: Job states by the state of the job's live instance.
AGREE = {
    "INSTANTIATED": {"INSTANTIATED"},
    "SUBMITTING": {"INSTANTIATED"},
    "SUBMITTED_TO_BATCH_EXECUTOR": {"INSTANTIATED"},
    "RUNNING": {"RUNNING"},
    "CANCELLING": {"INSTANTIATED", "RUNNING"},
}

Row = Mapping[str, Any]
Content = dict[str, list[Row]]


def _steps(table: Mapping[Any, Any]) -> set[tuple[str, str]]:
    found = set()
    for (state, _event), move in table.items():
        targets = (move.target,) if isinstance(move, TO) else move.targets if isinstance(move, Choice) else ()
        found |= {(str(state), str(target)) for target in targets}
    return found


ALLOWED = {
    "job": _steps(jobs.TABLE),
    "instance": _steps(instances.TABLE) | {("", "INSTANTIATED")},
    "run": _steps(runs.TABLE),
}


def content(path: Path) -> Content:
    """All rows of all tables, in the order of their keys."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("BEGIN")
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2")] for name in TABLES
        }
    finally:
        connection.close()


def check(found: Content) -> None:
    """Raise AssertionError if any promise is broken."""
    _check_attempts(found)
    _check_jobs(found)
    _check_runs(found)
    for workflow in found["workflow"]:
        _check_history(found, workflow)


def _check_attempts(found: Content) -> None:
    by_job: dict[int, list[Row]] = defaultdict(list)
    for instance in found["job_instance"]:
        by_job[instance["job_id"]].append(instance)
    for job in found["job"]:
        mine = by_job.pop(job["id"], [])
        live = [i for i in mine if i["state"] not in FINAL_INSTANCES]
        assert len(live) <= 1, f"job {job['id']} has two live instances: {live}"
        assert (job["state"] in ("INSTANTIATED", "RUNNING")) == bool(live), f"{dict(job)} and its live instances {live}"
        for instance in live:
            assert job["state"] in AGREE[instance["state"]], f"{dict(job)} does not agree with {dict(instance)}"
        assert sorted(i["attempt"] for i in mine) == list(range(1, job["attempts"] + 1))
        done = [i for i in mine if i["state"] == "DONE"]
        assert len(done) == (1 if job["state"] == "DONE" else 0), f"{dict(job)} has the successes {done}"
    assert not by_job
    for instance in found["job_instance"]:
        if instance["state"] == "RUNNING":
            assert instance["worker_id"], f"{dict(instance)} runs and nobody has won its start"
    tokens = [i["token"] for i in found["job_instance"]]
    assert len(set(tokens)) == len(tokens)


def _check_jobs(found: Content) -> None:
    states = {job["id"]: job["state"] for job in found["job"]}
    for result in found["job_result"]:
        assert states[result["job_id"]] == "DONE", f"job {result['job_id']} has a result and is not DONE"
    for job in found["job"]:
        assert 0 <= job["charged"] <= job["max_attempts"], dict(job)
        if job["charged"] == job["max_attempts"]:
            assert job["state"] in ("ERROR_FATAL", "CANCELLED"), dict(job)
    assert {spec["job_id"] for spec in found["job_spec"]} == set(states)
    for workflow in found["workflow"]:
        block = range(workflow["first_job_id"], workflow["first_job_id"] + workflow["n_jobs"])
        mine = Counter(job["state"] for job in found["job"] if job["workflow_id"] == workflow["id"])
        assert all(job["id"] in block for job in found["job"] if job["workflow_id"] == workflow["id"])
        begun = any(e["kind"] == "run" and e["workflow_id"] == workflow["id"] for e in found["history"]
                    if e["to_state"] == "RUNNING")  # fmt: skip
        assert mine.total() == workflow["n_jobs"] or (not begun and mine.total() < workflow["n_jobs"])


def _check_runs(found: Content) -> None:
    active = Counter(run["workflow_id"] for run in found["workflow_run"] if run["state"] not in FINAL_RUNS)
    assert not [w for w, n in active.items() if n > 1], f"two active runs: {active}"
    numbers: dict[int, list[int]] = defaultdict(list)
    for run in found["workflow_run"]:
        numbers[run["workflow_id"]].append(run["number"])
    assert all(sorted(mine) == list(range(1, len(mine) + 1)) for mine in numbers.values())


def path_of(entry: Row) -> list[str]:
    """Every state that a record went through in one transaction."""
    return [entry["from_state"], *(entry["via"].split(",") if entry["via"] else []), entry["to_state"]]


def _check_history(found: Content, workflow: Row) -> None:
    entries = [entry for entry in found["history"] if entry["workflow_id"] == workflow["id"]]
    assert sorted({e["seq"] for e in entries}) == list(range(1, workflow["seq"] + 1)), "the history has gaps"
    last: dict[tuple[str, int], str] = {}
    done: Counter[int] = Counter()
    for entry in entries:
        kind, key = entry["kind"], (entry["kind"], entry["entity_id"])
        path = path_of(entry)
        assert last.get(key, FIRST[kind]) == path[0], f"{dict(entry)} does not follow what was before"
        for step in pairwise(path):
            assert step[0] == step[1] or step in ALLOWED[kind], f"{step} of {dict(entry)} is in no table"
        last[key] = path[-1]
        if kind == "job":
            assert "DONE" not in path[:-1] or set(path) == {"DONE"}, f"{dict(entry)} leaves DONE"
            done[entry["entity_id"]] += path[-1] == "DONE" and path[0] != "DONE"
    assert all(n <= 1 for n in done.values()), f"DONE was entered twice: {done}"
    for kind, table in ROWS_OF.items():
        for row in found[table]:
            if row["workflow_id"] == workflow["id"]:
                told = last.get((kind, row["id"]), FIRST[kind])
                assert row["state"] == told, f"{kind} {row['id']} is {row['state']}; its history ends with {told}"
