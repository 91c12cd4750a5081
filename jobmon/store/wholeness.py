"""Whether the database that is about to be opened is the one that was there, with all that it had acknowledged."""

import sqlite3
from contextlib import closing
from pathlib import Path

from jobmon.errors import StoreError
from jobmon.store.acknowledged import LastCommit, is_older, number_of_commits, read_note
from jobmon.store.connection import Connection

_WAL_MODE = b"\x02\x02"  # bytes 18 and 19 of the file: https://www.sqlite.org/fileformat2.html
_MEND = (
    "Put a backup in its place, or, to go on with what is there, run `jobmon check --accept-loss`; to begin anew, set "
    "JOBMON_DATA to another folder"
)


def refuse_losses(path: Path, expected_id: str | None) -> LastCommit | None:
    """Look at the files before they are opened for writing: that would tidy away what is left of a damaged log.

    `expected_id` is that of the database which a server served here, if one did. Returns the note of the last commit,
    if it is of this database.

    Raises:
        StoreError: there was a database here, and it is gone, or lacks what it had acknowledged.
    """
    note = read_note(path)
    known = note.database_id if note is not None else expected_id
    size = path.stat().st_size if path.exists() else 0
    if not size:
        if known is not None:
            state = "is empty" if path.exists() else "is not there"
            raise StoreError(f"the database {path} {state}, though this folder had one ({known[:8]}…). {_MEND}")
        return None
    if note is not None:
        return _held_against(note, path)
    if _was_open(path) and not _log_of(path).exists():
        raise StoreError(
            f"the database {path} was copied while it was open, or has lost {_log_of(path).name}: what was "
            f"acknowledged last may be missing. {_MEND}"
        )
    return None


def _held_against(note: LastCommit, path: Path) -> LastCommit | None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as driver:
            own_id = driver.execute("SELECT value FROM meta WHERE key = 'database_id'").fetchone()
            number = number_of_commits(Connection(driver))
    except sqlite3.Error as error:
        if "no such table" not in str(error):
            return note  # whoever opens it says what is wrong with it
        own_id, number = (note.database_id,), 0
    if own_id is None or own_id[0] != note.database_id:
        return None
    if is_older(number, note.number):
        raise StoreError(
            f"the database {path} is older than what was acknowledged: it has commit {number}, the last was "
            f"{note.number}. {_log_of(path).name} was lost or damaged, or this is an older copy. {_MEND}"
        )
    return note


def _was_open(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(20)[18:] == _WAL_MODE


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
