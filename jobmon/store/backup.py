"""Copies of the database, made while the server runs, and going on with what is there when something is lost."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

from jobmon.errors import InvalidRequest, StoreError
from jobmon.store.acknowledged import note_path
from jobmon.store.database import explain


def back_up(path: Path, target: Path) -> int:
    """Write a copy of the database, as it stands at one moment, whole or not at all; its size in bytes.

    The copy is one file of mode 0600: it holds the key of the server. A server that writes meanwhile is not held up.

    Raises:
        InvalidRequest: the target exists.
        StoreError: there is no database, or the copy cannot be made or is damaged.
    """
    if not path.exists():
        raise StoreError(f"there is no database {path}. JOBMON_DATA names another data folder")
    scratch = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            _copy(path, scratch)
            with scratch.open("rb") as file:
                os.fsync(file.fileno())
            os.link(scratch, target)  # never over a file that is there
        finally:
            scratch.unlink()
    except FileExistsError as error:
        raise InvalidRequest(f"{target} exists: name another file, or remove it") from error
    except OSError as error:
        raise StoreError(f"the backup {target} cannot be written: {error.strerror}") from error
    except sqlite3.Error as error:
        raise explain(path, error) from error
    return target.stat().st_size


def _copy(path: Path, scratch: Path) -> None:
    with (
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as source,
        closing(sqlite3.connect(scratch, isolation_level=None)) as copy,
    ):
        source.backup(copy)  # in one step: otherwise whatever is written meanwhile would have it begin again
        copy.execute("PRAGMA journal_mode = DELETE")
        flaws = [row[0] for row in copy.execute("PRAGMA quick_check") if row[0] != "ok"]
    if flaws:
        raise StoreError(f"the database {path} is damaged ({flaws[0]}): there is nothing to back up")


def accept_loss(path: Path) -> None:
    """Forget what was known of the database beside it, so that it opens as it is now. No server may run.

    It gets a new id: whoever had read further in the old one reads all of it again.

    Raises:
        StoreError: it is damaged, or cannot be written.
    """
    try:
        if path.exists() and path.stat().st_size:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                    connection.execute("UPDATE meta SET value = ? WHERE key = 'database_id'", (secrets.token_hex(32),))
                connection.execute("PRAGMA journal_mode = DELETE")
        note_path(path).unlink(missing_ok=True)
    except sqlite3.Error as error:
        raise explain(path, error) from error
    except OSError as error:
        raise StoreError(f"{note_path(path)} cannot be removed: {error.strerror}") from error
