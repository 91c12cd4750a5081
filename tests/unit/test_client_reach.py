"""What remote workers need is seen to before anything of a workflow starts."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobmon import BashTask, Workflow
from jobmon.client.reach import make_reachable
from jobmon.config import Config, HostSettings, NamedExecutor, ServerConfig
from jobmon.errors import ConfigurationError
from jobmon.managers.folders import folders_of
from jobmon.plugins import Executor, NoSettings, Placement, SchedulerUnavailable
from jobmon.plugins.registry import Registry
from jobmon.wire.health import Listen, Listening


class Local(Executor):
    name, api_version = "local", (1, 0)


class Remote(Executor):
    name, api_version, placement = "remote", (1, 0), Placement.REMOTE

    def cluster_host(self) -> str | None:
        if isinstance(self.settings, Exception):
            raise self.settings
        return "localhost"


class Server:
    """Listens wherever it is asked to, or not at all."""

    url = "http://127.0.0.1:80"
    data_folder: Path | None = None

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def call(self, _route: Any, message: Listen) -> Listening:
        if self.error is not None:
            raise self.error
        return Listening(f"http://{message.host}:80")


def named(name: str, cls: type[Executor], *, host: str | None = None, settings: Any = None, **more: Any) -> Any:
    return NamedExecutor(name, cls, settings or NoSettings(), HostSettings(**more), False, ServerConfig(host))


def lines(server: Server, *executors: Any) -> list[str]:
    return list(make_reachable(executors, server))  # type: ignore[arg-type]


def test_it_is_said_where_the_server_listens_and_for_whom() -> None:
    executors = [named("here", Local), named("a", Remote, host="10.1.0.5"), named("b", Remote, host="10.1.0.5")]
    assert lines(Server(), *executors) == ["the server listens at http://10.1.0.5:80, too, for workers of a, b"]


def test_a_data_folder_that_nodes_may_not_see_is_told_until_another_one_is_set(tmp_path: Path) -> None:
    server = Server()
    server.data_folder = Path("/local/me")
    _, told = lines(server, named("a", Remote, host="10.1.0.5"))
    assert told.startswith("workers of a look for their files below /local/me; if their hosts do not see that, set")
    assert len(lines(server, named("a", Remote, host="10.1.0.5", shared_folder=str(tmp_path)))) == 1
    assert lines(server, named("of this host", Remote)) == []


def test_nothing_is_said_where_nothing_is_to_be_done() -> None:
    refuses = Server(AssertionError("it was asked"))
    assert lines(refuses, named("here", Local, host="10.1.0.5"), named("of this host", Remote)) == []


def test_a_server_that_cannot_listen_there_is_refused_with_the_executors_name() -> None:
    server = Server(ConfigurationError('the server cannot listen on 10.9.9.9. ...:\n[server]\nhost = "10.1.0.5"'))
    with pytest.raises(ConfigurationError, match="workers of executor 'a' run on other hosts, and the server") as told:
        lines(server, named("a", Remote, host="10.9.9.9"))
    assert str(told.value).endswith('[server]\nhost = "10.1.0.5"')


def test_a_scheduler_that_does_not_answer_the_client_hinders_nothing() -> None:
    away = named("a", Remote, host="10.1.0.5", settings=SchedulerUnavailable("no such command"))
    assert len(lines(Server(), away)) == 1


def test_a_shared_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"of \[executors\.a\.host\]: .*/file/.* Not a directory"):
        lines(Server(), named("a", Remote, shared_folder=str(tmp_path / "file")))


def test_a_relative_shared_folder_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="shared means another folder to each process"):
        lines(Server(), named("a", Remote, shared_folder="shared"))


def test_a_workflow_whose_workers_could_not_reach_the_server_is_refused_before_its_run_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class OneType(Registry):
        def names(self) -> list[str]:
            return ["remote"]

        def load(self, _name: str) -> type[Executor]:
            return Remote

    class Refusing(Server):
        def call(self, route: Any, message: Any, **_: Any) -> Listening:
            heard.append(route.path)
            return super().call(route, message)

    heard: list[str] = []
    monkeypatch.setattr("jobmon.client.workflow.Registry", OneType)
    workflow = Workflow("w", executor="remote")
    workflow.add_task(BashTask("true"))
    config = Config(folder=Path("/"), server=ServerConfig("10.9.9.9"))
    server: Any = Refusing(ConfigurationError("the server cannot listen on 10.9.9.9"))
    with pytest.raises(ConfigurationError, match=r"workers of executor 'remote' .* cannot listen on 10\.9\.9\.9"):
        workflow.run(requester=server, config=config, progress=False)
    assert heard == ["/server/listen"]


def test_a_shared_folder_that_others_can_use_is_refused(tmp_path: Path) -> None:
    theirs = tmp_path / f"jobmon-{os.getuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)
    with pytest.raises(ConfigurationError, match=r"other users can write it \(mode 0777\)"):
        lines(Server(), named("a", Remote, shared_folder=str(tmp_path)))
    theirs.chmod(0o755)
    with pytest.raises(ConfigurationError, match="would hold the credentials of workers, and others can use it"):
        lines(Server(), named("a", Remote, shared_folder=str(tmp_path)))
    theirs.chmod(0o700)
    assert lines(Server(), named("a", Remote, shared_folder=str(tmp_path))) == []


def test_only_the_executors_own_state_stays_in_the_data_folder(tmp_path: Path) -> None:
    requester: Any = SimpleNamespace(data_folder=tmp_path / "data", database_id="d" * 32)
    folders = folders_of(requester, 7, "my cluster", str(tmp_path / "shared"))
    mine = tmp_path / "shared" / f"jobmon-{os.getuid()}"
    assert folders.shared == mine
    assert folders.state == tmp_path / "data" / "managers" / "dddddddd" / "7-my_cluster" / "state"
    assert folders.output_path("j1") == mine / "dddddddd" / "7-my_cluster" / "platform" / "j1.out"
    assert folders.output_path("j1", "%a").name == "j1.%a.out"
    assert {folder.stat().st_mode & 0o777 for folder in (folders.starts, folders.outbox, mine)} == {0o700}


@pytest.mark.parametrize("host", [7, "", "a host", b"localhost"])
def test_what_is_no_name_of_a_host_is_left_out(host: object, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def address(_requester: object, *, cluster: str | None, **_: object) -> str:
        asked.append(cluster)
        return Server.url

    monkeypatch.setattr("jobmon.client.reach.workers_url", address)
    monkeypatch.setattr(Remote, "cluster_host", lambda _: host)
    assert lines(Server(), named("a", Remote)) == []
    assert asked == [None]
