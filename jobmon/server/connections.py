"""What one connection, and all of them together, may take of the server before anybody has proved who he is.

HTTP itself is uvicorn's. Here are bounds: of a message's head, of the time that it takes to arrive, of one message at a
time, and of the connections that have not yet carried a request of the user or of a worker (strangers). A connection
whose request was refused is closed, so that each refusal costs whoever wants many of them a connection.
"""

import asyncio
import logging
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from jobmon.server.admission import CALLER, REFUSED
from jobmon.wire.bounds import MOST_HEAD_BYTES, MOST_HEAD_LINES

#: For the head of a message, and until a stranger sends one; a body has this and a second more for each so many bytes.
_HEAD_S, _BYTES_PER_S = 10.0, 64 << 10
#: How long an answer may wait for a client that does not read it.
_UNREAD_S = 60.0
#: What is thrown away after a refusal, so that a client that is still sending gets to read it.
_LINGER_S, _LINGER_BYTES = 2.0, 8 << 20
_MOST_STRANGERS = 256
#: Descriptors that are kept for the database, logs and listeners.
_RESERVED = 128
_SWEEP_S, _TELL_EVERY_S = 1.0, 60.0
_log = logging.getLogger("jobmon.server")


class Connections:
    """All connections of a server, at however many addresses."""

    def __init__(self, descriptors: int) -> None:
        """`descriptors` is how many files the process may have open."""
        self._most = max(_MOST_STRANGERS, descriptors - _RESERVED)
        self._all: set[Connection] = set()
        self._strangers: dict[Connection, None] = {}  # the oldest first
        self._dropped = 0

    def protocol(self, **given: Any) -> "Connection":
        """What uvicorn calls for each new connection."""
        return Connection(self, **given)

    def opened(self, connection: "Connection") -> None:
        """There is a new one: where strangers would be too many the oldest of them goes."""
        self._all.add(connection)
        self._strangers[connection] = None
        if len(self._strangers) > _MOST_STRANGERS or len(self._all) > self._most:
            for oldest in list(self._strangers):
                if oldest.is_known():
                    del self._strangers[oldest]
                else:
                    self.drop(oldest)
                    break

    def lost(self, connection: "Connection") -> None:
        """It is closed."""
        self._all.discard(connection)
        self._strangers.pop(connection, None)

    def drop(self, connection: "Connection") -> None:
        """Break it."""
        self._dropped += 1
        self.lost(connection)
        connection.transport.abort()

    async def sweep(self) -> None:
        """Break those that are too slow, again and again, until cancelled."""
        loop = asyncio.get_running_loop()
        told_at = -_TELL_EVERY_S
        while True:
            await asyncio.sleep(_SWEEP_S)
            now = loop.time()
            for connection in [one for one in self._all if one.overdue(now)]:
                self.drop(connection)
            if self._dropped and now - told_at >= _TELL_EVERY_S:
                _log.warning("%d connections dropped: too slow, too large, or too many of strangers", self._dropped)
                self._dropped, told_at = 0, now


class Connection(HttpToolsProtocol):
    """One connection. What it may take is bounded here; what it is answered is the application's."""

    def __init__(self, connections: Connections, **given: Any) -> None:
        super().__init__(**given)
        self._connections = connections
        self._known = False
        self._waits_since: float | None = self.loop.time()  #: for the rest of a message, or a stranger's first one
        self._unread_since: float | None = None
        self._lingers_until: float | None = None
        self._in_head = True  #: a head is what comes next, or the rest of one
        self._head_bytes = self._head_lines = self._thrown_away = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count it."""
        super().connection_made(transport)
        self._connections.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._connections.lost(self)
        super().connection_lost(exc)

    def is_known(self) -> bool:
        """Whether a request of the user or of a worker came over it."""
        if not self._known:
            scope: Any = self.scope  # None before the first request
            self._known = bool(scope and CALLER in scope and scope[CALLER].name)
        return self._known

    def overdue(self, now: float) -> bool:
        """Whether its other end keeps it waiting for too long."""
        if self._lingers_until is not None:
            return now > self._lingers_until
        if self._unread_since is not None and now - self._unread_since > _UNREAD_S:
            return True
        return self._waits_since is not None and now - self._waits_since > _HEAD_S + self._body_s()

    def _body_s(self) -> float:
        if self._in_head:
            return 0.0
        return int(dict(self.headers).get(b"content-length", b"0")) / _BYTES_PER_S

    def data_received(self, data: bytes) -> None:
        """Take what has come, within bounds."""
        if self._lingers_until is not None:
            self._thrown_away += len(data)
            if self._thrown_away > _LINGER_BYTES:
                self.transport.abort()
            return
        if self._in_head and not self._takes_head(data):
            self.send_400_response(f"The head of a request has more than {MOST_HEAD_BYTES} bytes or many lines.")
            return
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.send_400_response("Invalid HTTP request received.")

    def _takes_head(self, data: bytes) -> bool:
        """Whether the head is within bounds as far as it has come; looked at before it is parsed."""
        end = data.find(b"\r\n\r\n", 0, MOST_HEAD_BYTES)
        self._head_bytes += len(data) if end < 0 else end
        self._head_lines += data.count(b"\n", 0, len(data) if end < 0 else end)
        return self._head_bytes <= MOST_HEAD_BYTES and self._head_lines <= MOST_HEAD_LINES

    def on_message_begin(self) -> None:
        """A message begins, which none may before the last one is answered: nobody here sends several at once."""
        if self.cycle is not None and not self.cycle.response_complete:
            raise httptools.HttpParserError("a request before the last one was answered")
        if not self._known:
            self.is_known()
        self._waits_since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is there: the application is asked."""
        self._in_head = False
        self._head_bytes = self._head_lines = 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It is whole: now the other end waits for this one."""
        self._waits_since = None
        self._in_head = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It is answered: wait for the next one, for a while where it was a stranger's, not at all where refused."""
        super().on_response_complete()
        if REFUSED in self.scope:
            self._linger()
        elif not self._known and not self.is_known():
            self._waits_since = self.loop.time()

    def _linger(self) -> None:
        """Say no more, and read on for a moment: to close at once would take the answer away from who is sending."""
        if self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        if self.cycle.more_body:
            self._lingers_until = self.loop.time() + _LINGER_S
            self.transport.write_eof()
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        """The other end does not read."""
        self._unread_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self._unread_since = None
        super().resume_writing()
