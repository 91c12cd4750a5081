"""What a connection may take before anybody has proved who he is: bounds of size, of time and of number."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import Response
from uvicorn.config import Config
from uvicorn.server import ServerState

from jobmon.server import connections
from jobmon.server.admission import CALLER, Admission
from jobmon.server.connections import Connection, Connections
from jobmon.server.credentials import Credentials
from jobmon.wire.bounds import MOST_BYTES, MOST_BYTES_OF_A_WORKER, MOST_HEAD_BYTES, MOST_HEAD_LINES

CREDENTIALS = Credentials("secret", b"key")
TOKEN = "j" + "1" * 26
USER, WORKER = "Bearer secret", f"Worker {CREDENTIALS.for_attempt(TOKEN)}"


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.said_end = self.closed = self.aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def write_eof(self) -> None:
        self.said_end = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """It matters to nobody."""

    def resume_reading(self) -> None:
        """Nor does this."""


@attrs.define
class Server:
    """Connections to an application that says what it was asked, and how much of a body it has read."""

    all: Connections
    read: list[int] = attrs.field(factory=list)

    def connect(self) -> tuple[Connection, Wire]:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            message = await receive()
            self.read.append(len(message["body"]))
            await Response(scope[CALLER].name)(scope, receive, send)

        config = Config(Admission(app, CREDENTIALS), ws="none", lifespan="off", log_config=None)
        wire = Wire()
        connection = self.all.protocol(config=config, server_state=ServerState(), app_state={})
        connection.connection_made(wire)
        return connection, wire


def head(path: str = "/workflows", auth: str = "", length: int = 0, more: str = "") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", "Jobmon-Api: 0.1"]
    lines += [f"Authorization: {auth}"] if auth else []
    return ("\r\n".join(lines) + "\r\n" + more + "\r\n").encode()


async def answered() -> None:
    """Let the application's tasks go to their ends."""
    for _ in range(10):
        await asyncio.sleep(0)


def on_a_server(body: Callable[[Server], Awaitable[None]], descriptors: int = 10_000) -> None:
    async def main() -> None:
        await body(Server(Connections(descriptors)))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (head(length=4 << 20), b"401"),
        (head(auth="Bearer wrong", length=4 << 20), b"401"),
        (head(auth=f"Worker {TOKEN}.00", length=4 << 20), b"401"),
        (head(auth="Worker", length=4 << 20), b"401"),
        (head("/attempts/finish", WORKER, MOST_BYTES_OF_A_WORKER + 1), b"413"),
        (head("/workflows", WORKER, 2), b"401"),
        (head("/nothing", WORKER, 2), b"401"),
        (head(auth=USER, length=MOST_BYTES + 1), b"413"),
        (head(auth=USER, length=10**17), b"413"),
        (head("/health", "", 1 << 20), b"413"),
        (head("/nothing"), b"401"),
        (head(auth=USER).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"), b"400"),
        (head(auth=USER, more=f"Jobmon-Request-Id: {'x' * 65}\r\n"), b"400"),
    ],
)
def test_what_is_refused_is_refused_before_its_body_and_reads_on_for_a_moment_only(
    request_head: bytes, status: bytes
) -> None:
    async def body(server: Server) -> None:
        connection, wire = server.connect()
        connection.data_received(request_head)
        await answered()
        assert wire.written.startswith(b"HTTP/1.1 " + status)
        assert wire.closed or wire.said_end
        assert server.read == []
        assert wire.closed or connection.overdue(asyncio.get_running_loop().time() + 3)
        for _ in range(200):
            if not wire.closed:
                connection.data_received(b"x" * 65_536)
        assert wire.closed
        assert server.read == []

    on_a_server(body)


