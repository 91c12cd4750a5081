"""How a requester finds its server, what it repeats, and what it tells when there is none."""

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import attrs
import msgspec
import pytest
from serving import embedded, end_server, endpoint_of, environment, proved, strangers_server

from jobmon import Workflow
from jobmon.config import load_config
from jobmon.errors import (
    ConfigurationError,
    JobmonError,
    NotAuthorised,
    ServerError,
    ServerIncompatible,
    ServerUnreachable,
    StoreError,
)
from jobmon.processes import ProcessIdentity, boot_id, identify
from jobmon.requester import Requester, connect
from jobmon.requester.connecting import data_folder
from jobmon.requester.embedded import find, find_or_start
from jobmon.requester.endpoint import DataFolder, Endpoint, Outside
from jobmon.store.database import database_id, open_database
from jobmon.whereabouts import user_name
from jobmon.wire import routes
from jobmon.wire.health import Health, ReadHealth
from jobmon.wire.runs import ReadWorkflows

HEALTH = msgspec.json.encode(Health("d", (0, 1), "1", "host", 1))
TOGETHER = """
import json, sys
from jobmon.requester import connect
from jobmon.wire import routes
from jobmon.wire.health import ReadHealth
print("here", flush=True)
sys.stdin.readline()
requester = connect()
print(json.dumps([requester.url, requester.call(routes.HEALTH, ReadHealth()).pid]), flush=True)
"""


def test_two_who_connect_at_the_same_instant_share_one_server(tmp_path: Path) -> None:
    environ = environment(tmp_path / "data")
    argv = [sys.executable, "-c", TOGETHER]
    pipe = subprocess.PIPE
    people = [subprocess.Popen(argv, env=environ, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    try:
        assert [one.stdout.readline() for one in people] == ["here\n"] * 3
        for one in people:
            one.stdin.write("go\n")
            one.stdin.flush()
        answers = [json.loads(one.stdout.readline()) for one in people]
        assert answers == [answers[0]] * 3
        assert answers[0] == [endpoint_of(tmp_path / "data").url, endpoint_of(tmp_path / "data").pid]
    finally:
        end_server(tmp_path / "data")
        for one in people:
            one.kill()
            one.communicate()


def test_an_endpoint_file_that_a_killed_server_left_is_no_server(tmp_path: Path) -> None:
    dead = ProcessIdentity(identify().host, identify().boot_id, 2**22 + 1, 1)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    database = open_database(tmp_path / "jobmon.db")
    with database.reading.connect() as connection:
        old = database_id(connection)
    database.close()
    DataFolder(tmp_path).write_endpoint(Endpoint(url, old, dead.host, dead.boot_id, dead.pid, dead.started))
    assert find(DataFolder(tmp_path)) is None
    with pytest.raises(ServerUnreachable, match="no server is running for the data folder"):
        connect(environment(tmp_path), start=False)
    with embedded(tmp_path) as requester:
        assert requester.call(routes.HEALTH, ReadHealth()).pid == endpoint_of(tmp_path).pid != dead.pid


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"url": "http://127.0.0.1:1"}'])
def test_an_endpoint_file_that_cannot_be_read_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "endpoint.json").write_bytes(content)
    assert find(DataFolder(tmp_path)) is None


@contextmanager
def live_server(folder: DataFolder, endpoint: Endpoint | None) -> Iterator[None]:
    """This process stands for a server that lives: it holds the folder's lock."""
    lock = folder.make().lock("server.lock")
    assert lock.acquire()
    try:
        if endpoint is not None:
            folder.write_endpoint(endpoint)
        yield
    finally:
        lock.release()


@pytest.mark.parametrize("host", ["login2.example", socket.gethostname()])
def test_a_server_that_lives_and_cannot_be_reached_is_told_of_and_no_second_one_started(
    tmp_path: Path, host: str
) -> None:
    folder = DataFolder(tmp_path)
    with live_server(folder, None), pytest.raises(ServerUnreachable, match="has not said where it listens"):
        find_or_start(folder, wait_s=0.1)
    endpoint = Endpoint("http://127.0.0.1:1", "d", host, "boot", 77, 1)
    with live_server(folder, endpoint), pytest.raises(ServerUnreachable, match=rf"process 77 on {host}: if that is"):
        find_or_start(folder, wait_s=0.1)
    assert not (tmp_path / "jobmon.db").exists()


