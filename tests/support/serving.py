"""Real server processes over folders of their own, which end with the test."""

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
import msgspec

from jobmon.requester import Requester, connect
from jobmon.requester.endpoint import DataFolder, Endpoint
from jobmon.wire.health import Health, ReadHealth
from jobmon.wire.proof import address_of, proof_of

PATIENCE_S = 30.0
NEVER_S = 1e9
TIMES = """
import json, signal, sys
from pathlib import Path
from jobmon.requester.endpoint import DataFolder
from jobmon.server import main
from jobmon.server.signs import Patience
def ready(_): print("ready", flush=True)
patience, idle_s = Patience(**json.loads(sys.argv[2])), float(sys.argv[3])
def may_end(*_): object.__setattr__(patience, "idle_s", idle_s)
signal.signal(signal.SIGUSR1, may_end)
main._IDLE_CHECK_S = min(main._IDLE_CHECK_S, idle_s)
main.serve(DataFolder(Path(sys.argv[1])), patience=patience, on_ready=ready)
"""


def environment(folder: Path, **other: str) -> dict[str, str]:
    """This process's environment with the data folder, and no server named."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JOBMON_")}
    return clean | {"JOBMON_DATA": str(folder)} | other


def end_process(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process and wait until it is gone, also when it is no child of this one."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        signal.pidfd_send_signal(process, number)
        assert select.select([process], [], [], PATIENCE_S)[0], f"process {pid} does not end"
    except ProcessLookupError:
        return
    finally:
        os.close(process)


def endpoint_of(folder: Path) -> Endpoint:
    found = DataFolder(folder).endpoint()
    assert found is not None
    return found


def end_server(folder: Path, number: signal.Signals = signal.SIGKILL) -> None:
    """End the server of a data folder, if one has run there, and wait until it is gone."""
    found = DataFolder(folder).endpoint()
    if found is not None:
        end_process(found.pid, number)


@contextmanager
def embedded(folder: Path) -> Iterator[Requester]:
    """A requester to an embedded server of the folder; both are ended."""
    requester = connect(environment(folder), patience_s=PATIENCE_S)
    try:
        yield requester
    finally:
        requester.stop()
        end_server(folder)


@contextmanager
def serving(folder: Path, *, held: bool = False, **patience: float) -> Iterator[subprocess.Popen[bytes]]:
    """A server process with a patience of the test's choice; a child, killed at the end if it still runs.

    One that is `held` does not end for want of anything to do before `may_end` lets it, however slow the test is.
    """
    idle_s = patience.get("idle_s", 60.0)
    given = patience | {"idle_s": NEVER_S if held else idle_s}
    argv = [sys.executable, "-c", TIMES, str(folder), json.dumps(given), str(idle_s)]
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield server
        finally:
            server.kill()


def may_end(server: subprocess.Popen[bytes]) -> None:
    """Let a server that is held end from now on, when it is idle."""
    server.send_signal(signal.SIGUSR1)


def proved(health: bytes, asked: bytes, token: str, connection: socket.socket) -> bytes:
    """What a server that knows the token answers to who asks for its health over that connection."""
    message, told = msgspec.json.decode(asked, type=ReadHealth), msgspec.json.decode(health, type=Health)
    address = address_of(connection.getsockname())
    proof = proof_of(token, message.challenge or "", address, told.database_id)
    return msgspec.json.encode(attrs.evolve(told, address=address, proof=proof))


@contextmanager
def strangers_server(port: int, *answers: bytes, token: str = "") -> Iterator[int]:
    """Something on a port that speaks HTTP, is no server of ours, and says these in turn, the last one for ever.

    With a token it proves to know it, and so passes for a server: the first answer must be a Health then.
    """
    left, first = list(answers), answers[0]

    class Stranger(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1" if token else "HTTP/1.0"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            if token and self.path == "/health":
                told = proved(first, content, token, self.connection)
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
                return
            answer = left.pop(0) if len(left) > 1 else left[0]
            self.wfile.write(answer if answer.startswith(b"HTTP/") else b"HTTP/1.0 200 OK\r\n\r\n" + answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def files_limited_to(pid: int, n_bytes: int) -> Iterator[None]:
    """A process cannot make any file longer than this: to its eyes the disk is full."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
