"""One server process: opens the database, listens, tells where, ends when told or when nobody needs it."""

import asyncio
import contextlib
import gc
import ipaddress
import logging
import os
import signal
import socket
from collections.abc import Callable

import uvicorn
import uvloop

from jobmon.clock import SystemClock
from jobmon.errors import ConfigurationError, StoreError
from jobmon.processes import identify
from jobmon.requester.endpoint import DataFolder, Endpoint
from jobmon.server.app import Api
from jobmon.server.credentials import Credentials
from jobmon.server.hub import Hub
from jobmon.server.job_query_server import JobQueryServer
from jobmon.server.job_state_manager import JobStateManager
from jobmon.server.signs import Patience, SignsOfLife
from jobmon.store import instances, leases
from jobmon.store.database import Database, open_database, server_key
from jobmon.store.writer import Transaction, Writer

_LOCK_PATIENCE_S = 10.0
_ANSWERS_KEPT_S = 3600
_IDLE_CHECK_S = 5.0
_log = logging.getLogger("jobmon.server")


def serve(
    folder: DataFolder,
    *,
    host: str | None = None,
    port: int | None = None,
    patience: Patience | None = None,
    ends_when_idle: bool = True,
    on_ready: Callable[[Endpoint], None] = lambda _endpoint: None,
) -> None:
    """Serve a data folder until told to end by SIGTERM or SIGINT, or idle. Blocks.

    Without `host` and `port` it listens where the last server of the folder did, else on a free port of loopback.

    Raises:
        StoreError: the database cannot be opened, or another server has it open.
        ConfigurationError: it cannot listen there.
    """
    folder.make()
    lock = folder.locked("server.lock")
    if not lock.acquire(wait=False) and not _waited(lock):
        raise StoreError(f"another server has the database of {folder.path} open")
    try:
        listener = _listen(folder, host, port)
        database = open_database(folder.database)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_serve(folder, database, listener, patience or Patience(), ends_when_idle, on_ready))
        finally:
            database.close()
    finally:
        lock.release()


def _waited(lock: object) -> bool:
    """Take the lock of a server that is just ending, within a limit."""

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, _LOCK_PATIENCE_S)
    try:
        return bool(lock.acquire(wait=True))  # type: ignore[attr-defined]
    except TimeoutError:
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _listen(folder: DataFolder, host: str | None, port: int | None) -> socket.socket:
    """A listening socket at the given, the recorded or a free address."""
    last = folder.endpoint()
    wishes: list[tuple[str, int]] = []
    if last is not None:
        recorded_host, _, recorded_port = last.url.removeprefix("http://").rpartition(":")
        if host in (None, recorded_host) and port in (None, int(recorded_port)):
            wishes.append((recorded_host, int(recorded_port)))
    wishes.append((host or "127.0.0.1", port or 0))
    for i, (address, number) in enumerate(wishes):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address.strip("[]"), number))
        except OSError as error:
            listener.close()
            if i == len(wishes) - 1:
                raise ConfigurationError(
                    f"the server cannot listen on {address} port {number}: {error.strerror}. Set another address in "
                    'jobmon.toml, for instance: [server] host = "127.0.0.1"'
                ) from error
        else:
            listener.listen(1024)
            return listener
    raise AssertionError("unreachable: the last wish returns or raises")


async def _serve(
    folder: DataFolder,
    database: Database,
    listener: socket.socket,
    patience: Patience,
    ends_when_idle: bool,
    on_ready: Callable[[Endpoint], None],
) -> None:
    clock = SystemClock()
    signs = SignsOfLife(clock, patience)
    writer = Writer(database, clock, on_death=lambda: os.kill(os.getpid(), signal.SIGTERM))
    hub = Hub(asyncio.get_running_loop())
    with database.reading.connect() as connection:
        credentials = Credentials(folder.token(), server_key(connection))
    queries = JobQueryServer(database, signs)
    manager = JobStateManager(signs, credentials, hub.publish)
    api = Api(manager, queries, writer, hub, credentials, os.getpid())
    server = uvicorn.Server(
        uvicorn.Config(
            api.starlette(), loop="uvloop", http="httptools", lifespan="off", access_log=False, log_config=None,
            log_level="warning", timeout_graceful_shutdown=5, timeout_keep_alive=300,
        )
    )  # fmt: skip
    gc.freeze()  # what is imported stays: the collector need not look at it again and again
    gc.set_threshold(50_000, 20, 50)
    writer.start()
    try:
        await _until_ended(server, listener, hub, lambda: _ready(folder, listener, queries.database_id, on_ready),
                           _idle_check(signs, database, writer) if ends_when_idle else None,
                           min(_IDLE_CHECK_S, patience.idle_s))  # fmt: skip
    finally:
        writer.stop()


async def _until_ended(
    server: uvicorn.Server,
    listener: socket.socket,
    hub: Hub,
    ready: Callable[[], None],
    idle: Callable[[], bool] | None,
    idle_check_s: float,
) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        hub.close()  # long polls answer now
        server.should_exit = True

    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # `end` must run first
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    ready()
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not serving.done():
        await asyncio.wait([serving], timeout=idle_check_s)
        if idle is not None and idle():
            _log.info("nobody has needed this server for a while: it ends")
            end()
    await serving


def _idle_check(signs: SignsOfLife, database: Database, writer: Writer) -> Callable[[], bool]:
    def idle() -> bool:
        with database.reading.connect() as connection:
            live = instances.count_live(connection)
        writer.submit(_forget_old_answers, lambda _outcome: None)
        return signs.idle(live)

    return idle


def _forget_old_answers(tx: Transaction) -> None:
    leases.forget_answers(tx.connection, tx.at - _ANSWERS_KEPT_S * 1_000_000)


def _ready(folder: DataFolder, listener: socket.socket, database: str, on_ready: Callable[[Endpoint], None]) -> None:
    host, port = listener.getsockname()[:2]
    if ipaddress.ip_address(host).is_unspecified:
        host = socket.gethostname()
    me = identify()
    shown = f"[{host}]" if ":" in host else host
    endpoint = Endpoint(f"http://{shown}:{port}", database, me.host, me.boot_id, me.pid, me.started)
    folder.write_endpoint(endpoint)
    on_ready(endpoint)