def test_a_server_that_is_slow_to_answer_is_waited_for(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    with ThreadPoolExecutor(1) as pool, live_server(folder, None):
        found = pool.submit(find, folder, wait_s=60)
        assert not wait([found], 0.2)[0]
        with strangers_server(0, HEALTH, token=folder.token()) as port:
            folder.write_endpoint(Endpoint(f"http://127.0.0.1:{port}", "d", "any", "boot", 77, 1))
            assert found.result(60).pid == 77


@pytest.mark.parametrize("boot", [boot_id(), "an earlier boot"])
def test_the_free_lock_decides_that_a_server_is_gone_whatever_its_host_was_called(tmp_path: Path, boot: str) -> None:
    with embedded(tmp_path):
        before = endpoint_of(tmp_path)
    gone = attrs.evolve(before, host="the-name-before.example", boot_id=boot, pid=1)
    DataFolder(tmp_path).write_endpoint(gone)
    with embedded(tmp_path) as requester:
        assert requester.database_id == before.database_id
        assert endpoint_of(tmp_path).host == socket.gethostname()


def test_a_server_on_another_host_is_used_where_it_listens_for_workers(tmp_path: Path) -> None:
    health = msgspec.json.encode(Health("d", (0, 1), "1", "login2.example", 77))
    with strangers_server(0, health, token=DataFolder(tmp_path).token()) as port:
        place = Outside("127.0.0.1", port, f"http://127.0.0.1:{port}")
        endpoint = Endpoint("http://127.0.0.1:1", "d", "login2.example", "boot", 77, 1, (place,))
        with live_server(DataFolder(tmp_path), endpoint):
            found = find(DataFolder(tmp_path))
    assert found is not None
    assert (found.url, found.pid) == (place.url, 77)


def test_a_database_that_cannot_be_opened_is_told_to_whoever_connects(tmp_path: Path) -> None:
    (tmp_path / "jobmon.db").write_bytes(b"notes of mine\n" * 1000)
    with pytest.raises(StoreError, match="is not an SQLite database"):
        connect(environment(tmp_path))


def test_a_data_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"the data folder .* cannot be made: Not a directory"):
        connect(environment(tmp_path / "file" / "data"))


def test_the_data_folder_is_where_the_environment_says() -> None:
    home = Path.home() / ".local" / "share" / "jobmon"
    assert data_folder({"JOBMON_DATA": "/a", "XDG_DATA_HOME": "/b"}).path == Path("/a")
    assert data_folder({"XDG_DATA_HOME": "/b"}).path == Path("/b/jobmon")
    assert data_folder({"JOBMON_DATA": "~/x"}).path == Path.home() / "x"
    assert data_folder({"JOBMON_DATA": "x"}).path == Path.cwd() / "x"
    assert [data_folder({}).path, data_folder({"JOBMON_DATA": "", "XDG_DATA_HOME": ""}).path] == [home, home]


def test_a_user_without_a_home_needs_a_data_folder_of_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_uid: int) -> None:
        raise KeyError

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert data_folder({"JOBMON_DATA": "/a"}).path == Path("/a")
    for environ in ({}, {"JOBMON_DATA": "~/x"}):
        with pytest.raises(ConfigurationError, match="no such home: set JOBMON_DATA to a path from / on"):
            data_folder(environ)
    assert user_name() == str(os.geteuid())


