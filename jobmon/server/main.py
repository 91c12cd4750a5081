"""One server process: opens the database, listens, tells where, ends when told or when nobody needs it."""

import asyncio
import contextlib
import gc
import logging
import math
import os
import resource
import signal
import socket
from collections.abc import Callable
from functools import partial

import attrs
import uvicorn
import uvloop
from starlette.types import ASGIApp

from jobmon.clock import SystemClock
from jobmon.errors import DatabaseGone, StoreError
from jobmon.inherited import raise_limit
from jobmon.processes import identify
from jobmon.requester.endpoint import DataFolder, Endpoint
from jobmon.requester.locks import FileLock
from jobmon.server.app import Api
from jobmon.server.connections import Connections
from jobmon.server.credentials import Credentials
from jobmon.server.hub import Hub
from jobmon.server.job_query_server import JobQueryServer
from jobmon.server.job_state_manager import JobStateManager
from jobmon.server.listening import Listeners, Opened, open_sockets
from jobmon.server.signs import Patience, SignsOfLife
from jobmon.store import instances, leases
from jobmon.store.database import Database, open_database, server_key
from jobmon.store.presence import Presence
from jobmon.store.writer import Transaction, Writer
from jobmon.worker.awake import AwakeClock

_LOCK_PATIENCE_S = 10.0
_ANSWERS_KEPT_S = 3600
_IDLE_CHECK_S = 5.0
#: The clock is read every second; a longer gap is time in which this process was stopped, and heard nobody.
_READ_AT_LEAST_S = 2.0
_MOST_DESCRIPTORS = 65_536
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

    It listens on loopback, at `host` too if that is given, and wherever the last server of the folder did; without
    `port` at that one's port if it is free, else at any.

    Raises:
        StoreError: the database cannot be opened, or another server has it open.
        ConfigurationError: it cannot listen there.
    """
    folder.make()
    lock = folder.lock("server.lock")
    if not lock.acquire(wait_s=_LOCK_PATIENCE_S):  # one that is just ending
        raise StoreError(f"another server has the database of {folder.path} open")
    try:
        last = folder.endpoint()
        opened = open_sockets(last, host, port)
        database = open_database(folder.database, None if last is None else last.database_id)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                record = partial(_record, folder, lock)
                runner.run(_serve(folder, database, opened, patience or Patience(), ends_when_idle, on_ready, record))
        finally:
            database.close()
    finally:
        lock.release()


async def _serve(
    folder: DataFolder,
    database: Database,
    opened: Opened,
    patience: Patience,
    ends_when_idle: bool,
    on_ready: Callable[[Endpoint], None],
    record: Callable[[Endpoint], None],
) -> None:
    clock = SystemClock(AwakeClock(_READ_AT_LEAST_S).now)
    signs = SignsOfLife(clock, patience)
    writer = Writer(database, clock, on_death=lambda: os.kill(os.getpid(), signal.SIGTERM))
    hub = Hub(asyncio.get_running_loop())
    with database.reading.connect() as connection:
        credentials = Credentials(folder.token(), server_key(connection))
    queries = JobQueryServer(database, signs)
    manager = JobStateManager(signs, credentials, hub.publish)
    connections = Connections(raise_limit(resource.RLIMIT_NOFILE, _MOST_DESCRIPTORS))
    servers = Servers(connections)
    listeners = Listeners(
        opened, lambda listener: servers.serve([listener]),
        lambda outside: record(attrs.evolve(endpoint, outside=outside)),
    )  # fmt: skip
    servers.app = Api(manager, queries, writer, hub, credentials, os.getpid(), listeners.listen).asgi()
    gc.freeze()  # what is imported stays: the collector need not look at it again and again
    gc.set_threshold(50_000, 20, 50)
    writer.start()
    sweeping = asyncio.ensure_future(connections.sweep())
    try:
        me = identify()
        endpoint = Endpoint(opened.url, queries.database_id, me.host, me.boot_id, me.pid, me.started, opened.outside)
        record(endpoint)
        watch = Watch(
            database.presence,
            _idle_check(signs, database, writer) if ends_when_idle else None,
            min(_IDLE_CHECK_S, patience.idle_s),
        )
        await _until_ended(servers, opened.sockets, hub, lambda: on_ready(endpoint), watch, clock.monotonic)
        if watch.idle:  # no worker is left who would look for it there
            record(attrs.evolve(endpoint, outside=()))
    finally:
        sweeping.cancel()
        writer.stop()


class Servers:
    """The HTTP servers of one application: one for the first sockets, one for each that is added later."""

    def __init__(self, connections: Connections) -> None:
        self.app: ASGIApp | None = None
        self._connections = connections
        self._servers: list[uvicorn.Server] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._ending = False

    def serve(self, sockets: list[socket.socket]) -> None:
        """Answer at these sockets, too."""
        assert self.app is not None
        if self._ending:
            return
        server = uvicorn.Server(
            uvicorn.Config(
                self.app, loop="uvloop", http=self._connections.protocol, ws="none", lifespan="off",  # type: ignore[arg-type]
                access_log=False, log_config=None, log_level="warning", timeout_graceful_shutdown=5,
                timeout_keep_alive=300,
            )
        )  # fmt: skip
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # `end` is called
        self._servers.append(server)
        self.tasks.append(asyncio.ensure_future(server.serve(sockets=sockets)))

    def end(self) -> None:
        """Have all of them end."""
        self._ending = True
        for server in self._servers:
            server.should_exit = True


class Watch:
    """Whether a server must end by itself: nobody needs it, or its files are gone."""

    interval_s = 1.0

    def __init__(self, presence: Presence, is_idle: Callable[[], bool] | None, idle_check_s: float) -> None:
        self._presence, self._is_idle, self._idle_check_s = presence, is_idle, idle_check_s
        self.interval_s = min(self.interval_s, idle_check_s)
        self._looked_at_s = -math.inf
        self.idle = False

    def reason_to_end(self, now_s: float) -> str | None:
        """Why it must end, if it must; to be asked every `interval_s`."""
        try:
            self._presence.check()
        except DatabaseGone as error:
            return str(error)
        if self._is_idle is None or now_s - self._looked_at_s < self._idle_check_s:
            return None
        self._looked_at_s = now_s
        self.idle = self._is_idle()
        return "nobody has needed this server for a while: it ends" if self.idle else None


async def _until_ended(
    servers: Servers,
    sockets: list[socket.socket],
    hub: Hub,
    ready: Callable[[], None],
    watch: Watch,
    now_s: Callable[[], float],
) -> None:
    """Serve until told to end, or until the watch has a reason."""
    loop = asyncio.get_running_loop()
    ending = False

    def end() -> None:
        nonlocal ending
        ending = True
        hub.close()  # long polls answer now
        servers.end()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    ready()
    servers.serve(sockets)
    while not all(task.done() for task in servers.tasks):
        await asyncio.wait(servers.tasks, timeout=watch.interval_s)
        why = None if ending else watch.reason_to_end(now_s())
        if why is not None:
            _log.warning("%s", why)
            end()
    await asyncio.gather(*servers.tasks)


def _idle_check(signs: SignsOfLife, database: Database, writer: Writer) -> Callable[[], bool]:
    def idle() -> bool:
        with database.reading.connect() as connection:
            live = instances.count_live(connection)
        writer.submit(_forget_old_answers, lambda _outcome: None)
        return signs.idle(live)

    return idle


def _forget_old_answers(tx: Transaction) -> None:
    leases.forget_answers(tx.connection, tx.at - _ANSWERS_KEPT_S * 1_000_000)


def _record(folder: DataFolder, lock: FileLock, endpoint: Endpoint) -> None:
    """Write down where this process serves the folder, unless the folder was removed: one in its place is another's."""
    if lock.guards():
        folder.write_endpoint(endpoint)
    else:
        _log.warning("another folder is at %s now: where this server listens is not recorded", folder.path)
