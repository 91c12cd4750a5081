"""At which address workers on other hosts reach the server."""

from typing import Any

import attrs
import pytest

from jobmon.errors import ConfigurationError
from jobmon.requester.addresses import Network, address_towards, is_loopback, line_for_the_file
from jobmon.requester.reach import workers_url
from jobmon.wire import routes
from jobmon.wire.health import Listen, Listening

DEFAULT = "192.0.2.1"


@attrs.frozen
class Routes(Network):
    """A network that is made up."""

    ways: dict[str, str] = attrs.field(factory=dict)
    own: tuple[str, ...] = ()

    def source_of(self, host: str) -> str | None:
        return self.ways.get(host)

    def addresses(self) -> list[str]:
        return list(self.own)


@pytest.mark.parametrize(
    ("cluster", "network", "address"),
    [
        ("head", Routes({"head": "10.1.0.5", DEFAULT: "192.168.0.5"}), "10.1.0.5"),
        ("unknown.name", Routes({DEFAULT: "192.168.0.5"}), "192.168.0.5"),
        (None, Routes({DEFAULT: "192.168.0.5"}), "192.168.0.5"),
        (None, Routes({"2001:db8::1": "fd00::5"}), "fd00::5"),
        # The head's name stands beside 127.0.1.1 in /etc/hosts: the head is this host, its nodes may be others.
        ("head", Routes({"head": "127.0.0.1", DEFAULT: "10.1.0.5"}), "10.1.0.5"),
        ("localhost", Routes({DEFAULT: "10.1.0.5"}), "127.0.0.1"),
        ("127.0.0.1", Routes({DEFAULT: "10.1.0.5"}), "127.0.0.1"),
        ("head", Routes({}, ("10.1.0.5",)), "10.1.0.5"),
        ("head", Routes({"head": "127.0.0.1"}), "127.0.0.1"),
        (None, Routes(), "127.0.0.1"),
    ],
)
def test_the_address_is_that_of_the_route_to_the_cluster_or_the_next_best(
    cluster: str | None, network: Routes, address: str
) -> None:
    assert address_towards(cluster, network) == address


def test_one_of_several_addresses_is_not_guessed() -> None:
    with pytest.raises(ConfigurationError, match=r"several addresses and no default route: 10\.1\.0\.5, 10\.2\.0\.5"):
        address_towards(None, Routes({}, ("10.1.0.5", "10.2.0.5")))


def test_the_lines_for_the_file_name_an_address_of_this_host() -> None:
    assert line_for_the_file(Routes({}, ("10.1.0.5",))) == '[server]\nhost = "10.1.0.5"'
    assert line_for_the_file(Routes({}, ("a", "b"))) == '[server]\nhost = "a"   # this host also has b'
    assert line_for_the_file(Routes()) == '[server]\nhost = "ADDRESS"'


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("[::1]", True), ("localhost", True),
        ("10.0.0.1", False), ("0.0.0.0", False), ("head.example", False), ("fe80::1", False),
    ],
)  # fmt: skip
def test_loopback_is_told_by_how_it_is_written(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


class Asked:
    """A server that is asked to listen."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.messages: list[Listen] = []

    def call(self, route: Any, message: Listen) -> Listening:
        assert route is routes.LISTEN
        self.messages.append(message)
        return Listening("http://where.it.listens:1")


@pytest.mark.parametrize(
    ("ours", "host", "cluster", "expected"),
    [
        ("http://127.0.0.1:80", "10.1.0.5", None, "http://where.it.listens:1"),
        ("http://[::1]:80", "10.1.0.5", None, "http://where.it.listens:1"),
        ("http://127.0.0.1:80", "127.0.0.1", None, "http://127.0.0.1:80"),
        ("http://127.0.0.1:80", None, "localhost", "http://127.0.0.1:80"),
        ("http://login1:80", None, None, "http://login1:80"),
        ("http://login1:80", "10.1.0.5", None, "http://login1:80"),
    ],
)
def test_only_a_server_that_is_reached_through_loopback_is_asked_to_listen_elsewhere(
    ours: str, host: str | None, cluster: str | None, expected: str
) -> None:
    server: Any = Asked(ours)
    assert workers_url(server, host=host, port=7, cluster=cluster) == expected
    assert server.messages == ([Listen("10.1.0.5", 7)] if "listens" in expected else [])


def test_the_kernel_tells_the_address_of_the_way_to_loopback() -> None:
    assert Network().source_of("127.0.0.1") == "127.0.0.1"
    assert Network().source_of("no.such.name.invalid") is None
    assert not any(map(is_loopback, Network().addresses()))
