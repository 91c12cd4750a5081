"""What a database says, read beside the server that writes it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

FINAL = ("DONE", "ERROR", "RESOURCE_ERROR", "UNKNOWN_ERROR", "CANCELLED", "NO_EXECUTOR_ID", "RETURNED")


@attrs.frozen
class Recorded:
    """The database of a server, whether it runs or not."""

    path: Path

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query; none while there is no such database or table."""
        try:
            with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=10)) as connection:
                return connection.execute(sql, parameters).fetchall()
        except sqlite3.OperationalError as error:
            if "unable to open" in str(error) or "no such table" in str(error):
                return []
            raise

    def states(self, workflow: int = 1) -> dict[str, str]:
        """The state of each job by name."""
        sql = "SELECT name, state FROM job JOIN job_spec ON job_id = id WHERE job.workflow_id = ?"
        return dict(self.rows(sql, workflow))

    def n_in(self, state: str, workflow: int = 1) -> int:
        """How many jobs are in a state."""
        rows = self.rows("SELECT count(*) FROM job WHERE workflow_id = ? AND state = ?", workflow, state)
        return int(rows[0][0]) if rows else 0

    def done(self, workflow: int = 1) -> set[str]:
        """The names of the jobs that are recorded DONE."""
        return self.names_in("DONE", workflow)

    def names_in(self, state: str, workflow: int = 1) -> set[str]:
        """The names of the jobs in a state."""
        return {name for name, found in self.states(workflow).items() if found == state}

    def runs(self, workflow: int = 1) -> list[str]:
        """The states of a workflow's runs, in order."""
        return [row[0] for row in self.rows("SELECT state FROM workflow_run WHERE workflow_id = ? ORDER BY number",
                                            workflow)]  # fmt: skip

    def n_workflows(self) -> int:
        rows = self.rows("SELECT count(*) FROM workflow")
        return int(rows[0][0]) if rows else 0

    def charged(self, workflow: int = 1) -> dict[str, int]:
        """The jobs that used up attempts by their own fault, and how many."""
        sql = """SELECT name, charged FROM job JOIN job_spec ON job_id = id WHERE job.workflow_id = ? AND charged > 0"""
        return dict(self.rows(sql, workflow))

    def attempts(self, workflow: int = 1) -> dict[str, str]:
        """The name of the job of each token."""
        sql = "SELECT token, name FROM job_instance i JOIN job_spec s ON s.job_id = i.job_id WHERE i.workflow_id = ?"
        return dict(self.rows(sql, workflow))

    def flaws(self) -> list[str]:
        """What is not as it must be, in the history of every workflow and in the tables, once all runs are over."""
        flaws = [f"integrity: {row[0]}" for row in self.rows("PRAGMA integrity_check") if row[0] != "ok"]
        for workflow, seq in self.rows("SELECT id, seq FROM workflow"):
            flaws += self._flaws_of(workflow, seq)
        places = ", ".join("?" * len(FINAL))
        flaws += [
            f"instance {row[0]} of a job that is {row[2]} is {row[1]}"
            for row in self.rows(
                "SELECT i.id, i.state, j.state FROM job_instance i JOIN job j ON j.id = i.job_id "
                f"WHERE j.state IN ('DONE', 'CANCELLED', 'ERROR_FATAL') AND i.state NOT IN ({places})",
                *FINAL,
            )
        ]
        flaws += [
            f"job {row[0]} has {row[1]} attempts that are DONE"
            for row in self.rows("SELECT job_id, count(*) n FROM job_instance WHERE state = 'DONE' "
                                 "GROUP BY job_id HAVING n > 1")
        ]  # fmt: skip
        return flaws

    def _flaws_of(self, workflow: int, seq: int) -> list[str]:
        rows = self.rows(
            "SELECT seq, kind, entity_id, events, from_state, via, to_state FROM history WHERE workflow_id = ? "
            "ORDER BY seq",
            workflow,
        )
        flaws = []
        if sorted({row[0] for row in rows}) != list(range(1, seq + 1)):
            flaws.append(f"workflow {workflow}: the history has gaps: {len(rows)} rows up to {seq}")
        last: dict[tuple[str, int], str] = {}
        started: dict[int, int] = {}
        for number, kind, entity, events, before, _, after in rows:
            key = (kind, entity)
            if key in last and last[key] != before:
                flaws.append(f"row {number}: {kind} {entity} was {last[key]}, not {before}")
            if last.get(key) == "DONE" and after != "DONE":
                flaws.append(f"row {number}: {kind} {entity} was DONE and became {after}")
            last[key] = after
            if kind == "instance":
                started[entity] = started.get(entity, 0) + events.split(",").count("Started")
        flaws += [f"instance {entity} was started {n} times" for entity, n in started.items() if n > 1]
        now = {
            ("job", row[0]): row[1] for row in self.rows("SELECT id, state FROM job WHERE workflow_id = ?", workflow)
        }
        now |= {
            ("instance", row[0]): row[1]
            for row in self.rows("SELECT id, state FROM job_instance WHERE workflow_id = ?", workflow)
        }
        flaws += [
            f"{key[0]} {key[1]} is {state}; its history ends with {last.get(key)}"
            for key, state in now.items()
            if last.get(key, "REGISTERED") != state
        ]
        return flaws
