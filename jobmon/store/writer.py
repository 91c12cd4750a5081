"""One writer with group commit: operations that wait together share a transaction and its one fsync.

Each operation runs in a savepoint, so that a bad one fails alone; all are answered after the commit. What an operation
wants done once its changes are durable it leaves with `Transaction.after_commit`, what is to be undone in memory should
they not be kept with `Transaction.on_failure`.
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from jobmon.clock import Clock
from jobmon.errors import DatabaseGone, InvalidRequest, StoreError
from jobmon.store.acknowledged import number_of_commits, set_number_of_commits
from jobmon.store.checkpoints import Checkpoints
from jobmon.store.connection import Connection
from jobmon.store.database import Database, explain

_LARGEST_GROUP = 64
_log = logging.getLogger(__name__)


class Transaction:
    """What an operation works with: the connection, the instant, and what is to happen after the commit."""

    def __init__(self, connection: Connection, at: int) -> None:
        self.connection = connection
        self.at = at  #: microseconds since 1970
        self.hooks: list[Callable[[], None]] = []
        self.undo: list[Callable[[], None]] = []

    def after_commit(self, hook: Callable[[], None]) -> None:
        """Call the hook once everything is durable; never, if the operation fails."""
        self.hooks.append(hook)

    def on_failure(self, hook: Callable[[], None]) -> None:
        """Call the hook should the operation fail, or the group that it is of."""
        self.undo.append(hook)


Operation = Callable[[Transaction], Any]


@attrs.frozen
class Outcome:
    """What came of one operation: its value, or why it failed."""

    value: Any = None
    error: Exception | None = None


@attrs.frozen
class _Waiting:
    operation: Operation
    answer: Callable[[Outcome], None]


class Writer:
    """The only thread that writes. Should it end by an error, nobody is answered any more: `on_death` hears of it."""

    def __init__(self, database: Database, clock: Clock, on_death: Callable[[], None] = lambda: None) -> None:
        self._on_death = on_death
        self._database = database
        self._clock = clock
        self._checkpoints = Checkpoints(clock)
        self._number = 0
        self._gone: DatabaseGone | None = None
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    def start(self) -> None:
        """Begin to take operations."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is waiting, then end."""
        self._queue.put(None)
        self._thread.join()

    def submit(self, operation: Operation, answer: Callable[[Outcome], None]) -> None:
        """Queue an operation. `answer` is called in the writer's thread after the commit, or the failure."""
        self._queue.put(_Waiting(operation, answer))

    def _run(self) -> None:
        try:
            self._write_until_stopped()
        except DatabaseGone as error:
            _log.error("%s", error)
            self._on_death()
        except BaseException:
            self._on_death()
            raise

    def _write_until_stopped(self) -> None:
        with self._database.writing.connect() as connection:
            self._number = number_of_commits(connection)
            stopping = False
            while not stopping:
                try:
                    first = self._queue.get(timeout=self._checkpoints.wait_s)
                except queue.Empty:
                    self._checkpoints.take(connection)
                    continue
                group, stopping = self._group_of(first)
                if group:
                    for waiting, outcome in zip(group, self._commit(connection, group), strict=True):
                        waiting.answer(outcome)
                    if self._gone is not None:
                        raise self._gone
                    self._checkpoints.committed(connection)

    def _group_of(self, first: _Waiting | None) -> tuple[list[_Waiting], bool]:
        """What waits from `first` on, and whether the writer is to stop after it."""
        group: list[_Waiting] = []
        while first is not None:
            group.append(first)
            if len(group) >= _LARGEST_GROUP:
                return group, False
            try:
                first = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, connection: Connection, group: Sequence[_Waiting]) -> list[Outcome]:
        """Run the group in one transaction; nobody is answered before it is durable."""
        at = int(self._clock.now().timestamp() * 1e6)
        outcomes: list[Outcome] = []
        transactions: list[Transaction] = []
        try:
            connection.run("BEGIN IMMEDIATE")
            before = connection.driver.total_changes
            for waiting in group:
                transactions.append(Transaction(connection, at))
                outcomes.append(self._run_one(transactions[-1], waiting.operation))
            number = self._numbered(connection, before)
            connection.run("COMMIT")
        except sqlite3.Error as error:
            failure = Outcome(error=explain(self._database.path, error))
            self._roll_back(connection)
            for transaction in transactions:
                _call(transaction.undo)
            return [failure] * len(group)
        try:
            self._database.presence.check()
        except DatabaseGone as error:
            self._gone = error
            return [Outcome(error=error)] * len(group)
        if number is not None:
            self._number = number
            self._database.note.acknowledge(number)
        for transaction, outcome in zip(transactions, outcomes, strict=True):
            if outcome.error is None:
                _call(transaction.hooks)
        return outcomes

    def _numbered(self, connection: Connection, changes_before: int) -> int | None:
        """Number the commit that is about to be made; None when it changes nothing."""
        if connection.driver.total_changes == changes_before:
            return None
        return set_number_of_commits(connection, self._number + 1)

    def _run_one(self, transaction: Transaction, operation: Operation) -> Outcome:
        connection = transaction.connection
        connection.run("SAVEPOINT operation")
        try:
            value = operation(transaction)
        except sqlite3.OperationalError:
            raise  # the disk is full, say: nothing of the group can be kept
        except sqlite3.IntegrityError as error:
            self._undo_one(transaction)
            return Outcome(error=InvalidRequest(f"the request contradicts what is stored: {error}"))
        except Exception as error:  # noqa: BLE001 - it is answered; the thread of all writes must outlive any request
            self._undo_one(transaction)
            return Outcome(error=error)
        connection.run("RELEASE operation")
        return Outcome(value=value)

    def _undo_one(self, transaction: Transaction) -> None:
        transaction.connection.run("ROLLBACK TO operation")
        transaction.connection.run("RELEASE operation")
        _call(transaction.undo)

    def _roll_back(self, connection: Connection) -> None:
        try:
            connection.run("ROLLBACK")
        except sqlite3.Error as error:
            if "no transaction is active" not in str(error):  # SQLite ends it by itself after some failures
                raise StoreError(f"the transaction cannot be rolled back: {error}") from error


def _call(hooks: Sequence[Callable[[], None]]) -> None:
    for hook in hooks:
        hook()
