"""What is lost beside or below SQLite is noticed: files that are gone, cut short, damaged, copied apart or older."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from messages import open_run
from world import MovedClock, World

from jobmon.errors import DatabaseGone, InvalidRequest, StoreError
from jobmon.store import checkpoints
from jobmon.store.acknowledged import note_path, read_note
from jobmon.store.audit import audit
from jobmon.store.backup import accept_loss, back_up
from jobmon.store.checkpoints import Checkpoints
from jobmon.store.connection import Connection
from jobmon.store.database import database_id, open_database
from jobmon.store.writer import Writer
from jobmon.wire import routes


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def open_workflow(world: World, name: str) -> None:
    [outcome] = world.together(world.operation(routes.OPEN_RUN, open_run(name=name)))
    assert outcome.error is None


def as_killed(world: World, folder: Path) -> Path:
    """The files of the world's database as they are while it is open: what a killed server leaves."""
    for name in ("jobmon.db", "jobmon.db-wal", "acknowledged.json"):
        shutil.copy(world.path.with_name(name), folder / name)
    return folder / "jobmon.db"


@pytest.fixture
def left(world: World, tmp_path: Path) -> Path:
    """A database whose server was killed after it had acknowledged 20 workflows, none of which is in its main file."""
    for number in range(20):
        open_workflow(world, f"w{number}")
    return as_killed(world, tmp_path)


