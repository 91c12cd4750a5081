"""The embedded server of a data folder: found by its endpoint file, started when there is none.

Whoever starts one holds the folder's `start.lock` meanwhile, so that two who look at the same instant share one server.
The server itself holds `server.lock` for as long as it lives: only one process opens the database.
"""

import os
import socket
import subprocess

import attrs
import msgspec
import requests

from jobmon.errors import ServerUnreachable, StoreError
from jobmon.isolated import isolated
from jobmon.processes import is_alive
from jobmon.requester.endpoint import DataFolder, Endpoint
from jobmon.wire.decoding import Undecodable
from jobmon.wire.health import Health

_PROBE_S = 5.0


def find(folder: DataFolder) -> Endpoint | None:
    """The folder's server if it answers; None when there is none. From another host it is tried where workers reach it.

    Raises:
        ServerUnreachable: its process lives, here or on another host, but does not answer.
    """
    endpoint = folder.endpoint()
    if endpoint is None:
        return None
    if _answers(endpoint):
        return endpoint
    if endpoint.host != socket.gethostname():
        for place in endpoint.outside:
            if _answers(outward := attrs.evolve(endpoint, url=place.url)):
                return outward
    alive = is_alive(endpoint.process)
    if alive is None:
        raise ServerUnreachable(
            f"the server of {folder.path} runs on {endpoint.host} (pid {endpoint.pid}) and {endpoint.url} cannot be "
            f"reached from {socket.gethostname()}. Work on {endpoint.host}, or set JOBMON_DATA to another folder, or, "
            f"if that host is gone for good, delete {folder.endpoint_file}"
        )
    return None


def find_or_start(folder: DataFolder, port: int | None = None) -> Endpoint:
    """The folder's server, which answers; if there is none it is started, on `port` or on the last one's, if free.

    Raises:
        StoreError: it cannot open its database.
        ServerUnreachable: it cannot be started, or runs on another host that cannot be reached.
    """
    folder.make()
    endpoint = find(folder)
    if endpoint is not None:
        return endpoint
    with folder.locked("start.lock"):
        return find(folder) or _start(folder, port)


def _answers(endpoint: Endpoint) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.post(endpoint.url + "/health", data=b"{}", timeout=_PROBE_S)
        health = msgspec.json.decode(response.content, type=Health)
    except (requests.RequestException, *Undecodable):
        return False
    return health.database_id == endpoint.database_id


def _start(folder: DataFolder, port: int | None) -> Endpoint:
    """Start a server in a session of its own and wait until it says, through a pipe, that it answers or why not."""
    ready, tell = os.pipe()
    command = isolated("jobmon.server", "--data", str(folder.path), "--ready-fd", str(tell))
    if port is not None:
        command += ["--port", str(port)]
    with folder.server_log.open("ab") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[tell],
            start_new_session=True,
            cwd="/",
            env={k: v for k, v in os.environ.items() if k not in ("JOBMON_TOKEN", "JOBMON_SERVER")},
        )
    os.close(tell)
    with os.fdopen(ready, "rb") as pipe:
        said = pipe.read().decode()
    if said.startswith("ready"):
        endpoint = folder.endpoint()
        assert endpoint is not None
        return endpoint
    if said:
        raise StoreError(said)
    raise ServerUnreachable(f"the embedded server could not be started; its last words are in {folder.server_log}")
