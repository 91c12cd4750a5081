"""Typed calls to a server, repeated under the same request id until they are answered."""

import random
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import requests
from requests.structures import CaseInsensitiveDict

from jobmon.errors import DatabaseGone, MessageTooLarge, NotAuthorised, ServerError, ServerUnreachable, StoreError
from jobmon.ids import new_request_id
from jobmon.requester.proving import ProvingAdapter, prove, unproven
from jobmon.wire.decoding import Undecodable
from jobmon.wire.health import API_VERSION
from jobmon.wire.problems import Problem, to_error
from jobmon.wire.routes import API_HEADER, REQUEST_ID_HEADER, Route

Request = TypeVar("Request")
Answer = TypeVar("Answer")

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 5.0
_RECOVERY_S = 300.0
_API = ".".join(map(str, API_VERSION))
_UNSET: Any = object()
#: The server is away, or went away in the middle of its answer.
_NO_ANSWER = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Requester:
    """Calls routes of one server. Thread-safe: each thread has a connection of its own.

    While the server is away a call is repeated, with growing pauses, for `patience_s` (None: for ever). `recover` is
    asked before each repetition and may bring the server back; it returns the address to go on with.

    Each new connection begins with the server's proof that it knows the token, which is not sent before. What fails to
    prove it counts as a server that is away, once there was one; through a tunnel (`tunnelled`) no address is compared.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        patience_s: float | None = None,
        recover: Callable[[], str] | None = None,
        data_folder: Path | None = None,
        database_id: str = "",
        tunnelled: bool = False,
    ) -> None:
        self.url = url
        self.token = token
        self.data_folder = data_folder
        self.database_id = database_id
        self._tunnelled = tunnelled
        self._proved = False
        self._patience_s = patience_s
        self._recover = recover
        self._stopped = threading.Event()
        self._local = threading.local()
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "Connection": "keep-alive",
            API_HEADER: _API,
        }

    def stop(self) -> None:
        """Give up: calls that wait for a server, and all later ones, raise ServerUnreachable."""
        self._stopped.set()

    def call(self, route: Route[Request, Answer], message: Request, *, patience_s: float | None = _UNSET) -> Answer:
        """Send the message and return the answer.

        Raises:
            NotAuthorised: what listens there does not know the token, and never did.
            ServerUnreachable: no answer within `patience_s`, or `stop` was called.
            MessageTooLarge: the server takes none of that size; nothing was sent.
            JobmonError: what the server refused the message for.
        """
        patience_s = self._patience_s if patience_s is _UNSET else patience_s
        body = msgspec.json.encode(message)
        if len(body) > route.most_bytes:
            raise MessageTooLarge(f"the message to {route.path} has {len(body)} bytes; {route.most_bytes} are the most")
        request_id = new_request_id() if route.writes else ""
        deadline = None if patience_s is None else time.monotonic() + patience_s
        pause_s, away_s = _FIRST_PAUSE_S, 0.0
        while True:
            try:
                return self._once(route, body, request_id)
            except _NO_ANSWER as error:
                self._forget_connection()
                stranger = unproven(error)
                if stranger is not None and not self._proved:
                    raise stranger.error from error
                if self._stopped.is_set() or (deadline is not None and time.monotonic() + pause_s > deadline):
                    raise ServerUnreachable(f"no server answers at {self.url}: {stranger or _plain(error)}") from error
            self._stopped.wait(pause_s * random.uniform(0.5, 1.0))
            away_s += pause_s  # not by a clock: this process may have been stopped meanwhile, and the server with it
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            self._bring_back(away_s)

    def _bring_back(self, away_s: float) -> None:
        """Have the server started again. What hinders that may pass, such as a server that is just ending."""
        if self._recover is None or self._stopped.is_set():
            return
        try:
            self.url = self._recover()
        except DatabaseGone:
            raise
        except (ServerUnreachable, StoreError):
            if away_s > _RECOVERY_S:
                raise

    def _once(self, route: Route[Request, Answer], body: bytes, request_id: str) -> Answer:
        if self._stopped.is_set():
            raise ServerUnreachable(f"calls to {self.url} have been stopped")
        response = self._send(route.path, body, request_id)
        if not response.content:
            raise requests.ConnectionError("the answer broke off")
        if response.status_code >= 400:
            raise _refusal(response, self.url)
        decoder = self._decoders.get(route.path)
        if decoder is None:
            decoder = self._decoders.setdefault(route.path, msgspec.json.Decoder(route.answer))
        try:
            return decoder.decode(response.content)  # type: ignore[no-any-return]
        except Undecodable as error:
            raise _stranger(response, self.url) from error

    def _send(self, path: str, body: bytes, request_id: str) -> requests.Response:
        """One request over this thread's connection.

        Straight through the adapter: a Session's cookies, redirects and proxies are not wanted here, and cost a third
        of a call.
        """
        adapter: ProvingAdapter | None = getattr(self._local, "adapter", None)
        if adapter is None:
            adapter = self._local.adapter = ProvingAdapter(self._prove)
        request = requests.PreparedRequest()
        request.method = "POST"
        request.url = self.url + path
        request.body = body
        request.headers = CaseInsensitiveDict(self._headers)
        request.headers["Content-Length"] = str(len(body))
        if request_id:
            request.headers[REQUEST_ID_HEADER] = request_id
        return adapter.send(request, timeout=(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S + _waits(body)))

    def _prove(self, connection: socket.socket) -> None:
        prove(connection, self.url, self.token, tunnelled=self._tunnelled)
        self._proved = True

    def _forget_connection(self) -> None:
        adapter: ProvingAdapter | None = getattr(self._local, "adapter", None)
        if adapter is not None:
            adapter.close()
            del self._local.adapter


def _waits(body: bytes) -> float:
    """The long-poll time that the message asks for, which comes on top of the usual limit."""
    return float(msgspec.json.decode(body, type=_Waiting).wait_s) if b'"wait_s"' in body else 0.0


class _Waiting(msgspec.Struct):
    wait_s: float = 0.0


def _refusal(response: requests.Response, url: str) -> Exception:
    try:
        problem = msgspec.json.decode(response.content, type=Problem)
    except Undecodable:
        return _stranger(response, url)
    error = to_error(problem)
    if isinstance(error, NotAuthorised):
        return NotAuthorised(f"{url}: {error}")
    return error


def _stranger(response: requests.Response, url: str) -> ServerError:
    return ServerError(f"{url} answered {response.status_code}, as no Jobmon server would: {response.text[:300]}")


def _plain(error: Exception) -> str:
    reason = getattr(error.args[0], "reason", error) if error.args else error
    return str(reason).rsplit(": ", 1)[-1]
