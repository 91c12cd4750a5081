"""Opening the SQLite file: who may, how, and what is wrong when it cannot be."""

import logging
import os
import secrets
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from jobmon.errors import StoreError
from jobmon.store import schema
from jobmon.store.acknowledged import LastCommit, Note
from jobmon.store.connection import Connection, Pool
from jobmon.store.file_systems import is_local, mount_of
from jobmon.store.presence import Presence
from jobmon.store.wholeness import refuse_losses

#: The newest migration. `alembic_version` of a database that this code can use says so.
HEAD = "0001"
_KEYS = ("database_id", "server_key")
_BUSY_MS = 5000
_log = logging.getLogger(__name__)


class Database:
    """One SQLite file: a pool with the connection that writes, and one of connections that only read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writing = Pool(lambda: _connect(path, _WRITING))
        self.reading = Pool(lambda: _connect(path, _READING))
        self.note = Note(path)
        self.presence = Presence(path)

    def close(self) -> None:
        """Close all connections. What is left is one file, and it says that it was closed."""
        self.reading.dispose()
        with self.writing.connect() as connection:
            _leave_one_file(connection)
        self.note.close()
        self.writing.dispose()


_READING = ("query_only = ON",)
_WRITING = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "wal_autocheckpoint = 8000",  # pages: fewer, larger checkpoints
    "cache_size = -32000",  # kB
)


def _connect(path: Path, pragmas: Sequence[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in (f"busy_timeout = {_BUSY_MS}", *pragmas):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def open_database(path: Path, expected_id: str | None = None) -> Database:
    """The database of that file, made or migrated to the newest schema.

    `expected_id` is that of the database which was served here last, where something beside it says so.

    Raises:
        StoreError: it is no database, of a newer schema, read-only, on a full disk or on a network file system; or what
            was acknowledged is missing from it.
    """
    _refuse_network_file_system(path)
    try:
        note = refuse_losses(path, expected_id)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        database = Database(path)
        _migrate(database)
        _guard(database, note)
    except OSError as error:
        raise StoreError(
            f"the database {path} cannot be made: {error.strerror}. Set JOBMON_DATA to another folder"
        ) from error
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        raise explain(path, error) from error
    return database


def _guard(database: Database, note: LastCommit | None) -> None:
    """Make sure that whatever is missing later will be noticed."""
    with database.writing.connect() as connection:
        connection.run("PRAGMA wal_checkpoint(PASSIVE)").all()  # the file alone is a database from now on
        database.note.begin(database_id(connection), note)
    database.presence.begin()


def _leave_one_file(connection: Connection) -> None:
    try:
        connection.run("PRAGMA busy_timeout = 0")
        connection.run("PRAGMA journal_mode = DELETE").all()
    except sqlite3.Error as error:  # somebody reads it, or the disk is full: the log stays beside it
        _log.info("the write-ahead log is kept: %s", error)


def explain(path: Path, error: Exception) -> StoreError:
    """What an error of SQLite means for the user."""
    text = str(getattr(error, "orig", error))
    advice = {
        "file is not a database": "is not an SQLite database. Move it away, or set JOBMON_DATA to another folder",
        "readonly": "cannot be written. Make it and its folder writable, or set JOBMON_DATA to another folder",
        "disk I/O error": "cannot be written: its disk is full or broken, or the size of files is limited (ulimit -f). "
        "Nothing that was acknowledged is lost; make room and go on",
        "disk is full": "is on a full disk. Nothing that was acknowledged is lost; make room and go on",
        "unable to open": "cannot be opened. Check the rights of its folder, or set JOBMON_DATA to another folder",
        "locked": "is open in another program. Close that program; only the server may open the database",
        "malformed": "is damaged. Restore a copy, or set JOBMON_DATA to another folder",
    }
    hint = next((hint for words, hint in advice.items() if words in text), f"cannot be used ({text})")
    return StoreError(f"the database {path} {hint}")


def _migrate(database: Database) -> None:
    with database.reading.connect() as connection:  # what is not ours is left as it is, to the byte
        version = _schema_of(connection, database.path)
    with database.writing.connect() as connection:
        if version is None:
            _create(connection)
            return
        connection.run("BEGIN IMMEDIATE")  # fails now, not later, when it cannot be written
        connection.run("COMMIT")
    if version != HEAD:
        migrate(database)


def _schema_of(connection: Connection, path: Path) -> str | None:
    """The version of the schema; None where there is nothing yet.

    Raises:
        StoreError: it is one that is not known here, or the tables are another program's.
    """
    tables = {row[0] for row in connection.run("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    if "alembic_version" not in tables:
        raise StoreError(f"{path} is a database of another program. Set JOBMON_DATA to another folder")
    version: str | None = connection.run("SELECT version_num FROM alembic_version").scalar()
    if version is None or version > HEAD:
        raise StoreError(
            f"the database {path} has schema {version}, newer than this jobmon knows ({HEAD}): "
            "upgrade jobmon, or set JOBMON_DATA to another folder"
        )
    return version


def _create(connection: Connection) -> None:
    """Make the tables of the newest schema in an empty file: without Alembic, which takes longer to import than that.

    It is one transaction: a database is of one schema or of another.
    """
    connection.run("BEGIN IMMEDIATE")
    try:
        for statement in schema.statements():
            connection.run(statement)
        connection.run("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.run("INSERT INTO alembic_version VALUES (?)", (HEAD,))
        for key in _KEYS:
            connection.run("INSERT INTO meta VALUES (?, ?)", (key, secrets.token_hex(32)))
        connection.run("COMMIT")
    except sqlite3.Error:
        if connection.driver.in_transaction:  # SQLite ends it by itself after some failures
            connection.run("ROLLBACK")
        raise


def migrate(database: Database) -> None:
    """Take the database to the newest schema, from whichever it has."""
    from alembic import command  # slow to import, and rarely needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    engine = sa.create_engine(
        "sqlite://", creator=lambda: _connect(database.path, _WRITING), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # one transaction: a database is of one schema or of another
        command.upgrade(config, HEAD)
        for key in _KEYS:
            connection.exec_driver_sql("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, secrets.token_hex(32)))
        connection.exec_driver_sql("COMMIT")
    engine.dispose()


def _refuse_network_file_system(path: Path) -> None:
    mount = mount_of(path)
    if mount is not None and not is_local(mount):
        raise StoreError(
            f"the database {path} would be on a file system that is not this host's alone ({mount.kind}, from "
            f"{mount.source!r}), as those of a network are, where SQLite cannot keep its promises: set JOBMON_DATA to "
            "a folder on a disk of this host"
        )


def database_id(connection: Connection) -> str:
    """The id that was given to this database when it was made."""
    return str(_meta(connection, "database_id"))


def server_key(connection: Connection) -> bytes:
    """The key under which workers' credentials are made."""
    return bytes.fromhex(str(_meta(connection, "server_key")))


def _meta(connection: Connection, key: str) -> Any:
    return connection.execute(sa.select(schema.meta.c.value).where(schema.meta.c.key == key)).scalar_one()
