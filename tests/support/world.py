"""The store and the state machines without HTTP: a real SQLite file, the writer, and a clock that a test moves."""

import os
import shutil
import sqlite3
import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import attrs

from jobmon.server.credentials import Credentials
from jobmon.server.job_state_manager import JobStateManager
from jobmon.server.signs import Patience, SignsOfLife
from jobmon.store.database import Database, open_database
from jobmon.store.writer import Operation, Outcome, Transaction, Writer
from jobmon.wire.routes import Route

#: Where a file is not waited for, if there is such a place: what a power cut would lose is no matter here.
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@attrs.define
class MovedClock:
    """Stands still unless it is moved; each look at the wall takes a millisecond."""

    seconds: float = 0.0
    looks: int = 0

    def now(self) -> datetime:
        self.looks += 1
        return datetime(2026, 1, 31, tzinfo=UTC) + timedelta(seconds=self.seconds, milliseconds=self.looks)

    def monotonic(self) -> float:
        return self.seconds


@cache
def _empty() -> Path:
    """A new file to copy."""
    path = Path(tempfile.mkdtemp(prefix="jobmon-test-")) / "empty.db"
    open_database(path).close()
    return path


class World:
    """One database file and whatever serves it at the moment."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="jobmon-test-", dir=FAST)
        self.path = Path(self._folder.name) / "jobmon.db"
        shutil.copy(_empty(), self.path)
        self.clock = MovedClock()
        self.database: Database
        self.manager: JobStateManager
        self.published: list[set[Any]] = []
        self._serve()

    def _serve(self) -> None:
        self.database = open_database(self.path)
        self.signs = SignsOfLife(self.clock, Patience())
        self.manager = JobStateManager(self.signs, Credentials("user", b"key"), self.published.append)

    def restart(self) -> None:
        """As after a crash of the server: all that was not stored is forgotten."""
        self.database.close()
        self._serve()

    def close(self) -> None:
        self.database.close()
        self._folder.cleanup()

    def operation(self, route: Route[Any, Any], message: Any) -> Operation:
        return lambda tx: self.manager.apply(route, tx, message)

    def together(self, *operations: Operation) -> list[Outcome]:
        """The outcomes of operations that share one transaction."""
        writer = Writer(self.database, self.clock)
        outcomes: list[Outcome] = []
        for operation in operations:
            writer.submit(operation, outcomes.append)
        writer.start()
        writer.stop()
        return outcomes


def poisoned(operation: Operation) -> Operation:
    """The same, but it fails when all its work is done."""

    def fail(tx: Transaction) -> Any:
        operation(tx)
        raise AttributeError("poison")

    return fail


def full_disk(_tx: Transaction) -> Any:
    """What SQLite says on a full disk."""
    raise sqlite3.OperationalError("database or disk is full")
