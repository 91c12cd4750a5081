"""A server that is killed, or ends, while it starts; and one whose data folder is no longer its own."""

import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import end_server, endpoint_of, environment, may_end, serving

from jobmon.errors import ServerUnreachable
from jobmon.requester import connect, starting
from jobmon.requester.endpoint import DataFolder
from jobmon.wire import routes
from jobmon.wire.health import ReadHealth


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    end_server(tmp_path / "data")


def python_that(path: Path, does: str, times: int) -> Path:
    """An interpreter that does something else the first times that it is called."""
    path.write_text(
        f"#!/bin/sh\necho . >> {path}.calls\nif [ $(wc -l < {path}.calls) -le {times} ]; then {does}; fi\n"
        f'exec {sys.executable} "$@"\n'
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("does", ["kill -KILL $$", "exit 1", "sleep 0.2; kill -SEGV $$"])
def test_a_server_that_is_killed_before_it_answers_is_started_again(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    python = python_that(tmp_path / "python", does, 3)
    monkeypatch.setattr(sys, "executable", str(python))
    requester = connect(environment(folder), patience_s=20)
    assert requester.call(routes.HEALTH, ReadHealth()).pid == endpoint_of(folder).pid
    assert len((tmp_path / "python.calls").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    ("does", "words"),
    [
        ("kill -KILL $$", r"the last one was ended by signal 9\. .*server\.log has nothing of it"),
        ("echo no such library >&2; exit 3", r"the last one ended with status 3\. .*log ends with:\nno such library"),
    ],
)
def test_a_server_that_never_comes_to_answer_is_given_up_after_some_starts_with_its_last_words(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, words: str
) -> None:
    monkeypatch.setattr(starting, "_PAUSES_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(sys, "executable", str(python_that(tmp_path / "python", does, 99)))
    with pytest.raises(ServerUnreachable, match=rf"was started 3 times and never came to answer; {words}"):
        connect(environment(folder))


def test_a_server_that_hangs_while_it_starts_is_killed_and_told_of(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "_SAYS_WITHIN_S", 0.2)
    monkeypatch.setattr(sys, "executable", str(python_that(tmp_path / "python", "exec sleep 600", 99)))
    with pytest.raises(ServerUnreachable, match="neither answered nor ended for 0 s after its start, and was killed"):
        connect(environment(folder))


def test_a_server_whose_folder_was_removed_leaves_the_new_servers_address_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, held=True, idle_s=0.1) as old:
        shutil.rmtree(data)
        with serving(data) as new:
            assert endpoint_of(data).pid == new.pid
            before = (data / "endpoint.json").read_bytes()
            may_end(old)
            assert old.wait(30) == 0
            assert (data / "endpoint.json").read_bytes() == before
            new.send_signal(signal.SIGTERM)
            assert new.wait(30) == 0
    assert DataFolder(data).served() is False
