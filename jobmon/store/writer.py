"""One writer with group commit: operations that wait together share a transaction and its one fsync.

Each operation runs in a savepoint, so that a bad one fails alone; all are answered after the commit. What an operation
wants done once its changes are durable it leaves with `Transaction.after_commit`, what is to be undone in memory should
they not be kept with `Transaction.on_failure`.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from jobmon.clock import Clock
from jobmon.errors import InvalidRequest, StoreError
from jobmon.store.connection import Connection
from jobmon.store.database import Database, explain

_LARGEST_GROUP = 64


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
        except BaseException:
            self._on_death()
            raise

    def _write_until_stopped(self) -> None:
        with self._database.writing.connect() as connection:
            stopping = False
            while not stopping:
                group, stopping = self._next_group()
                if group:
                    for waiting, outcome in zip(group, self._commit(connection, group), strict=True):
                        waiting.answer(outcome)

    def _next_group(self) -> tuple[list[_Waiting], bool]:
        group: list[_Waiting] = []
        first = self._queue.get()
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
            for waiting in group:
                transactions.append(Transaction(connection, at))
                outcomes.append(self._run_one(transactions[-1], waiting.operation))
            connection.run("COMMIT")
        except sqlite3.Error as error:
            failure = Outcome(error=explain(self._database.path, error))
            self._roll_back(connection)
            for transaction in transactions:
                _call(transaction.undo)
            return [failure] * len(group)
        for transaction, outcome in zip(transactions, outcomes, strict=True):
            if outcome.error is None:
                _call(transaction.hooks)
        return outcomes

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
