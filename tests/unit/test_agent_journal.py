"""What an agent leaves to the next one when it is killed."""

from pathlib import Path

import pytest

from jobmon.agent import journal as journals
from jobmon.agent.journal import Journal
from jobmon.wire.workers import FinishAttempts, FinishReport


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ended"


def ends(*tokens: str, **more: str) -> list[FinishReport]:
    return [FinishReport(token, exit_status=0, **more) for token in tokens]


def tokens_left(path: Path) -> dict[str, list[str]]:
    left = Journal(path, "reader").left()
    return {message.worker_id: [report.token for report in message.reports] for message in left}


def test_what_nobody_settled_is_left_to_the_next_in_the_name_of_who_noted_it(path: Path) -> None:
    first = Journal(path, "host:one")
    assert first.left() == []
    first.note(ends("a", "b", stdout_tail="two\nlines"))
    second = Journal(path, "host:two")
    second.note(ends("c"))
    second.settle(["a"])
    assert Journal(path, "host:three").left() == [
        FinishAttempts("host:one", ends("a", "b", stdout_tail="two\nlines")),
        FinishAttempts("host:two", ends("c")),
    ]


def test_when_all_is_settled_nothing_is_left(path: Path) -> None:
    journal = Journal(path, "w")
    journal.note(ends("a", "b"))
    journal.settle(["b", "never noted"])
    journal.settle(["a"])
    assert path.read_bytes() == b""
    journal.note(ends("c"))
    assert tokens_left(path) == {"w": ["c"]}


def test_a_line_whose_writer_was_killed_amid_it_spoils_no_other(path: Path) -> None:
    Journal(path, "w").note(ends("a", "b"))
    path.write_bytes(path.read_bytes()[:-5])
    journal = Journal(path, "v")
    journal.note(ends("c"))
    assert tokens_left(path) == {"w": ["a"], "v": ["c"]}


def test_a_line_of_another_version_is_said_and_passed_over(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(b'{"worker": 1}\n')
    Journal(path, "w").note(ends("a"))
    assert tokens_left(path) == {"w": ["a"]}
    assert "is not understood" in capfd.readouterr().err


def test_one_that_is_never_empty_does_not_grow_without_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "_LARGE", 2_000)
    journal = Journal(path, "w")
    journal.note(ends("first"))
    for n in range(200):
        journal.note(ends(f"{n}"))
        if n:
            journal.settle([f"{n - 1}"])
        assert path.stat().st_size < 2_500
    assert tokens_left(path) == {"w": ["first", "199"]}


def test_a_full_disk_is_said_and_what_was_noted_before_stays_whole(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    journal = Journal(path, "w")
    journal.note(ends("a"))
    write = journals.os.write
    monkeypatch.setattr(journals.os, "write", lambda fd, content: write(fd, content if fd == 2 else content[:10]))
    journal.note(ends("b"))
    monkeypatch.undo()
    journal.note(ends("c"))
    assert tokens_left(path) == {"w": ["a", "c"]}
    assert "cannot be written" in capfd.readouterr().err


def test_one_that_cannot_be_written_anew_is_kept(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(journals, "_LARGE", 10)
    journal = Journal(path, "w")
    journal.note(ends("a", "b", "c"))
    path.with_suffix(".new").mkdir()
    journal.settle(["a"])
    journal.note(ends("d"))
    assert tokens_left(path) == {"w": ["a", "b", "c", "d"]}
    assert "cannot be written" in capfd.readouterr().err
