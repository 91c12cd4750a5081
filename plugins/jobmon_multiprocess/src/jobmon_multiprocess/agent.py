"""The executor's side of the talk with the agent: find it or start it, ask, read the reply.

One line of JSON each way over the Unix socket `agent.sock` in the agent's folder.
"""

import errno
import json
import os
import select
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from jobmon.plugins import SchedulerUnavailable, surroundings
from jobmon_multiprocess.deaths import Deaths

#: A new agent first waits for an older one of its folder to be gone.
_START_S = 75.0
_REPLY_S = 30.0
#: There is no room for another process, descriptor or file just now.
_FULL = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT)
_LOG = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class AgentUnavailable(SchedulerUnavailable):
    """The agent does not answer. `asked`: it may have read the question, and acted on it."""

    def __init__(self, message: str, *, asked: bool) -> None:
        self.asked = asked
        super().__init__(message)


@attrs.frozen
class Reply:
    """What the agent says: its id, the tokens that it accepted, the stage of each that it knows of those asked, and why
    none can be started now, if so.
    """

    agent: str
    accepted: tuple[str, ...]
    stages: Mapping[str, str]
    full: str
    error: str


class Agent:
    """The agent of one folder. A question that meets a dead agent is put to a new one: none does harm when repeated."""

    def __init__(self, folder: Path, argv: Sequence[str]) -> None:
        self._folder = folder
        self._argv = tuple(argv)
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._received = b""
        self.deaths = Deaths()

    def close(self) -> None:
        """Hang up. The agent lives on."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self._received = b""

    def ask(self, question: Mapping[str, object]) -> Reply:
        """Put a question to the agent, which is started if there is none.

        Raises:
            AgentUnavailable: it cannot be started, or does not answer in time.
        """
        line = json.dumps(question).encode() + b"\n"
        try:
            return self._exchange(line)
        except OSError:  # it has died since the last question, or just when this one came
            known = self._channel is not None
            self.close()
            if known:
                self.deaths.another(time.monotonic(), self._how())
        try:
            return self._exchange(line)
        except (OSError, AgentUnavailable) as error:
            self.close()
            raise AgentUnavailable(f"the agent of {self._folder} does not answer: {error}", asked=True) from error

    def _exchange(self, line: bytes) -> Reply:
        if self._channel is None:
            try:
                self._channel = self._met() or self._start()
            except OSError as error:
                if error.errno in _FULL:
                    raise AgentUnavailable(f"this host is full: {error.strerror}", asked=False) from error
                raise
        fields = self._put(self._channel, line)
        return Reply(fields["agent"], tuple(fields["accepted"]), fields["stages"], fields["full"], fields["error"])

    def _met(self) -> socket.socket | None:
        """A connection to the agent that runs, which knows the surroundings of this run; None when there is none."""
        channel = self._connect()
        if channel is None:
            return None
        own = {"surroundings": attrs.asdict(surroundings())}
        try:
            ends = self._put(channel, json.dumps(own).encode() + b"\n").get("ends")
        except BaseException:
            channel.close()
            raise
        if ends:
            channel.close()
        return None if ends else channel

    def _put(self, channel: socket.socket, line: bytes) -> dict[str, Any]:
        """Send a line and return the answer to it."""
        channel.sendall(line)
        while b"\n" not in self._received:
            chunk = channel.recv(1 << 16)
            if not chunk:
                raise ConnectionResetError("it hung up")
            self._received += chunk
        reply, _, self._received = self._received.partition(b"\n")
        fields: dict[str, Any] = json.loads(reply)
        return fields

    def _connect(self) -> socket.socket | None:
        """A connection to the agent that runs; None when there is none."""
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        channel.settimeout(_REPLY_S)
        try:
            # A socket's address has at most 107 bytes, however long the folder's is: so it is reached by a descriptor.
            fd = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                channel.connect(f"/proc/self/fd/{fd}/agent.sock")
            finally:
                os.close(fd)
        except (FileNotFoundError, ConnectionRefusedError):
            channel.close()
            return None
        except BaseException:
            channel.close()
            raise
        return channel

    def _how(self) -> str:
        """How it died, as far as that is known already."""
        status = None if self._process is None else self._process.poll()
        words = _last_words(self._folder / "agent.log")
        if status is None:
            return f"in a way that is not known; its last words: {words}"
        return f"{f'by signal {-status}' if status < 0 else f'with status {status}'}; its last words: {words}"

    def _start(self) -> socket.socket:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._process is not None:
            self._process.poll()
        log = self._folder / "agent.log"
        with os.fdopen(os.open(log, _LOG, 0o600), "ab") as errors:
            try:
                self._process = subprocess.Popen(
                    self._argv,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    # Beside Python's back libraries set variables that it does not know (readline: LINES, COLUMNS).
                    env=dict(os.environ),
                    start_new_session=True,
                )
            except OSError as error:
                raise AgentUnavailable(f"cannot run {self._argv[0]}: {error.strerror}", asked=False) from error
        assert self._process.stdout is not None
        with self._process.stdout as said:
            ready = _first_line(said.fileno(), _START_S)
        channel = self._connect() if ready else None
        if channel is None:
            raise AgentUnavailable(f"the agent could not be started: {_last_words(log)}", asked=False)
        return channel


def _first_line(fd: int, timeout_s: float) -> bytes:
    """What comes up to the end of a line; nothing when the other end closes first, or the time is over."""
    received = b""
    until = time.monotonic() + timeout_s
    while b"\n" not in received:
        left_s = until - time.monotonic()
        if left_s <= 0 or not select.select([fd], [], [], left_s)[0]:
            return b""
        chunk = os.read(fd, 4096)
        if not chunk:
            return b""
        received += chunk
    return received


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError as error:
        return f"{log} cannot be read: {error.strerror}"
    return f"{lines[-1]} (in {log})" if lines else f"it said nothing (log: {log})"
