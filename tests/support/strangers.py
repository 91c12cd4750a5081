"""Somebody else's program on a port that was the server's: it keeps all that it is sent."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import msgspec

from jobmon.wire.health import API_VERSION, Health


class Stranger:
    """Answers every request with a Health that proves nothing, or passes all on to the server at `behind`."""

    def __init__(self, port: int, database_id: str, behind: int | None) -> None:
        self.heard = b""
        health = Health(database_id, API_VERSION, "1", "host", 1, address=f"127.0.0.1:{port}", proof="0" * 64)
        told = msgspec.json.encode(health)
        self._answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told
        self._behind = behind
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]

    def listen(self) -> None:
        """Serve until the listener is closed."""
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._behind is None:
                self._keep(connection, lambda data: connection.sendall(self._answer) if b"}" in data else None)
                return
            with socket.create_connection(("127.0.0.1", self._behind)) as server:
                back = threading.Thread(target=_copy, args=[server, connection], daemon=True)
                back.start()
                self._keep(connection, server.sendall)

    def _keep(self, connection: socket.socket, then: Callable[[bytes], object]) -> None:
        while data := connection.recv(1 << 16):
            self.heard += data
            then(data)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)


@contextmanager
def stranger(port: int, database_id: str, behind: int | None = None) -> Iterator[Stranger]:
    """One that listens on the port until the end."""
    one = Stranger(port, database_id, behind)
    thread = threading.Thread(target=one.listen, daemon=True)
    thread.start()
    try:
        yield one
    finally:
        one.listener.shutdown(socket.SHUT_RDWR)
        one.listener.close()
        thread.join(10)
