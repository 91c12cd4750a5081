"""The embedded server of a data folder: found by its endpoint file, started when there is none.

The server holds `server.lock` for as long as it lives: only one process opens the database, and whether there is a
server is known by that lock alone. Neither a process id nor a host's name tells it: both change their meaning in
containers. Whoever starts a server holds `start.lock` meanwhile, so that two who look at the same instant share one.
"""

import socket
import threading
import time
from urllib.parse import urlsplit

import attrs

from jobmon.errors import ServerUnreachable
from jobmon.requester.endpoint import DataFolder, Endpoint
from jobmon.requester.proving import Unproven, prove
from jobmon.requester.starting import start

_SILENCE_S = 60.0  # how long a server that lives may take to its first answer
_UNPROVEN_S = 10.0  # one that is just starting has not said yet that it listens elsewhere than the last one
_PROBE_S = 5.0
_START_S = 120.0
_PAUSE_S = 0.05


class ServerSilent(ServerUnreachable):
    """The data folder's server lives and does not answer: it is starting, slow, frozen, or cannot be reached."""


class ServerUnproven(ServerSilent):
    """It lives, and what listens at its address does not know the data folder's token."""


def find(folder: DataFolder, *, wait_s: float = 0.0) -> Endpoint | None:
    """The folder's server, as soon as it answers; None when there is none.

    Raises:
        ServerSilent: there is one, but it has not answered for `wait_s`.
        ServerUnproven: nor has it proved to know the folder's token, for as long or for `_UNPROVEN_S`.
    """
    began, pause = time.monotonic(), threading.Event()
    while folder.served():
        endpoint = folder.endpoint()
        found, stranger = (None, None) if endpoint is None else _answering(folder, endpoint)
        if found is not None:
            return found
        waited_s = time.monotonic() - began
        if stranger is not None and waited_s >= min(wait_s, _UNPROVEN_S):
            raise ServerUnproven(str(stranger))
        if waited_s >= wait_s:
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


def _answering(folder: DataFolder, endpoint: Endpoint) -> tuple[Endpoint | None, Unproven | None]:
    """The server where it answers: on loopback, else (from another container, say) where workers reach it.

    Or what listens in its place.
    """
    stranger = None
    for url in (endpoint.url, *(place.url for place in endpoint.outside)):
        try:
            if _answers(url, endpoint.database_id, folder.token()):
                return attrs.evolve(endpoint, url=url), None
        except Unproven as error:
            stranger = error
        except OSError:
            continue
    return None, stranger


def _answers(url: str, database_id: str, token: str) -> bool:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 80), _PROBE_S) as connection:
        return prove(connection, url, token, tunnelled=False).database_id == database_id


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
