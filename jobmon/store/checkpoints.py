"""Takes what is committed from the write-ahead log into the database file, when nothing else is to do and at intervals.

Nothing depends on it but those who copy, or lose, one file of the two: the database file alone is then seconds old.
"""

import logging
import sqlite3

from jobmon.clock import Clock
from jobmon.store.connection import Connection

_IDLE_S = 1.0
_INTERVAL_S = 15.0
_log = logging.getLogger(__name__)


class Checkpoints:
    """When the writer takes one."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.monotonic()
        self._due = False  #: something was committed since the last one

    @property
    def wait_s(self) -> float | None:
        """How long the writer may wait for operations before it takes one; None: as long as it likes."""
        return _IDLE_S if self._due else None

    def committed(self, connection: Connection) -> None:
        """Something was committed: take one if the last is long ago."""
        self._due = True
        if self._clock.monotonic() - self._last > _INTERVAL_S:
            self.take(connection)

    def take(self, connection: Connection) -> None:
        """Take one. It waits for no reader, and a failure loses nothing: the log has it all."""
        try:
            connection.run("PRAGMA wal_checkpoint(PASSIVE)").all()
        except sqlite3.Error as error:
            _log.warning("the write-ahead log stays as it is for now: %s", error)
        self._last, self._due = self._clock.monotonic(), False
