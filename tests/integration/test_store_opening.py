"""Databases that cannot be used say why and what to do; the one that can is what the migrations and the tables say."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from world import MovedClock

from jobmon.errors import InvalidRequest, StoreError
from jobmon.store import database as database_module
from jobmon.store import schema
from jobmon.store.database import HEAD, Database, explain, migrate, open_database
from jobmon.store.file_systems import Mount
from jobmon.store.writer import Outcome, Transaction, Writer

MIGRATIONS = Path(database_module.__file__).with_name("migrations")
NOBODY = 65534


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database as it is made; closed, in one file."""
    path = tmp_path_factory.mktemp("made") / "jobmon.db"
    open_database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    return path


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made, tmp_path / "jobmon.db"))


def refusal_of(path: Path) -> str:
    with pytest.raises(StoreError) as refused:
        open_database(path)
    assert str(path) in str(refused.value)
    assert "JOBMON_DATA" in str(refused.value)
    return str(refused.value)


def change(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()


def as_somebody_else(path: Path) -> str:
    """What opening it says to a user who is not the owner: root may write whatever is read-only."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            try:
                open_database(path)
            except StoreError as error:
                os.write(write, str(error).encode())
                status = 0
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read().decode()
    assert os.waitpid(pid, 0)[1] == 0, f"the database was opened ({said})"
    return said


@pytest.fixture
def public(made: Path) -> Iterator[Path]:
    """A copy in a folder that everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="jobmon-test-") as folder:
        Path(folder).chmod(0o755)
        copy = Path(shutil.copy(made, Path(folder) / "jobmon.db"))
        yield copy
        Path(folder).chmod(0o755)


def test_a_database_is_made_once_and_keeps_its_identity(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        database = open_database(tmp_path / "jobmon.db")
        with database.reading.connect() as connection:
            found.append((database_module.database_id(connection), database_module.server_key(connection)))
        with database.writing.connect() as connection:
            pragmas = [connection.run(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]
        database.close()
        assert pragmas == ["wal", 2]
    assert found[0] == found[1]
    assert len(found[0][1]) == 32
    assert oct((tmp_path / "jobmon.db").stat().st_mode & 0o777) == "0o600"


def test_the_connections_for_reading_cannot_write(path: Path) -> None:
    database = open_database(path)
    with database.reading.connect() as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.run("DELETE FROM meta")
    database.close()


def test_a_file_that_is_no_database_is_told_from_one_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobmon.db"
    path.write_bytes(b"notes of mine\n" * 1000)
    assert "is not an SQLite database" in refusal_of(path)
    assert path.read_bytes() == b"notes of mine\n" * 1000


def test_a_database_that_is_cut_short_is_told_to_be_damaged(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(1024)
        file.write(b"\xff" * 200_000)
    assert "is damaged" in refusal_of(path)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "jobmon.db"
    change(path, "CREATE TABLE recipes (name TEXT)")
    before = path.read_bytes()
    assert "is a database of another program" in refusal_of(path)
    assert path.read_bytes() == before


def test_a_database_of_a_newer_schema_says_to_upgrade(path: Path) -> None:
    change(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    said = refusal_of(path)
    assert "has schema 9999, newer than this jobmon knows" in said
    assert "upgrade jobmon" in said
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "jobmon.db"
    path.touch()
    open_database(path).close()
    change(path, "SELECT * FROM job_instance")


def test_a_database_whose_making_fails_half_way_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "jobmon.db"

    def fail(_n: int) -> str:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(database_module.secrets, "token_hex", fail)
        with pytest.raises(StoreError, match="is on a full disk"):
            open_database(path)
    open_database(path).close()
    change(path, "SELECT * FROM job_instance")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user; without it the next test does")
@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o755), (0o644, 0o755)])
def test_a_database_of_somebody_else_cannot_be_written(public: Path, file_mode: int, folder_mode: int) -> None:
    public.chmod(file_mode)
    public.parent.chmod(folder_mode)
    assert "cannot be written. Make it and its folder writable" in as_somebody_else(public)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_database_that_is_read_only_cannot_be_written(path: Path) -> None:
    path.chmod(0o444)
    assert "cannot be written. Make it and its folder writable" in refusal_of(path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "cannot be made: No such file or directory" in refusal_of(tmp_path / "nowhere" / "jobmon.db")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("database or disk is full", "full disk"),
        ("disk I/O error", "make room"),
        ("database is locked", "open in another program"),
        ("unable to open database file", "cannot be opened"),
        ("attempt to write a readonly database", "cannot be written"),
        ("something new", "cannot be used (something new)"),
    ],
)
def test_each_error_of_sqlite_is_told_in_words_for_people(said: str, told: str) -> None:
    error = sa.exc.OperationalError("INSERT", {}, sqlite3.OperationalError(said))
    assert told in str(explain(Path("/data/jobmon.db"), error))
    assert "/data/jobmon.db" in str(explain(Path("/data/jobmon.db"), error))


