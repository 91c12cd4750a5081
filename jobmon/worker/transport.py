"""HTTP over one plain socket: JSON out, JSON in, kept alive. What the server's routes need of HTTP and no more."""

from __future__ import annotations

import _socket
import os

from .compact import dumps, loads
from .proof import address_of, is_proof

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HEALTH = "/health"
START = "/attempts/start"
HEARTBEAT = "/attempts/heartbeat"
FINISH = "/attempts/finish"
GIVE_BACK = "/attempts/give-back"
API = "0.1"
_MOST_HEAD_BYTES = 1 << 20  # and what came with it
_MOST_BYTES = 256 << 20  # of an answer: a call with the results that it takes has at most about 64 MB


class Unreachable(Exception):
    """No usable answer came: nobody listens, the connection broke, or the server is in trouble. Worth repeating."""


class Refused(Exception):
    """The server answered that the request is wrong. Repeating it cannot help. `kind` is the problem's type."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        super().__init__(text)


class Server:
    """The server, as one attempt sees it. It proves that it knows the credential before it is sent it.

    Where it is reached at an address of its own (`direct`), not through a tunnel, that address is compared.
    """

    def __init__(
        self, url: str, credential: str, endpoint: str | None, *, direct: bool = True, timeout_s: float = 10.0
    ) -> None:
        self.url = url
        self._credential = credential
        self._endpoint = endpoint
        self._direct = direct
        self._timeout_s = timeout_s
        self._socket: _socket.socket | None = None

    def post(self, path: str, body: dict[str, Any], request_id: str) -> dict[str, Any]:
        """The answer to one write. The caller repeats it, with the same request id, when it does not get through.

        Raises:
            Unreachable: no usable answer; the next call tries the address that the endpoint file then names.
            Refused: the server says that the request is wrong.
        """
        content = dumps(body).encode()
        try:
            try:
                reused = self._socket is not None
                status, answer = self._exchange(path, content, request_id)
            except (OSError, EOFError):
                if not reused:
                    raise
                self._close()  # a connection kept alive that the server had closed meanwhile
                status, answer = self._exchange(path, content, request_id)
            message = loads(answer)
        except (OSError, EOFError, ValueError) as error:
            self._lost()
            raise Unreachable(f"{self.url}: {type(error).__name__}: {error}") from error
        if not isinstance(message, dict):
            self._lost()
            raise Unreachable(f"{self.url}: what answers there is no Jobmon server")
        if status == 200:
            return message
        text = f"{self.url}{path}: {status} {message.get('detail', message)}"
        # 401 and 404 as well: another server may stand at an address that was once ours.
        if status >= 500 or status in (401, 403, 404, 408, 429):
            self._lost()
            raise Unreachable(text)
        raise Refused(str(message.get("type")), text)

    def _exchange(self, path: str, content: bytes, request_id: str) -> tuple[int, bytes]:
        if self._socket is None:
            host, port, _ = split_url(self.url)
            connection = _connect(host, port, self._timeout_s)
            try:
                self._prove(connection)
            except BaseException:
                connection.close()
                raise
            self._socket = connection
        secret = f"Authorization: Worker {self._credential}\r\nJobmon-Request-Id: {request_id}\r\n"
        status, answer, keep = self._send(self._socket, path, content, secret)
        if not keep:
            self._close()
        return status, answer

    def _prove(self, connection: _socket.socket) -> None:
        """Have whoever listens there prove to be the server: another one could give a command of his own.

        Raises:
            ValueError: it does not.
        """
        challenge = os.urandom(16).hex()
        asked = {"challenge": challenge, "attempt": self._credential.partition(".")[0]}
        status, answer, _ = self._send(connection, HEALTH, dumps(asked).encode(), "")
        reached_at = address_of(connection.getpeername()) if self._direct else None
        try:
            health = loads(answer) if status == 200 else None
        except RecursionError as error:
            raise ValueError("what listens there is no server") from error
        if not is_proof(health, self._credential, challenge, reached_at):
            raise ValueError(
                "what listens there does not prove to be the server of this attempt; it was sent no secret"
            )

    def _send(self, connection: _socket.socket, path: str, content: bytes, more: str) -> tuple[int, bytes, bool]:
        host, port, prefix = split_url(self.url)
        named = f"[{host}]" if ":" in host else host
        head = (
            f"POST {prefix}{path} HTTP/1.1\r\nHost: {named}:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nJobmon-Api: {API}\r\n{more}\r\n"
        )
        connection.sendall(head.encode("ascii") + content)
        return _read_answer(connection)

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _lost(self) -> None:
        """Forget the connection; take the server's new address, if it has moved."""
        self._close()
        if self._endpoint is None:
            return
        try:
            with open(self._endpoint, encoding="utf-8") as file:
                url = loads(file.read())["url"]
            split_url(url)
        except (OSError, ValueError, KeyError, TypeError):
            return  # there is none now, or not a whole one: the server's starter writes it anew
        self.url = url


def split_url(url: str) -> tuple[str, int, str]:
    """Host, port and path prefix of an `http://` address.

    Raises:
        ValueError: it is not one.
    """
    scheme, separator, rest = url.partition("://")
    if scheme != "http" or not separator:
        raise ValueError(f"{url!r} is not an http:// address")
    where, _, prefix = rest.partition("/")
    host, separator, port = where.rpartition(":")
    if not separator or port.endswith("]"):
        host, port = where, "80"
    return host.strip("[]"), int(port), "/" + prefix.strip("/") if prefix.strip("/") else ""


def new_request_id() -> str:
    """An id for one write; a repetition carries the same."""
    return os.urandom(12).hex()


def _connect(host: str, port: int, timeout_s: float) -> _socket.socket:
    failed: OSError | None = None
    # As bytes: for text Python would load its tables of international names.
    for family, kind, protocol, _, address in _socket.getaddrinfo(host.encode("ascii"), port, 0, _socket.SOCK_STREAM):
        connection = _socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout_s)
            connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            connection.connect(address)
            return connection
        except OSError as error:
            connection.close()
            failed = error
    raise failed or OSError(f"{host} has no address")


def _read_answer(connection: _socket.socket) -> tuple[int, bytes, bool]:
    """Status, content, and whether the connection can be used again.

    Raises:
        EOFError: the connection ended before the answer did.
        ValueError: it is not an HTTP answer with a Content-Length.
    """
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
        if len(received) > _MOST_HEAD_BYTES:
            raise ValueError("not an answer of a Jobmon server: it does not begin")
    head, _, content = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    version, status = first.split(None, 2)[:2]
    if not version.startswith("HTTP/1.") or "content-length" not in headers:
        raise ValueError(f"not an answer of a Jobmon server: {first[:100]!r}")
    length = int(headers["content-length"])
    if length > _MOST_BYTES:
        raise ValueError(f"an answer of {length} bytes")
    pieces, missing = [content], length - len(content)
    while missing > 0:
        pieces.append(_receive(connection))
        missing -= len(pieces[-1])
    keep = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return int(status), b"".join(pieces), keep


def _receive(connection: _socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise EOFError("the server closed the connection")
    return data
