"""What listens at the server's address proves to be the server before it is sent a token; once per connection."""

import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from jobmon.errors import JobmonError, NotAuthorised, ServerError
from jobmon.wire import routes
from jobmon.wire.decoding import Undecodable
from jobmon.wire.health import Health, ReadHealth
from jobmon.wire.proof import address_of, is_proof, new_challenge

_WITHIN_S = 20.0
_MOST_BYTES = 64 << 10


class Unproven(OSError):
    """What listens there has not proved to be the server. `error` is for whoever never had one there."""

    def __init__(self, error: JobmonError) -> None:
        self.error = error
        super().__init__(str(error))


def prove(connection: socket.socket, url: str, token: str, *, tunnelled: bool) -> Health:
    """Have the other end of a new connection prove that it knows the token, which is not sent.

    Through a tunnel the server is reached at another address than its own, which can then not be compared.

    Raises:
        Unproven: it does not know it, or is no server of ours at all.
        OSError: it does not answer.
    """
    challenge = new_challenge()
    parts = urlsplit(url)
    body = msgspec.json.encode(ReadHealth(challenge))
    head = (
        f"POST {parts.path}{routes.HEALTH.path} HTTP/1.1\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nAccept-Encoding: identity\r\n\r\n"
    )
    before = connection.gettimeout()
    connection.sendall(head.encode() + body)
    status, content = _answer(connection)
    connection.settimeout(before)
    try:
        health = msgspec.json.decode(content, type=Health)
    except Undecodable:
        health = None
    if health is None or status != "200":
        told = content[:300].decode(errors="replace")
        raise Unproven(ServerError(f"{url} answered {status}, as no Jobmon server would: {told}"))
    if not is_proof(health.proof, token, challenge, health.address, health.database_id):
        raise Unproven(
            NotAuthorised(
                f"what listens at {url} does not know this token, which was not sent: it is the server of another data "
                "folder, one that was started before the token was changed, or a stranger's program. See that the "
                "token is that of the server (the file `token` in its data folder) and the address is right, or end "
                "what listens there"
            )
        )
    if not tunnelled and health.address != address_of(connection.getpeername()):
        raise Unproven(
            NotAuthorised(
                f"what listens at {url} passes on what it is asked to the server, which is at {health.address}: the "
                "token was not sent. End what listens there; for a tunnel of your own set JOBMON_SERVER and "
                "JOBMON_TOKEN_FILE"
            )
        )
    return health


def _answer(connection: socket.socket) -> tuple[str, bytes]:
    """Status and content of a short answer of HTTP, within a time that covers all of it."""
    received, deadline = b"", time.monotonic() + _WITHIN_S
    while not _whole(received):
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        data = connection.recv(1 << 16)
        if not data:
            if b"\r\n\r\n" in received and _length(received) is None:
                break
            raise ConnectionResetError("the answer broke off")
        received += data
        if len(received) > _MOST_BYTES:
            raise ConnectionAbortedError(f"an answer of more than {_MOST_BYTES} bytes")
    head, _, content = received.partition(b"\r\n\r\n")
    return f"{head.decode('latin-1')}  ".split(" ")[1], content


def _whole(received: bytes) -> bool:
    length = _length(received)
    return length is not None and len(received.partition(b"\r\n\r\n")[2]) >= length


def _length(received: bytes) -> int | None:
    """The content's, once the head is there and if it says so."""
    head, end, _ = received.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n") if end else ():
        name, _, value = line.partition(b":")
        if name.strip() == b"content-length" and value.strip().isdigit():
            return int(value[:20])
    return None


def unproven(error: BaseException | None) -> Unproven | None:
    """The failed proof that a call failed for, if it did."""
    while error is not None and not isinstance(error, Unproven):
        error = error.__cause__ or error.__context__
    return error


Prover = Callable[[socket.socket], object]


class _Http(HTTPConnection):
    def __init__(self, *args: Any, prover: Prover, **given: Any) -> None:
        super().__init__(*args, **given)
        self._prover = prover

    def connect(self) -> None:
        super().connect()
        _checked(self, self._prover)


class _Https(HTTPSConnection):
    def __init__(self, *args: Any, prover: Prover, **given: Any) -> None:
        super().__init__(*args, **given)
        self._prover = prover

    def connect(self) -> None:
        super().connect()
        _checked(self, self._prover)


def _checked(connection: HTTPConnection, prover: Prover) -> None:
    assert connection.sock is not None
    try:
        prover(connection.sock)
    except BaseException:
        connection.close()
        raise


class ProvingAdapter(HTTPAdapter):
    """Carries requests over one connection at a time, each of which `prover` is asked about before anything else."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **given: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, **given)
        self.poolmanager.pool_classes_by_scheme = {
            "http": self._pools(HTTPConnectionPool, _Http),
            "https": self._pools(HTTPSConnectionPool, _Https),
        }

    def _pools(self, pool: type[HTTPConnectionPool], connection: type[_Http | _Https]) -> Any:
        def make(*args: Any, **given: Any) -> HTTPConnectionPool:
            made = pool(*args, **given)
            made.ConnectionCls = lambda *a, **k: connection(*a, prover=self._prover, **k)  # type: ignore[assignment]
            return made

        return make