@pytest.mark.parametrize("kind", ["nfs4", "wekafs", "something-new"])
def test_a_network_file_system_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(database_module, "mount_of", lambda _path: Mount(kind, 0, "server:/home"))
    said = refusal_of(tmp_path / "jobmon.db")
    assert f"not this host's alone ({kind}, from 'server:/home')" in said
    assert list(tmp_path.iterdir()) == []


# The migrations and the tables.


@pytest.fixture
def migrated(tmp_path: Path) -> Path:
    """A database that went through all migrations; nobody is given one, as new ones are made in one step."""
    path = tmp_path / "migrated.db"
    database = Database(path)
    migrate(database)
    database.close()
    return path


def test_the_migrations_make_exactly_the_tables_of_the_schema(migrated: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{migrated}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def answer(path: Path, query: str) -> list[tuple]:
    with sqlite3.connect(path) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows


def statements(path: Path) -> dict[str, str]:
    """What made each table and index, without its white space, and of a table the parts in order of the alphabet."""
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {
        name: " ".join(sorted("".join(part.split()) for part in sql.split(",\n"))) if "\n" in sql else sql
        for name, sql in rows
        if name != "alembic_version"
    }


def test_a_new_database_is_in_the_very_words_what_the_migrations_make(path: Path, migrated: Path) -> None:
    """What Alembic does not compare: conditions of partial indexes, WITHOUT ROWID, names of constraints."""
    by_steps, declared = statements(migrated), statements(path)
    assert {name for name in declared if name.startswith("one_")} >= {"one_live_instance_per_job"}
    for version in ("SELECT version_num FROM alembic_version", "SELECT key FROM meta ORDER BY key"):
        assert answer(path, version) == answer(migrated, version)

    def words(text: str) -> list[str]:
        return sorted(text.replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split())

    assert {name: words(sql) for name, sql in by_steps.items()} == {name: words(sql) for name, sql in declared.items()}


def test_a_database_of_an_older_schema_is_migrated(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Database] = []
    monkeypatch.setattr(database_module, "migrate", asked.append)
    change(path, "UPDATE alembic_version SET version_num = '0000'")
    open_database(path).close()
    assert [database.path for database in asked] == [path]


def test_the_head_in_the_code_is_the_head_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


# The writer.


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = open_database(path)
    yield database
    database.close()


def together(database: Database, *operations) -> list[Outcome]:
    """The outcomes of operations that wait together before the writer looks."""
    writer = Writer(database, MovedClock())
    outcomes: list[Outcome] = []
    for operation in operations:
        writer.submit(operation, outcomes.append)
    writer.start()
    writer.stop()
    return outcomes


def put(key: str, value: str = ""):
    def operation(tx: Transaction) -> str:
        tx.connection.execute(sa.insert(schema.meta).values(key=key, value=value))
        return key

    return operation


def stored(database: Database) -> set[str]:
    with database.reading.connect() as connection:
        return {row[0] for row in connection.execute(sa.select(schema.meta.c.key))} - {"database_id", "server_key"}


def test_an_operation_that_fails_takes_nothing_of_the_others_with_it(database: Database) -> None:
    told: list[str] = []

    def telling(key: str, error: Exception | None = None):
        def operation(tx: Transaction) -> None:
            put(key)(tx)
            tx.after_commit(lambda: told.append(key))
            if error is not None:
                raise error

        return operation

    errors = [ValueError("no"), AttributeError("a defect"), OverflowError("too large"), RecursionError()]
    bad = [telling(f"bad{i}", error) for i, error in enumerate(errors)]
    outcomes = together(database, telling("a"), *bad, put("a"), telling("b"))
    assert [outcome.error for outcome in outcomes[1:-2]] == errors
    assert isinstance(outcomes[-2].error, InvalidRequest)
    assert stored(database) == {"a", "b"}
    assert told == ["a", "b"]


def allow_pages(database: Database, more: int) -> None:
    """The connection that writes may make the file longer by so many pages."""
    with database.writing.connect() as connection:
        pages = connection.run("PRAGMA page_count").scalar_one()
        connection.run(f"PRAGMA max_page_count = {pages + more}")


def test_a_full_disk_fails_the_whole_group_and_the_next_one_goes_on(database: Database) -> None:
    allow_pages(database, 5)
    first = together(database, put("small"))
    outcomes = together(database, put("before"), put("large", "x" * 1_000_000), put("after"))
    allow_pages(database, 10_000)
    last = together(database, put("large", "x" * 1_000_000))
    assert first[0].error is None
    assert [type(outcome.error) for outcome in outcomes] == [StoreError] * 3
    assert "is on a full disk. Nothing that was acknowledged is lost" in str(outcomes[0].error)
    assert last[0].error is None
    assert stored(database) == {"small", "large"}


def test_nobody_is_answered_before_the_commit(database: Database) -> None:
    seen: list[set[str]] = []
    writer = Writer(database, MovedClock())
    for key in ("a", "b"):
        writer.submit(put(key), lambda _outcome: seen.append(stored(database)))
    writer.start()
    writer.stop()
    assert seen == [{"a", "b"}] * 2
