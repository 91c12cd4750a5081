"""Where a server listens: on loopback for its clients and managers, and beside that for workers on other hosts."""

import asyncio
import errno
import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Sequence

import attrs

from jobmon.errors import ConfigurationError
from jobmon.requester.addresses import LOOPBACK, address_towards, is_loopback, line_for_the_file
from jobmon.requester.endpoint import Endpoint, Outside
from jobmon.wire.health import Listen, Listening

_BACKLOG = 1024
_log = logging.getLogger("jobmon.server")


@attrs.frozen
class Opened:
    """Listening sockets, the first of which is reached at `url` from this host."""

    sockets: list[socket.socket]
    url: str
    outside: tuple[Outside, ...]

    @property
    def port(self) -> int:
        """The port on loopback."""
        return int(self.url.rpartition(":")[2])


def open_sockets(last: Endpoint | None, host: str | None, port: int | None) -> Opened:
    """Listen on loopback and, if it is given, at `host`; and wherever the last server of the data folder did.

    Raises:
        ConfigurationError: it cannot listen at `host` or `port`.
    """
    recorded = [] if last is None else list(last.outside)
    last_port = None if last is None else int(last.url.rpartition(":")[2])
    everywhere = host if host is not None and _is_unspecified(host) else None
    if host is None and last_port is not None:
        everywhere = next((o.host for o in recorded if _is_unspecified(o.host) and o.port == last_port), None)
    ports = [port] if port is not None else [last_port, 0] if last_port is not None else [0]
    first = bind(everywhere or LOOPBACK, ports)
    number = first.getsockname()[1]
    home = "[::1]" if first.family == socket.AF_INET6 else LOOPBACK
    opened = Opened([first], f"http://{home}:{number}", () if everywhere is None else (outside_of(first),))
    if host is not None and everywhere is None and not is_loopback(host):
        opened = _with(opened, bind(host, _ports(opened, recorded, host, port)))
    for place in recorded:
        if not any(o.host == place.host or _is_unspecified(o.host) for o in opened.outside):
            opened = _taken_back(opened, place)
    return opened


def _taken_back(opened: Opened, place: Outside) -> Opened:
    """Listen there again if that can be; whoever needs it asks for it again if not."""
    try:
        return _with(opened, bind(place.host, [place.port, 0]))
    except ConfigurationError as error:
        _log.warning("no longer listening at %s: %s", place.url, error)
        return opened


def _with(opened: Opened, listener: socket.socket) -> Opened:
    return attrs.evolve(opened, sockets=[*opened.sockets, listener], outside=(*opened.outside, outside_of(listener)))


def _ports(opened: Opened, recorded: Sequence[Outside], host: str, port: int | None) -> list[int]:
    if port is not None:
        return [port]
    return [*(place.port for place in recorded if place.host == host), opened.port, 0]


def outside_of(listener: socket.socket) -> Outside:
    """What is recorded of a listener beyond loopback."""
    host, port = listener.getsockname()[:2]
    address = address_towards(None) if _is_unspecified(host) else host
    return Outside(host, port, url_of(address, port))


def url_of(address: str, port: int) -> str:
    """The URL of an address, in brackets where it has colons itself."""
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def bind(host: str, ports: Sequence[int]) -> socket.socket:
    """Listen at a name or an address, at the first of the ports that is free there (0: any).

    Raises:
        ConfigurationError: that is impossible; the text says what to put into jobmon.toml.
    """
    family, address = _resolve(host)
    for port in ports:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE or port == ports[-1]:
                where = host if host.strip("[]") == address else f"{host} ({address})"
                raise _refusal(f"{where} port {port}: {os.strerror(error.errno or 0)}", error.errno) from error
        else:
            return listener
    raise AssertionError("unreachable: the last port returns or raises")


def _resolve(host: str) -> tuple[int, str]:
    """The family and address of a name or an address. Of a name's several addresses one that others can reach."""
    name = host.strip("[]")
    try:
        found = [(row[0], str(row[4][0])) for row in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise _refusal(f"{host}: {error.strerror}") from error
    except ValueError as error:  # a NUL, or a label that is too long for a name
        raise _refusal(f"{host!r}, which is no name of a host") from error
    outward = [(family, address) for family, address in found if not is_loopback(address)]
    if not outward and not is_loopback(name):
        raise _refusal(f"{host}: here the name means {found[0][1]}, where no other host reaches it")
    return int((outward or found)[0][0]), (outward or found)[0][1]


def _refusal(what: str, code: int | None = None) -> ConfigurationError:
    advice = f"Put an address of its host into jobmon.toml:\n{line_for_the_file()}"
    if code in (errno.EADDRINUSE, errno.EACCES):
        advice = "Put another port into jobmon.toml, or none:\n[server]\nport = 8765"
    return ConfigurationError(f"the server cannot listen on {what}. {advice}")


class Listeners:
    """Adds listeners to a server that runs. `serve` has it answer at one, `record` writes down where it listens."""

    def __init__(
        self,
        opened: Opened,
        serve: Callable[[socket.socket], None],
        record: Callable[[tuple[Outside, ...]], None],
    ) -> None:
        self._port, self._outside = opened.port, opened.outside
        self._serve, self._record = serve, record
        self._adding = asyncio.Lock()

    async def listen(self, message: Listen) -> Listening:
        """Listen there, too, from now on.

        Raises:
            ConfigurationError: that is impossible.
        """
        async with self._adding:
            loop = asyncio.get_running_loop()
            _, address = await loop.run_in_executor(None, _resolve, message.host)
            if is_loopback(address):
                raise _refusal(f"{message.host} for workers on other hosts: it is a loopback address")
            for place in self._outside:
                if place.host == address and message.port in (None, place.port):
                    return Listening(place.url)
                if _is_unspecified(place.host) and message.port in (None, place.port):
                    bind(address, [0]).close()  # it is an address of this host
                    return Listening(url_of(address, place.port))
            listener = bind(address, [self._port, 0] if message.port is None else [message.port])
            place = outside_of(listener)
            self._serve(listener)
            self._outside = (*self._outside, place)
            self._record(self._outside)
            _log.info("listening at %s, too, for workers on other hosts", place.url)
            return Listening(place.url)
