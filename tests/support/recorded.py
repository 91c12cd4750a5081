"""What a database says, read beside the server that writes it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs

from jobmon.store.audit import audit


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

    def failures(self, most: int = 30) -> list[str]:
        """The last attempts that did not succeed: whose, how they ended, and the last words of their commands."""
        sql = """SELECT name, attempt, i.state, reason, i.exit_status, signal, detail, stdout_tail, stderr_tail
            FROM job_instance i JOIN job_spec s ON s.job_id = i.job_id LEFT JOIN instance_report r ON r.token = i.token
            WHERE i.state <> 'DONE' ORDER BY i.id DESC LIMIT ?"""
        return [
            f"{name}, attempt {attempt}: {' '.join(str(word) for word in how if word is not None)}"
            + "".join(f"\n  {name} {tail[-500:]!r}" for name, tail in (("stdout", stdout), ("stderr", stderr)) if tail)
            for name, attempt, *how, stdout, stderr in reversed(self.rows(sql, most))
        ]

    def flaws(self) -> list[str]:
        """What is not as it must be, in the history of every workflow and in the tables, once all runs are over."""
        return list(audit(self.path).flaws) if self.path.exists() else []