def test_a_working_folder_that_was_removed_is_told_of_only_where_one_is_needed(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    before = Path.cwd()
    os.chdir(gone)
    try:
        gone.rmdir()
        assert data_folder({"JOBMON_DATA": "/a"}).path == Path("/a")
        assert load_config(tmp_path, {"XDG_CONFIG_HOME": str(tmp_path)}).executors == {}
        for needs_one in (lambda: data_folder({"JOBMON_DATA": "a"}), Workflow("w").validate):
            with pytest.raises(JobmonError, match="the working folder of this process is gone"):
                needs_one()
    finally:
        os.chdir(before)


def test_a_server_elsewhere_is_used_with_its_token(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    token_file = tmp_path / "token"
    with embedded(tmp_path / "data") as requester:
        token_file.write_text(requester.token + "\n")
        token_file.chmod(0o600)
        for given in ({"JOBMON_TOKEN": requester.token}, {"JOBMON_TOKEN_FILE": str(token_file)}):
            elsewhere = connect(environment(nowhere, JOBMON_SERVER=requester.url + "/", **given), patience_s=5)
            assert elsewhere.call(routes.WORKFLOWS, ReadWorkflows()).workflows == []
            assert (elsewhere.database_id, elsewhere.data_folder) == (requester.database_id, None)
        with pytest.raises(NotAuthorised, match="does not know this token, which was not sent"):
            connect(environment(nowhere, JOBMON_SERVER=requester.url, JOBMON_TOKEN="wrong"))
        token_file.chmod(0o644)
        with pytest.raises(ConfigurationError, match=f"can be read by others; run: chmod 600 {token_file}"):
            connect(environment(nowhere, JOBMON_SERVER=requester.url, JOBMON_TOKEN_FILE=str(token_file)))
    assert not nowhere.exists(), "nothing is started or made here"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"JOBMON_SERVER": "http://127.0.0.1:1"}, "neither JOBMON_TOKEN nor JOBMON_TOKEN_FILE"),
        ({"JOBMON_SERVER": "http://127.0.0.1:1", "JOBMON_TOKEN_FILE": "/no/such"}, "cannot be read: No such file"),
        ({"JOBMON_SERVER": "login1:8765", "JOBMON_TOKEN": "t"}, "give an address such as http://"),
        ({"JOBMON_SERVER": "http://", "JOBMON_TOKEN": "t"}, "give an address such as http://"),
        ({"JOBMON_SERVER": "http://login1:eighty", "JOBMON_TOKEN": "t"}, "give an address such as http://"),
        ({"JOBMON_SERVER": "http://[::1", "JOBMON_TOKEN": "t"}, "give an address such as http://"),
        ({"JOBMON_SERVER": "http://127.0.0.1:1", "JOBMON_TOKEN": "two\nlines"}, "JOBMON_TOKEN is no token"),
        ({"JOBMON_SERVER": "http://127.0.0.1:1", "JOBMON_TOKEN": "tökèn"}, "JOBMON_TOKEN is no token"),
        ({"JOBMON_DATA": "/n\udcffn"}, "has a name that is not UTF-8"),
    ],
)
def test_an_environment_that_names_half_a_server_is_told_what_is_missing(
    tmp_path: Path, given: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        connect(environment(tmp_path, **given))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"two words"])
def test_a_token_file_that_holds_no_token_is_told_of_and_never_used(tmp_path: Path, content: bytes) -> None:
    token_file = tmp_path / "token"
    token_file.write_bytes(content)
    token_file.chmod(0o600)
    elsewhere = {"JOBMON_SERVER": "http://127.0.0.1:1", "JOBMON_TOKEN_FILE": str(token_file)}
    with pytest.raises(ConfigurationError, match=f"the content of {token_file} is no token"):
        connect(environment(tmp_path, **elsewhere))
    with pytest.raises(ConfigurationError, match=r"delete it to have a new one made\) is no token"):
        DataFolder(tmp_path).token()


def test_a_data_folder_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "start.lock").mkdir()  # nothing is read-only to root, and a folder is no file to anybody
    with pytest.raises(ConfigurationError, match=r"cannot be written \(start.lock: Is a directory\).*JOBMON_DATA"):
        connect(environment(tmp_path))


def test_nobody_who_answers_is_an_unreachable_server(tmp_path: Path) -> None:
    environ = environment(tmp_path, JOBMON_SERVER="http://127.0.0.1:1", JOBMON_TOKEN="t")
    with pytest.raises(ServerUnreachable, match=r"no server answers at http://127.0.0.1:1: Connection refused|refused"):
        connect(environ, start=False)


