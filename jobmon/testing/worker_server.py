"""A stand-in for the server's four worker routes, for tests of whatever starts workers: real HTTP, no database.

It speaks through the messages of `jobmon.wire`, so a worker that strays from them fails against it.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec

from jobmon.wire import routes
from jobmon.wire.health import API_VERSION, Health, ReadHealth
from jobmon.wire.jobs import Call, Command
from jobmon.wire.proof import address_of, proof_of
from jobmon.wire.workers import (
    FinishAttempts,
    FinishReport,
    GiveBackAttempts,
    Heartbeat,
    HeartbeatAnswer,
    ReportsRecorded,
    Start,
    StartAttempts,
    Starts,
    Work,
)

CREDENTIAL = "00ff"
USER_TOKEN = "user-token"


class WorkerServer:
    """Hands out work by token and keeps what comes back. Listens on loopback between `listen` and `shut`."""

    def __init__(self, *, heartbeat_s: float = 30.0, orphan_after_s: float = 900.0) -> None:
        self.work: dict[str, Work] = {}
        self.heartbeat_s = heartbeat_s
        self.orphan_after_s = orphan_after_s
        self.end: set[str] = set()  #: tokens whose workers are told to end their commands
        self.superseded: set[str] = set()
        self.fail_next: dict[str, int] = {}  #: by path: how many requests are carried out and their answers lost
        self.winners: dict[str, str] = {}
        self.requests: list[tuple[str, str, Any]] = []  #: (path, request id, message), in order
        self._open = threading.Event()
        self._open.set()
        self._changed = threading.Condition()
        self._http: ThreadingHTTPServer | None = None
        self._port = 0

    def listen(self) -> None:
        """Begin to answer; again on the same port after `shut`."""
        server = self

        class Handler(_Handler):
            owner = server

        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._http.daemon_threads = True
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def hold(self) -> None:
        """Carry out what is asked, and keep the answers back until `release`."""
        self._open.clear()

    def release(self) -> None:
        """Let the answers go."""
        self._open.set()

    def shut(self) -> None:
        """Stop to answer, as a server that was killed: connections break."""
        self.release()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    @property
    def listening(self) -> bool:
        """Whether it answers."""
        return self._http is not None

    @property
    def url(self) -> str:
        """Where it listens, or did."""
        return f"http://127.0.0.1:{self._port}"

    def give(self, token: str, folder: Path, *, shell: str | None = None, **more: Any) -> Work:
        """Have work ready for a token; its output goes to `out` and `err` in the folder."""
        call: Call | None = more.pop("call", None)
        command = None if call is not None else Command(shell, more.pop("argv", None))
        places = {"cwd": str(folder), "stdout": str(folder / "out"), "stderr": str(folder / "err"), "env": {}}
        self.work[token] = Work(**(places | more), command=command, call=call)
        return self.work[token]

    def start_file(self, token: str, folder: Path, **more: Any) -> Path:
        """A start file for a worker of that token."""
        start = {
            "server": self.url,
            "endpoint": None,
            "token": token,
            "credential": CREDENTIAL,
            "start_wait_s": 20.0,
            "report_wait_s": 20.0,
            "outbox": str(folder / "outbox"),
        }
        path = folder / f"{token}.start"
        path.write_bytes(msgspec.json.encode(start | more))
        path.chmod(0o600)
        return path

    def reports(self, token: str) -> list[FinishReport]:
        """The reports that came for a token."""
        return [r for _, _, m in self.requests if isinstance(m, FinishAttempts) for r in m.reports if r.token == token]

    def wait_for(self, path: str, count: int = 1, timeout_s: float = 20.0) -> Any:
        """The message of the last of so many requests to a path, as soon as they have come.

        Raises:
            TimeoutError: they have not, in time.
        """

        def found() -> list[Any]:
            return [message for where, _, message in self.requests if where == path]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, timeout_s):
                raise TimeoutError(f"{path} was called {len(found())} times, not {count}, in {timeout_s} s")
            return found()[count - 1]

    def wait_for_report(self, token: str, timeout_s: float = 20.0) -> FinishReport:
        """The first report of a token, as soon as it has come.

        Raises:
            TimeoutError: it has not, in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: bool(self.reports(token)), timeout_s):
                raise TimeoutError(f"no report of {token} came in {timeout_s} s")
            return self.reports(token)[0]

    def answer(self, path: str, request_id: str, content: bytes) -> bytes | None:
        """What to answer; None for a break of the connection. Called by the handler's threads."""
        message = msgspec.json.decode(content, type=routes.ROUTES[path].request)
        with self._changed:
            self.requests.append((path, request_id, message))
            self._changed.notify_all()
            answer = self._carry_out(message)
            if self.fail_next.get(path, 0) > 0:
                self.fail_next[path] -= 1
                return None
        self._open.wait()
        return msgspec.json.encode(answer)

    def who(self, content: bytes, address: str) -> bytes:
        """Who answers at that address, with a proof for whoever asks for one."""
        asked = msgspec.json.decode(content, type=ReadHealth)
        key = CREDENTIAL if asked.attempt else USER_TOKEN
        proof = "" if asked.challenge is None else proof_of(key, asked.challenge, address, "stand-in")
        return msgspec.json.encode(
            Health("stand-in", API_VERSION, "0", "localhost", os.getpid(), address=address, proof=proof)
        )

    def _carry_out(self, message: Any) -> Starts | HeartbeatAnswer | ReportsRecorded:
        match message:
            case StartAttempts():
                starts = [self._start(token, message.worker_id) for token in message.tokens]
                return Starts(starts, self.heartbeat_s, self.orphan_after_s)
            case Heartbeat():
                return HeartbeatAnswer([token for token in message.tokens if token in self.end])
            case FinishAttempts():
                return ReportsRecorded([r.token for r in message.reports if r.token in self.superseded])
            case GiveBackAttempts():
                return ReportsRecorded([])
        raise TypeError(f"{message!r} is no message of a worker")

    def _start(self, token: str, worker_id: str) -> Start:
        if token not in self.work:
            return Start(token, None, "no such attempt")
        if self.winners.setdefault(token, worker_id) != worker_id:
            return Start(token, None, "it was started by another worker")
        return Start(token, self.work[token])


class _Handler(BaseHTTPRequestHandler):
    owner: WorkerServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.owner.listening:
            self.close_connection = True
            return
        if self.path == routes.HEALTH.path:
            self._send(200, self.owner.who(content, address_of(self.connection.getsockname())))
            return
        credentials = (f"Worker {CREDENTIAL}", f"Bearer {USER_TOKEN}")
        if self.headers["Authorization"] not in credentials or self.headers[routes.API_HEADER] != "0.1":
            self._send(401, b'{"type": "NotAuthorised", "status": 401, "detail": "wrong credential"}')
            return
        answer = self.owner.answer(self.path, self.headers[routes.REQUEST_ID_HEADER], content)
        if answer is None:
            self.close_connection = True
            return
        self._send(200, answer)

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing: the tests' output is for the tests."""


@contextmanager
def worker_server(**settings: Any) -> Iterator[WorkerServer]:
    """A server that listens, and no more afterwards."""
    server = WorkerServer(**settings)
    server.listen()
    try:
        yield server
    finally:
        server.shut()
