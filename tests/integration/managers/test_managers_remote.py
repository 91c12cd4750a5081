"""Executors whose workers run on other hosts: the server's address for them, shared folders, the platform's output."""

import json
from pathlib import Path

import pytest

from jobmon.config import ServerConfig
from jobmon.errors import ConfigurationError
from jobmon.managers import session
from jobmon.plugins import Absent, Accepted, Exited, Reporting
from jobmon.states.evidence import Sighting
from jobmon.states.names import InstanceState as S
from jobmon.wire.health import Listen, Listening


@pytest.fixture
def listens(server):
    """What the server answers when it is asked to listen elsewhere; an exception is raised."""
    answers = []
    server.url = "http://127.0.0.1:80"

    def on_server_listen(_message):
        answer = answers[0] if len(answers) == 1 else answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Listening(answer)

    server.on_server_listen = on_server_listen
    return answers


def start_file(argv):
    return json.loads(Path(argv[argv.index("run") + 1]).read_text())


@pytest.fixture
def started(platform):
    """The start files of what is submitted, in order."""
    files = []

    def submit(executor, requests):
        for request in requests:
            files.append(start_file(request.worker_argv))
            platform.has[request.token] = Absent
            yield request.token, Accepted("7")

    platform.submit = submit
    return files


def test_workers_are_told_where_the_server_listens_for_them_and_read_it_again_from_a_file(
    server, listens, started, manage
):
    listens.append("http://10.1.0.5:80")
    server.queue("a")
    manage(Reporting.WORKER, elsewhere=ServerConfig("10.1.0.5", 80), start_wait_s=1.5, report_wait_s=2.5, grace_s=3.5)
    server.until(lambda: server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR))
    asked = [message for message in server.messages if isinstance(message, Listen)]
    assert asked[0] == Listen("10.1.0.5", 80)
    [told] = started
    assert told["server"] == "http://10.1.0.5:80"
    assert [told[key] for key in ("start_wait_s", "report_wait_s", "grace_s")] == [1.5, 2.5, 3.5]
    assert json.loads(Path(told["endpoint"]).read_text()) == {"url": "http://10.1.0.5:80"}

    with server.changed:
        listens[:] = ["http://10.1.0.5:81"]  # it was started again, and the port was taken
        n = len(server.messages)
    server.until(lambda: sum(isinstance(message, Listen) for message in server.messages[n:]) > 1)
    assert json.loads(Path(told["endpoint"]).read_text()) == {"url": "http://10.1.0.5:81"}


def test_nothing_is_submitted_until_workers_could_reach_the_server_and_the_user_is_told_why(
    server, listens, started, platform, manage, monkeypatch
):
    monkeypatch.setattr(session, "_REACH_AGAIN_S", 0.02)
    listens.append(ConfigurationError("the server cannot listen on 10.9.9.9.\n[server]"))
    server.queue("a")
    manage(Reporting.WORKER, elsewhere=ServerConfig("10.9.9.9"))
    said = "its workers cannot reach the server: the server cannot listen on 10.9.9.9. [server]"
    server.until(lambda: server.notes and server.notes[-1].get("fake") == said)
    assert started == []
    with server.changed:
        listens[:] = ["http://10.9.9.9:80"]
    server.until(lambda: server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR))
    server.until(lambda: server.notes[-1].get("fake", "") == "")


def test_a_cluster_of_this_host_alone_uses_loopback(server, listens, started, platform, manage):
    platform.cluster = "localhost"
    server.queue("a")
    manage(Reporting.WORKER, elsewhere=ServerConfig())
    server.until(lambda: server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR))
    assert started[0]["server"] == "http://127.0.0.1:80"
    assert not any(isinstance(message, Listen) for message in server.messages)


def test_what_nodes_need_lies_in_the_shared_folder_and_can_be_read_by_its_user_alone(
    server, listens, started, manage, tmp_path
):
    listens.append("http://10.1.0.5:80")
    server.queue("a")
    manage(Reporting.WORKER, elsewhere=ServerConfig("10.1.0.5"), shared_folder=str(tmp_path / "shared"))
    server.until(lambda: server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR))
    own = list((tmp_path / "shared").iterdir())
    assert len(own) == 1
    assert own[0].stat().st_mode & 0o777 == 0o700
    for key in ("endpoint", "outbox"):
        assert Path(started[0][key]).is_relative_to(own[0])
    found = {path.parent.name for path in own[0].rglob("*.json")}
    assert "starts" in found
    assert len(list(own[0].glob("worker-*.pyz"))) == 1


def test_the_platforms_output_is_quoted_of_what_is_gone_without_a_report(server, platform, manage):
    def submit(executor, requests):
        for request in requests:
            path = executor.context.output_path(token=request.token)
            path.write_text("x" * 5000 + "\nbash: /opt/python9: No such file or directory\n")
            platform.has[request.token] = Absent
            yield request.token, Accepted("7")

    platform.submit = submit
    server.queue("a")
    manage(Reporting.WORKER)
    server.until(lambda: len(server.seen(Sighting.ABSENT)) > 1)
    first, second = server.seen(Sighting.ABSENT)[:2]
    assert first.output is None  # its report may be on its way
    assert second.output == "bash: /opt/python9: No such file or directory"
    note = {"fake": f"1 gone without a report, saying: {second.output}"}
    server.until(lambda: note in server.notes)


def test_the_platforms_output_is_removed_with_the_end_of_its_attempt_unless_something_stands_in_it(
    server, listens, platform, manage
):
    listens.append("http://10.1.0.5:80")
    paths = {}

    def submit(executor, requests):
        for request in requests:
            paths[request.task_name] = executor.context.output_path(token=request.token)
            paths[request.task_name].write_text("" if request.task_name == "silent" else "slurmstepd: error")
            platform.has[request.token] = Exited(0)
            yield request.token, Accepted("7")

    platform.submit = submit
    server.queue("silent", "loud")
    manager = manage(Reporting.WORKER, elsewhere=ServerConfig("10.1.0.5"))
    server.until(server.all_done(2))
    manager.stop()
    assert manager.join(20)
    assert [paths[name].exists() for name in ("silent", "loud")] == [False, True]
