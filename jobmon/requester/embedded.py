"""The embedded server of a data folder: found by its endpoint file, started when there is none.

The server holds `server.lock` for as long as it lives: only one process opens the database, and whether there is a
server is known by that lock alone. Neither a process id nor a host's name tells it: both change their meaning in
containers. Whoever starts a server holds `start.lock` meanwhile, so that two who look at the same instant share one.
"""

import threading
import time

import attrs
import msgspec
import requests

from jobmon.errors import ServerUnreachable
from jobmon.requester.endpoint import DataFolder, Endpoint
from jobmon.requester.starting import start
from jobmon.wire.decoding import Undecodable
from jobmon.wire.health import Health

_SILENCE_S = 60.0  # how long a server that lives may take to its first answer
_PROBE_S = 5.0
_START_S = 120.0
_PAUSE_S = 0.05


class ServerSilent(ServerUnreachable):
    """The data folder's server lives and does not answer: it is starting, slow, frozen, or cannot be reached."""


def find(folder: DataFolder, *, wait_s: float = 0.0) -> Endpoint | None:
    """The folder's server, as soon as it answers; None when there is none.

    Raises:
        ServerSilent: there is one, but it has not answered for `wait_s`.
    """
    deadline, pause = time.monotonic() + wait_s, threading.Event()
    while folder.served():
        endpoint = folder.endpoint()
        if endpoint is not None and (found := _answering(endpoint)) is not None:
            return found
        if time.monotonic() >= deadline:
            raise ServerSilent(_silence(folder, endpoint))
        pause.wait(_PAUSE_S)
    return None


def find_or_start(folder: DataFolder, port: int | None = None, *, wait_s: float = _SILENCE_S) -> Endpoint:
    """The folder's server, which answers; if there is none it is started, on `port` or on the last one's, if free.

    Raises:
        StoreError: it cannot open its database.
        ServerSilent: there is one, but it has not answered for `wait_s`.
        ServerUnreachable: it cannot be started.
    """
    folder.make()
    endpoint = find(folder, wait_s=wait_s)
    if endpoint is not None:
        return endpoint
    lock = folder.lock("start.lock")
    if not lock.acquire(wait_s=_START_S):
        raise ServerUnreachable(
            f"another process has been starting the server of {folder.path} for more than {_START_S:.0f} s; "
            f"`fuser {folder.path / 'start.lock'}` names it"
        )
    try:
        return find(folder, wait_s=wait_s) or start(folder, port)
    finally:
        lock.release()


def _answering(endpoint: Endpoint) -> Endpoint | None:
    """The server where it answers: on loopback, else (from another container, say) where workers reach it."""
    for url in (endpoint.url, *(place.url for place in endpoint.outside)):
        if _answers(url, endpoint.database_id):
            return attrs.evolve(endpoint, url=url)
    return None


def _answers(url: str, database_id: str) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.post(url + "/health", data=b"{}", timeout=_PROBE_S)
        health = msgspec.json.decode(response.content, type=Health)
    except (requests.RequestException, *Undecodable):
        return False
    return health.database_id == database_id


def _silence(folder: DataFolder, endpoint: Endpoint | None) -> str:
    lives = f"a server of {folder.path} lives, as its server.lock is held, but"
    if endpoint is None:
        return f"{lives} has not said where it listens; {folder.server_log} may say why"
    urls = " or ".join([endpoint.url, *(place.url for place in endpoint.outside)])
    return (
        f"{lives} does not answer at {urls}. It is (or was last) process {endpoint.pid} on {endpoint.host}: if that is "
        "this host, it is overloaded or stopped (`kill -CONT` lets it go on, `kill` ends it); if it is another host or "
        "container, work there, end it there, or set JOBMON_DATA to another folder"
    )
