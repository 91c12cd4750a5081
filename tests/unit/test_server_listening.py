"""Where a server listens, and where one that comes after it does."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from jobmon.errors import ConfigurationError
from jobmon.requester.endpoint import Endpoint, Outside
from jobmon.server import listening
from jobmon.server.listening import Listeners, Opened, bind, open_sockets, url_of
from jobmon.wire.health import Listen, Listening

BEYOND = "127.0.0.9"  # stands for an address beyond loopback: nothing in these tests may listen on one


@pytest.fixture(autouse=True)
def beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "is_loopback", lambda host: host in ("127.0.0.1", "localhost", "::1"))


@pytest.fixture
def opened() -> Iterator[list[Opened]]:
    kept: list[Opened] = []
    yield kept
    for one in kept:
        for listener in one.sockets:
            listener.close()


def recorded(port: int, *outside: Outside) -> Endpoint:
    return Endpoint(f"http://127.0.0.1:{port}", "d", "h", "b", 1, 1, outside)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def places(one: Opened) -> list[tuple[str, int]]:
    return [listener.getsockname()[:2] for listener in one.sockets]


def test_the_first_server_of_a_folder_listens_on_loopback_alone(opened: list[Opened]) -> None:
    one = open_sockets(None, None, None)
    opened.append(one)
    assert (one.url, one.outside) == (f"http://127.0.0.1:{one.port}", ())
    assert places(one) == [("127.0.0.1", one.port)]


def test_a_host_that_is_given_is_listened_on_beside_loopback_with_the_same_port(opened: list[Opened]) -> None:
    port = free_port()
    one = open_sockets(None, BEYOND, port)
    opened.append(one)
    assert places(one) == [("127.0.0.1", port), (BEYOND, port)]
    assert one.outside == (Outside(BEYOND, port, f"http://{BEYOND}:{port}"),)


def test_loopback_that_is_given_adds_nothing(opened: list[Opened]) -> None:
    one = open_sockets(None, "localhost", None)
    opened.append(one)
    assert len(one.sockets) == 1


def test_all_recorded_addresses_are_taken_back_and_one_that_is_gone_is_left_out(opened: list[Opened]) -> None:
    port, other = free_port(), free_port()
    here = Outside(BEYOND, other, f"http://{BEYOND}:{other}")
    one = open_sockets(recorded(port, here, Outside("203.0.113.1", 5, "http://203.0.113.1:5")), None, None)
    opened.append(one)
    assert one.url == f"http://127.0.0.1:{port}"
    assert one.outside == (here,)


def test_a_recorded_port_that_others_have_taken_is_replaced(opened: list[Opened]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server((BEYOND, 0)) as another:
        ports = [s.getsockname()[1] for s in (other, another)]
        one = open_sockets(recorded(ports[0], Outside(BEYOND, ports[1], "")), None, None)
        opened.append(one)
        assert one.port != ports[0]
        assert [(o.host, o.port == ports[1]) for o in one.outside] == [(BEYOND, False)]


def test_a_port_that_is_given_and_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1 port {port}: Address already in use.*port"):
            open_sockets(None, None, port)


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.name.invalid"])
def test_what_is_no_address_of_this_host_is_refused_with_the_lines_for_the_file(host: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"cannot listen on {host}") as caught:
        bind(host, [0])
    assert "jobmon.toml:\n[server]\nhost = " in str(caught.value)


def test_a_name_that_means_loopback_here_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    row = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [row])
    with pytest.raises(ConfigurationError, match=r"login1: here the name means 127\.0\.0\.1, where no other host"):
        bind("login1", [0])


def test_addresses_with_colons_stand_in_brackets() -> None:
    assert url_of("fd00::1", 80) == "http://[fd00::1]:80"
    with bind("[::1]", [0]) as listener:
        assert listener.family == socket.AF_INET6


def test_a_running_server_adds_an_address_once_and_records_it(opened: list[Opened]) -> None:
    one = open_sockets(None, None, None)
    opened.append(one)
    served: list[socket.socket] = []
    records: list[tuple[Outside, ...]] = []

    async def ask() -> list[Listening]:
        listeners = Listeners(one, served.append, records.append)
        return [await listeners.listen(Listen(BEYOND)) for _ in range(2)]

    try:
        answers = asyncio.run(ask())
        assert answers == [Listening(f"http://{BEYOND}:{one.port}")] * 2
        assert [s.getsockname() for s in served] == [(BEYOND, one.port)]
        assert records == [(Outside(BEYOND, one.port, answers[0].url),)]
    finally:
        for listener in served:
            listener.close()


def test_a_running_server_refuses_loopback_for_workers_on_other_hosts(opened: list[Opened]) -> None:
    one = open_sockets(None, None, None)
    opened.append(one)
    listeners = Listeners(one, lambda _: None, lambda _: None)
    with pytest.raises(ConfigurationError, match="localhost for workers on other hosts: it is a loopback address"):
        asyncio.run(listeners.listen(Listen("localhost")))
