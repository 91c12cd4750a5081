"""Starting an embedded server. A server that is killed before it answers is started again, a few times."""

import os
import select
import subprocess
import threading

import attrs

from jobmon.errors import ServerUnreachable, StoreError
from jobmon.isolated import isolated
from jobmon.requester.endpoint import DataFolder, Endpoint

_PAUSES_S = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)  # before each start
_SAYS_WITHIN_S = 120.0
_LAST_BYTES = 4000


@attrs.frozen
class _Start:
    """How one start went: the server's words through its pipe (empty: it ended before), and what it left behind."""

    said: str
    how: str
    log_tail: str


def start(folder: DataFolder, port: int | None) -> Endpoint:
    """Start the server of a folder and wait until it answers. The caller holds `start.lock`.

    Raises:
        StoreError: it says why it cannot serve.
        ServerUnreachable: it ended, or was killed, at every start.
    """
    pause = threading.Event()
    for pause_s in _PAUSES_S:
        pause.wait(pause_s)
        tried = _try(folder, port)
        endpoint = folder.endpoint() if tried.said.startswith("ready") else None
        if endpoint is not None:
            return endpoint
        if tried.said and not tried.said.startswith("ready"):
            raise StoreError(tried.said)
    wrote = f"ends with:\n{tried.log_tail}" if tried.log_tail else "has nothing of it"
    raise ServerUnreachable(
        f"the embedded server of {folder.path} was started {len(_PAUSES_S)} times and never came to answer; "
        f"the last one {tried.how}. {folder.server_log} {wrote}"
    )


def _try(folder: DataFolder, port: int | None) -> _Start:
    """Start a server in a session of its own; it says through a pipe that it answers, or why not."""
    ready, tell = os.pipe()
    command = isolated("jobmon.server", "--data", str(folder.path), "--ready-fd", str(tell))
    if port is not None:
        command += ["--port", str(port)]
    with folder.open_log() as log:
        length = log.tell()
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[tell],
                start_new_session=True,
                cwd="/",
                env={k: v for k, v in os.environ.items() if k not in ("JOBMON_TOKEN", "JOBMON_SERVER")},
            )
        finally:
            os.close(tell)
    with os.fdopen(ready, "rb", buffering=0) as pipe:
        said = _heard(pipe.fileno())
    if said is None:
        process.kill()
        process.wait()
        raise ServerUnreachable(
            f"the embedded server of {folder.path} neither answered nor ended for {_SAYS_WITHIN_S:.0f} s after its "
            f"start, and was killed; {folder.server_log} may say why"
        )
    return _Start(said, "" if said else _how(process.wait()), "" if said else _tail(folder, length))


def _heard(pipe: int) -> str | None:
    """All that comes through the pipe before it is closed; None when nothing comes for too long."""
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    said = b""
    while poll.poll(_SAYS_WITHIN_S * 1000):
        chunk = os.read(pipe, 1 << 16)
        if not chunk:
            return said.decode(errors="replace")
        said += chunk
    return None


def _how(status: int) -> str:
    return f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"


def _tail(folder: DataFolder, length: int) -> str:
    """The last lines that were written to the server's log since it had that length."""
    with folder.server_log.open("rb") as log:
        end = log.seek(0, os.SEEK_END)
        log.seek(max(length, end - _LAST_BYTES))
        return "\n".join(log.read().decode(errors="replace").strip().splitlines()[-5:])
