"""What was acknowledged last, in a file beside the database: so nobody overlooks a lost or damaged write-ahead log.

SQLite takes a log that is missing, cut short or damaged for one that ends there, and opens an older state without a
word. The writer therefore numbers its commits, and notes the number of each before anybody is answered; whoever opens
the database holds it against that note. The note is not synced to the disk: after a power failure it may be older than
the database, never newer.
"""

import logging
import os
from pathlib import Path

import msgspec

from jobmon.store.connection import Connection
from jobmon.wire.decoding import Undecodable

_log = logging.getLogger(__name__)
_NUMBERS = 1 << 31  # SQLite keeps the number in 32 bits of its header, with a sign
_LENGTH = 160  # bytes: it is overwritten in place, which takes no room on a full disk


class LastCommit(msgspec.Struct, frozen=True):
    """The number of the last commit that was acknowledged; 0 while there is none."""

    database_id: str
    number: int = 0


def number_of_commits(connection: Connection) -> int:
    """The number of the last commit that the database has, from 1 on."""
    return int(connection.run("PRAGMA user_version").scalar_one())


def set_number_of_commits(connection: Connection, number: int) -> int:
    """Number the commit that is about to be made; the number, which begins again after the largest."""
    number %= _NUMBERS
    connection.run(f"PRAGMA user_version = {number}")
    return number


def is_older(number: int, acknowledged: int) -> bool:
    """Whether a database with so many commits lacks some that were acknowledged."""
    return 0 < (acknowledged - number) % _NUMBERS < _NUMBERS // 2


def note_path(database: Path) -> Path:
    """Where the note of that database is."""
    return database.with_name("acknowledged.json")


def read_note(database: Path) -> LastCommit | None:
    """The note; None when there is none, or it is damaged."""
    path = note_path(database)
    try:
        return msgspec.json.decode(path.read_bytes(), type=LastCommit)
    except FileNotFoundError:
        return None
    except (OSError, *Undecodable) as error:
        _log.warning("%s cannot be read (%s): it is written anew", path, error)
        return None


class Note:
    """The note of a database, as the writer keeps it."""

    def __init__(self, database: Path) -> None:
        self._path = note_path(database)
        self._database_id = ""
        self._fd = -1
        self._writable = True

    def begin(self, database_id: str, before: LastCommit | None) -> None:
        """Open it, for a database that has the commit noted `before`.

        Raises:
            OSError: its file cannot be opened.
        """
        self._database_id = database_id
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._fd, _LENGTH)
        self._write(before or LastCommit(database_id))

    def acknowledge(self, number: int) -> None:
        """Note a commit that is durable now, and that somebody is about to hear of."""
        self._write(LastCommit(self._database_id, number))

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, last: LastCommit) -> None:
        try:
            os.pwrite(self._fd, msgspec.json.encode(last).ljust(_LENGTH - 1) + b"\n", 0)
        except OSError as error:  # the database itself is whole: the note only guards it
            if self._writable:
                _log.warning("%s cannot be written: %s", self._path, error.strerror)
            self._writable = False