def workflows(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM workflow").fetchone()[0])


def log_of(path: Path) -> Path:
    return path.with_name("jobmon.db-wal")


def cut_in_half(path: Path) -> None:
    log_of(path).write_bytes(log_of(path).read_bytes()[: log_of(path).stat().st_size // 2])


def damage(path: Path, where: Callable[[int], int]) -> None:
    content = bytearray(log_of(path).read_bytes())
    content[where(len(content))] ^= 0xFF
    log_of(path).write_bytes(content)


LOSSES: dict[str, Callable[[Path], object]] = {
    "the database is gone": lambda path: path.unlink(),
    "the database is empty": lambda path: path.write_bytes(b""),
    "the log is gone": lambda path: log_of(path).unlink(),
    "the log is empty": lambda path: log_of(path).write_bytes(b""),
    "the log is cut in half": cut_in_half,
    "a byte of the log's head is damaged": lambda path: damage(path, lambda _size: 20),
    "a byte in the middle of the log is damaged": lambda path: damage(path, lambda size: size // 2),
    "a byte near the end of the log is damaged": lambda path: damage(path, lambda size: size - 50),
    "the main file was copied alone": lambda path: (log_of(path).unlink(), note_path(path).unlink()),
}


@pytest.mark.parametrize("lose", LOSSES.values(), ids=LOSSES.keys())
def test_what_was_acknowledged_and_is_lost_is_never_lost_in_silence(left: Path, lose: Callable[[Path], object]) -> None:
    lose(left)
    before = {path.name: path.read_bytes() for path in left.parent.iterdir() if path.suffix != ".db-shm"}
    for _ in range(2):  # it is no less lost when it is tried again
        with pytest.raises(StoreError, match="--accept-loss") as refused:
            open_database(left)
        assert str(left) in str(refused.value)
    assert left.exists() == ("jobmon.db" in before), "nothing new stands in its place"
    accept_loss(left)
    database = open_database(left)
    database.close()
    assert audit(left).flaws == ()


def test_a_killed_server_has_lost_nothing(left: Path) -> None:
    database = open_database(left)
    database.close()
    assert workflows(left) == 20
    assert not log_of(left).exists(), "a database that was closed is one file"


def test_a_database_that_was_closed_can_be_copied_alone(world: World, tmp_path: Path) -> None:
    open_workflow(world, "w")
    world.database.close()
    copy = Path(shutil.copy(world.path, tmp_path / "jobmon.db"))
    world.restart()
    open_database(copy).close()
    assert workflows(copy) == 1


def test_an_older_copy_is_told_from_the_database(world: World, tmp_path: Path) -> None:
    open_workflow(world, "w0")
    back_up(world.path, tmp_path / "older.db")
    open_workflow(world, "w1")
    path = as_killed(world, tmp_path)
    log_of(path).unlink()
    shutil.copy(tmp_path / "older.db", path)
    with pytest.raises(StoreError, match=r"older than what was acknowledged: it has commit \d+, the last was \d+"):
        open_database(path)
    assert [flaw.endswith("(promise 1)") for flaw in audit(path).flaws] == [True]
    old = read_note(path)
    accept_loss(path)
    open_database(path).close()
    new = read_note(path)
    assert old is not None
    assert new is not None
    assert new.database_id != old.database_id, "those who had read further begin anew"


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}", b"[" * 10_000])
def test_a_damaged_note_is_written_anew(left: Path, content: bytes) -> None:
    note_path(left).write_bytes(content)
    open_database(left).close()
    assert workflows(left) == 20
    assert read_note(left) is not None


def test_a_folder_whose_server_is_known_does_not_get_a_new_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"is not there, though this folder had one \(abcdefab…\)"):
        open_database(tmp_path / "jobmon.db", "abcdefabcdef")


@pytest.mark.parametrize("name", ["jobmon.db", "jobmon.db-wal"])
def test_nothing_is_acknowledged_into_a_file_that_is_gone(world: World, name: str) -> None:
    open_workflow(world, "before")
    died: list[bool] = []
    writer = Writer(world.database, world.clock, on_death=lambda: died.append(True))
    world.path.with_name(name).rename(world.path.with_name("elsewhere"))
    outcomes = []
    writer.submit(world.operation(routes.OPEN_RUN, open_run(name="after")), outcomes.append)
    writer.start()
    writer.stop()
    assert [type(outcome.error) for outcome in outcomes] == [DatabaseGone]
    assert died == [True]
    world.path.with_name("elsewhere").rename(world.path.with_name(name))


def test_the_main_file_has_everything_once_the_writer_is_idle(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = threading.Event()
    take = Checkpoints.take

    def take_and_tell(checkpoints: Checkpoints, connection: Connection) -> None:
        take(checkpoints, connection)
        taken.set()

    monkeypatch.setattr(checkpoints, "_IDLE_S", 0.01)
    monkeypatch.setattr(Checkpoints, "take", take_and_tell)
    writer = Writer(world.database, world.clock)
    writer.start()
    writer.submit(world.operation(routes.OPEN_RUN, open_run()), lambda outcome: None)
    assert taken.wait(60)
    assert workflows(Path(shutil.copy(world.path, tmp_path / "idle.db"))) == 1
    writer.stop()


def test_the_main_file_is_never_older_than_the_interval(world: World, tmp_path: Path) -> None:
    clock = MovedClock()
    writer = Writer(world.database, clock)
    writer.start()
    for name in ("w0", "w1"):
        clock.seconds += 20.0
        writer.submit(world.operation(routes.OPEN_RUN, open_run(name=name)), lambda outcome: None)
    writer.stop()
    assert workflows(Path(shutil.copy(world.path, tmp_path / "copy.db"))) >= 1


def test_a_backup_is_one_private_file_of_one_moment_and_replaces_nothing(world: World, tmp_path: Path) -> None:
    open_workflow(world, "w0")
    target = tmp_path / "copy.db"
    back_up(world.path, target)
    open_workflow(world, "w1")
    assert workflows(target) == 1
    assert target.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]
    with pytest.raises(InvalidRequest, match=r"copy\.db exists: name another file"):
        back_up(world.path, target)
    (tmp_path / "restored").mkdir()
    restored = Path(shutil.copy(target, tmp_path / "restored" / "jobmon.db"))
    database = open_database(restored)
    with database.reading.connect() as ours, world.database.reading.connect() as theirs:
        assert database_id(ours) == database_id(theirs)
    database.close()


def test_a_backup_into_a_folder_that_is_not_there_and_of_nothing_says_so(world: World, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written: No such file or directory"):
        back_up(world.path, tmp_path / "missing" / "copy.db")
    with pytest.raises(StoreError, match=r"there is no database .*jobmon\.db"):
        back_up(tmp_path / "jobmon.db", tmp_path / "copy.db")


FLAWS = {
    "UPDATE workflow SET seq = 5": "the history ends with row 2 of 5",
    "UPDATE job SET state = 'RUNNING'": "job 1 is RUNNING; its history ends with DONE",
    "UPDATE history_group SET seq = 7 WHERE seq = 2": "the history has no rows 2 to 6",
    "UPDATE history_group SET to_state = 'QUEUED', from_state = 'DONE' WHERE seq = 2": "was DONE and became QUEUED",
    "UPDATE job SET workflow_id = 99": "belongs to a row of workflow that is not there",
}


@pytest.mark.parametrize(("statement", "words"), FLAWS.items())
def test_what_contradicts_the_promises_is_found(world: World, statement: str, words: str) -> None:
    open_workflow(world, "w")
    with world.database.writing.connect() as connection:
        connection.run("PRAGMA foreign_keys = OFF")
        connection.run("INSERT INTO job SELECT 1, 1, 'x', 'DONE', 1, 0, 0, 0, 0, 0, 0")
        for seq in (1, 2):
            connection.run(
                f"INSERT INTO history_group VALUES (1, {seq}, 0, 'job', '[1]', '', 'DONE', '', 'DONE', 1, '', '')"
            )
        connection.run("UPDATE workflow SET seq = 2")
        assert audit(world.path).flaws == ()
        connection.run(statement)
    assert any(words in flaw for flaw in audit(world.path).flaws), audit(world.path).flaws
