"""Whoever listens where the server did gets neither the user's token nor a worker's credential, nor gives a command."""

import subprocess
import sys
from pathlib import Path

import pytest
from serving import embedded, end_server, endpoint_of, environment, serving
from strangers import stranger

from jobmon.errors import NotAuthorised, ServerUnreachable
from jobmon.requester import Requester, connect
from jobmon.requester.endpoint import DataFolder, write_private
from jobmon.testing.worker_server import CREDENTIAL, WorkerServer, worker_server
from jobmon.wire import routes
from jobmon.wire.health import ReadHealth
from jobmon.wire.runs import ReadWorkflows
from jobmon.worker.attempt import NOT_STARTED
from jobmon.worker.build import build_worker


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_a_stranger_on_the_old_port_never_gets_the_token(tmp_path: Path) -> None:
    with embedded(tmp_path) as requester:
        first, token = endpoint_of(tmp_path), requester.token
        impatient = Requester(first.url, token, patience_s=0)
        assert impatient.call(routes.WORKFLOWS, ReadWorkflows()).workflows == []
        end_server(tmp_path)
        with stranger(port_of(first.url), first.database_id) as there:
            with pytest.raises(ServerUnreachable, match="does not know this token, which was not sent"):
                impatient.call(routes.WORKFLOWS, ReadWorkflows())
            with pytest.raises(NotAuthorised, match="does not know this token"):
                Requester(first.url, token).call(routes.WORKFLOWS, ReadWorkflows())
            assert requester.call(routes.WORKFLOWS, ReadWorkflows()).workflows == []
        assert requester.url == endpoint_of(tmp_path).url != first.url
        assert there.heard.count(b"challenge") >= 3
        assert b"uthorization" not in there.heard
        assert token.encode() not in there.heard


def test_a_stranger_who_passes_everything_on_to_the_server_never_gets_the_token(tmp_path: Path) -> None:
    with serving(tmp_path, held=True):
        real, token = endpoint_of(tmp_path), DataFolder(tmp_path).token()
        with stranger(0, real.database_id, behind=port_of(real.url)) as between:
            url = f"http://127.0.0.1:{between.port}"
            with pytest.raises(NotAuthorised, match="passes on what it is asked to the server"):
                Requester(url, token, patience_s=0).call(routes.WORKFLOWS, ReadWorkflows())
            assert b"challenge" in between.heard
            assert b"uthorization" not in between.heard
            assert token.encode() not in between.heard
            tunnel = Requester(url, token, patience_s=0, tunnelled=True)  # the user has said that it is the way
            assert tunnel.call(routes.HEALTH, ReadHealth()).database_id == real.database_id


def test_a_token_that_is_not_the_servers_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobmon.requester.embedded._UNPROVEN_S", 0.1)
    with serving(tmp_path, held=True):
        write_private(tmp_path / "token", b"another")
        for start in (True, False):
            with pytest.raises(NotAuthorised, match=r"does not know this token.*started before the token was changed"):
                connect(environment(tmp_path), start=start)


def work_of(folder: Path, owner: WorkerServer, **start: object) -> tuple[int, str]:
    """The end of a worker whose start file names that address."""
    file = owner.start_file("jtoken", folder, start_wait_s=0.2, **start)
    argv = [sys.executable, "-I", "-S", str(build_worker(folder)), "run", str(file)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


@pytest.mark.parametrize("relays", [False, True])
def test_a_stranger_gives_a_worker_no_command_and_never_gets_its_credential(tmp_path: Path, relays: bool) -> None:
    with worker_server() as server:
        server.give("jtoken", tmp_path, shell="touch ran")
        with stranger(0, "stand-in", port_of(server.url) if relays else None) as there:
            url = f"http://127.0.0.1:{there.port}"
            status, said = work_of(tmp_path, server, server=url)
            assert (status, server.winners) == (NOT_STARTED, {})
            assert "does not prove to be the server of this attempt; it was sent no secret" in said
            assert b"challenge" in there.heard
            for secret in (f"Worker {CREDENTIAL}", "Authorization", "/attempts/start"):
                assert secret.encode() not in there.heard
            if relays:
                assert work_of(tmp_path, server, server=url, direct=False)[0] == 0  # a tunnel of the user's
                assert (tmp_path / "ran").exists()