@pytest.mark.parametrize(
    ("version", "words"), [((1, 0), "upgrade this installation"), ((0, 0), "upgrade the server"), ((0, 2), None)]
)
def test_a_server_of_another_api_says_who_is_to_be_upgraded(
    tmp_path: Path, version: tuple[int, int], words: str | None
) -> None:
    health = msgspec.json.encode(Health("d", version, "9.9", "host", 1))
    with strangers_server(0, health, token="t") as port:
        environ = environment(tmp_path, JOBMON_SERVER=f"http://127.0.0.1:{port}", JOBMON_TOKEN="t")
        if words is None:
            assert connect(environ).database_id == "d"
        else:
            with pytest.raises(ServerIncompatible, match=words):
                connect(environ)


@pytest.mark.parametrize("answer", [b"<html>It works!</html>", b"HTTP/1.0 405 No\r\n\r\nNot allowed", b"{}"])
def test_a_web_server_of_another_kind_is_told_from_ours(tmp_path: Path, answer: bytes) -> None:
    with strangers_server(0, answer) as port:
        environ = environment(tmp_path, JOBMON_SERVER=f"http://127.0.0.1:{port}", JOBMON_TOKEN="t")
        with pytest.raises(ServerError, match="as no Jobmon server would"):
            connect(environ)


def received(lines: IO[bytes]) -> tuple[dict[str, str], bytes]:
    """The headers and the content of a request."""
    lines.readline()
    pairs = (line.decode().strip().split(": ") for line in iter(lines.readline, b"\r\n"))
    headers = {name.lower(): value for name, value in pairs}
    return headers, lines.read(int(headers["content-length"]))


@pytest.mark.parametrize(
    "cut", [b"HTTP/1.0 200 OK\r\nContent-Length: 999\r\n\r\n{", b"HTTP/1.0 200 OK\r\nConte", b"HTTP/"]
)
def test_an_answer_that_breaks_off_is_asked_for_again_under_the_same_request_id(cut: bytes) -> None:
    asked: list[dict[str, str]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            for reply in (cut, b"HTTP/1.0 200 OK\r\n\r\n" + b'{"state":"DONE"}'):
                connection, _ = listener.accept()
                with connection, connection.makefile("rb") as lines:
                    told = proved(HEALTH, received(lines)[1], "secret", connection)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
                    asked.append(received(lines)[0])
                    connection.sendall(reply)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        requester = Requester(f"http://127.0.0.1:{listener.getsockname()[1]}", "secret", patience_s=20)
        assert requester.call(routes.FINISH_RUN, routes.FINISH_RUN.request(1)).state == "DONE"
        thread.join(20)
    assert len(asked) == 2
    assert asked[0]["jobmon-request-id"] == asked[1]["jobmon-request-id"]
    assert asked[0]["authorization"] == "Bearer secret"


def test_a_requester_that_is_stopped_gives_up_at_once_whatever_its_patience() -> None:
    requester = Requester("http://127.0.0.1:1", "t", patience_s=None)
    recovering = threading.Event()
    patient = Requester("http://127.0.0.1:1", "t", recover=lambda: (recovering.set(), "http://127.0.0.1:1")[1])
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(patient.call, routes.HEALTH, ReadHealth())
        assert recovering.wait(10)
        patient.stop()
        assert isinstance(waiting.exception(10), ServerUnreachable)
    requester.stop()
    with pytest.raises(ServerUnreachable, match="have been stopped"):
        requester.call(routes.HEALTH, ReadHealth())


def test_a_process_that_was_stopped_asks_for_its_server_more_than_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = itertools.count(0.0, 1000.0)  # as if it were stopped between any two looks at the clock
    with strangers_server(0, HEALTH, token="t") as port:
        tries = iter([ServerUnreachable("it does not answer yet"), StoreError("its lock is held"), None])

        def recover() -> str:
            if error := next(tries):
                raise error
            return f"http://127.0.0.1:{port}"

        monkeypatch.setattr("jobmon.requester.requester.time", SimpleNamespace(monotonic=lambda: next(seconds)))
        requester = Requester("http://127.0.0.1:1", "t", recover=recover)
        assert requester.call(routes.HEALTH, ReadHealth()).database_id == "d"


def test_a_proxy_of_the_environment_never_sees_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with strangers_server(0, HEALTH, token="t") as port:
        requester = Requester(f"http://127.0.0.1:{port}", "t", patience_s=0)
        assert requester.call(routes.HEALTH, ReadHealth()).database_id == "d"