@pytest.mark.parametrize(
    "sent",
    [
        [b"POST /health HTTP/1.1\r\nX: " + b"y" * MOST_HEAD_BYTES],
        [b"POST /health HTTP/1.1\r\n", *[b"X: y\r\n"] * MOST_HEAD_LINES],
        [b"POST /health HTTP/1.1\r\n" + b"a:b\r\n" * MOST_HEAD_LINES],
        [b"POST /" + b"x" * 1000] + [b"x" * 1000] * 8,
        [b"nonsense\r\n\r\n"],
        [head("/health") * 2],
        [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
        [head("/health", more="Connection: upgrade\r\nUpgrade: websocket\r\n"), b"x"],
        [b"CONNECT x HTTP/1.1\r\n\r\n"],
        [head("/health").replace(b"Content-Length: 0", b"Content-Length: -1")],
    ],
)
def test_a_head_out_of_bounds_a_second_request_at_once_and_what_is_no_http_end_the_connection(
    sent: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async def body(server: Server) -> None:
        connection, wire = server.connect()
        for data in sent:
            if not wire.closed:
                connection.data_received(data)
        assert wire.closed
        await answered()
        assert b"HTTP/1.1 400" in wire.written

    on_a_server(body)
    assert caplog.records == []


def test_a_head_that_comes_in_pieces_and_a_large_body_of_the_user_are_taken() -> None:
    async def body(server: Server) -> None:
        connection, wire = server.connect()
        for number in range(3):
            for byte in head(auth=USER, length=100_000):
                connection.data_received(bytes([byte]))
            for _ in range(10):
                connection.data_received(b" " * 10_000)
                await answered()
            assert wire.written.count(b"HTTP/1.1 200") == number + 1
        assert not wire.closed

    on_a_server(body)


def test_whoever_sends_slowly_or_nothing_or_does_not_read_is_overdue_and_who_waits_for_an_answer_is_not() -> None:
    async def body(server: Server) -> None:
        now = asyncio.get_running_loop().time()
        silent, _ = server.connect()
        in_head, _ = server.connect()
        in_head.data_received(b"POST /workflows HT")
        in_body, _ = server.connect()
        in_body.data_received(head(auth=USER, length=64 << 10) + b"{")
        done, _ = server.connect()
        done.data_received(head(auth=USER))
        await answered()
        stranger, _ = server.connect()
        stranger.data_received(head("/health"))
        await answered()
        deaf, _ = server.connect()
        deaf.data_received(head(auth=USER))
        await answered()
        deaf.pause_writing()
        everybody = [silent, in_head, in_body, done, stranger, deaf]
        assert [one.overdue(now + 9) for one in everybody] == [False] * 6
        assert [one.overdue(now + 10.9) for one in everybody] == [True, True, False, False, True, False]
        assert [one.overdue(now + 62) for one in everybody] == [True, True, True, False, True, True]
        deaf.resume_writing()
        assert not deaf.overdue(now + 62)

    on_a_server(body)


def test_of_too_many_strangers_the_oldest_goes_and_nobody_who_is_known() -> None:
    async def body(server: Server) -> None:
        known, known_wire = server.connect()
        known.data_received(head(auth=USER))
        await answered()
        wires = [server.connect()[1] for _ in range(300)]
        assert not known_wire.closed
        assert [wire.aborted for wire in wires] == [True] * 44 + [False] * 256

    on_a_server(body)


@pytest.fixture
def quick_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_SWEEP_S", 0.0)
    monkeypatch.setattr(connections, "_HEAD_S", 0.0)


def test_the_sweep_breaks_what_is_overdue_and_says_how_many_in_one_line(
    quick_sweeps: None, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(server: Server) -> None:
        wires = [server.connect()[1] for _ in range(5)]
        sweeping = asyncio.ensure_future(server.all.sweep())
        while not all(wire.aborted for wire in wires):
            await asyncio.sleep(0)
        sweeping.cancel()

    on_a_server(body)
    assert [record.message.split(":")[0] for record in caplog.records] == ["5 connections dropped"]


GOOD = [head("/health", length=2) + b"{}", head(auth=USER, length=3) + b"[1]", head("/nothing", WORKER), head("/jobs")]
PIECES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(GOOD),
    st.builds(lambda whole, at: whole[:at], st.sampled_from(GOOD), st.integers(0, 200)),
    st.builds(lambda whole, at, odd: whole[:at] + odd + whole[at:], st.sampled_from(GOOD), st.integers(0, 200),
              st.binary(max_size=3)),
    st.sampled_from([b"\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"0\r\n\r\n"]),
)  # fmt: skip


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(PIECES, max_size=8))
def test_whatever_bytes_come_in_whatever_pieces_nothing_breaks_and_nothing_is_written_to_the_log(
    pieces: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    async def body(server: Server) -> None:
        connection, wire = server.connect()
        for data in pieces:
            if not wire.closed:
                connection.data_received(data)
                await answered()
        assert b" 500 " not in wire.written
        assert wire.closed or not connection.overdue(asyncio.get_running_loop().time())
        connection.connection_lost(None)
        await answered()

    on_a_server(body)
    assert caplog.records == []
