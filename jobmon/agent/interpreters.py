"""Warm interpreters: processes that run one Python call after the other (their side is `jobmon.worker.warm`)."""

import json
import os
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec

import jobmon.worker
from jobmon.agent.spawn import spawn
from jobmon.wire.jobs import Call
from jobmon.wire.workers import Work

_LOOP = str(Path(jobmon.worker.__file__).with_name("warm.py"))
_CHANNEL_FD = 3

_CREDENTIALS = struct.Struct("3i")  # ucred in unix(7): process, user, group
_SCM_CREDENTIALS = 2
_ROOM = socket.CMSG_SPACE(_CREDENTIALS.size)
_CHUNK = [memoryview(bytearray(1 << 16))]

#: What two calls must have in common to run in one interpreter: the module, because what it sets when it is loaded is
#: set for all calls; and all of the environment, because libraries read it when they are imported.
Key = tuple[str, list[str], str, Mapping[bytes, bytes], int]


def key_of(call: Call, environment: Mapping[bytes, bytes], generation: int = 0) -> Key:
    """The kind of interpreter that the call needs; `environment` is without the mark of its attempt."""
    return call.python, call.import_paths, call.module, environment, generation


@attrs.define(eq=False)
class Interpreter:
    """One process; `token` is the attempt whose call it runs, None while it is idle."""

    pid: int
    key: Key
    channel: socket.socket
    token: str | None = None
    last_answer: dict[str, Any] | None = None  #: it ends after this one, and the call with it
    waits_for_room: bool = False  #: what is left to send is sent when the channel takes more
    _hung_up: bool = False
    _received: bytes = b""
    _to_send: bytearray = attrs.field(factory=bytearray)

    def send(self, work: Work, token: str) -> None:
        """Give it the call of an attempt. What becomes of it is told by its answer, or by its death."""
        assert work.call is not None
        message = {
            "call": work.call,
            "cwd": work.cwd,
            "token": token,
            "stdout": work.stdout,
            "stderr": work.stderr,
        }
        self._to_send += _line(message)

    def flush(self) -> bool:
        """Send what the process takes now; whether all is sent, or never can be."""
        try:
            while self._to_send:
                del self._to_send[: self.channel.send(self._to_send)]
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            self._to_send.clear()
        return True

    def hung_up(self) -> bool:
        """It has closed the connection: it is about to end."""
        return self._hung_up

    def receive(self) -> dict[str, Any] | None:
        """Its answer, once that is whole. What others write who hold its channel (a fork, say) is passed over."""
        try:
            while not self._received.endswith(b"\n"):
                size, about, _, _ = self.channel.recvmsg_into(_CHUNK, _ROOM)
                if not size:
                    self._hung_up = True
                    break
                if _sender(about) == self.pid:
                    self._received += _CHUNK[0][:size]
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self._hung_up = True
        line, end, rest = self._received.partition(b"\n")
        if not end:
            return None
        self._received = rest
        answer: dict[str, Any] = msgspec.json.decode(line)
        return answer


def _sender(about: list[tuple[int, int, bytes]]) -> int | None:
    """The process that wrote, as the kernel tells it."""
    for level, kind, data in about:
        if (level, kind) == (socket.SOL_SOCKET, _SCM_CREDENTIALS):
            return int(_CREDENTIALS.unpack(data)[0])
    return None


def _line(message: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(message) + b"\n"
    except UnicodeEncodeError:  # in ASCII, paths and values that are not UTF-8 (Python's surrogates) pass as well
        return json.dumps(msgspec.to_builtins(message)).encode() + b"\n"


class Interpreters:
    """The interpreters of an agent; idle ones are let go when they would be more than `limit()` with the busy ones."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self.by_pid: dict[int, Interpreter] = {}
        self._limit = limit
        self._generation = 0  # those of former ones have former surroundings

    def take(self, work: Work, environment: Mapping[bytes, bytes]) -> tuple[Interpreter, bool, list[Interpreter]]:
        """An interpreter for the call, whether it is a new one, and the idle ones that are too many now.

        Raises:
            CannotSpawn: there is no such interpreter.
            HostIsFull: there is no room for a process.
        """
        assert work.call is not None
        key = key_of(work.call, environment, self._generation)
        idle = [known for known in self.by_pid.values() if known.token is None]
        for known in idle:
            if known.key == key:
                return known, False, []
        new = self._start(key, work, environment)
        return new, True, idle[: max(0, len(self.by_pid) - self._limit())]

    def renew(self) -> list[Interpreter]:
        """From now on only new interpreters will do; those that are idle."""
        self._generation += 1
        return [known for known in self.by_pid.values() if known.token is None]

    def release(self, interpreter: Interpreter) -> None:
        """Its call has ended: it is the last to be let go."""
        interpreter.token = None
        self.by_pid[interpreter.pid] = self.by_pid.pop(interpreter.pid)

    def forget(self, pid: int) -> Interpreter | None:
        """It has ended, or is to end: its loop does when its channel is closed."""
        known = self.by_pid.pop(pid, None)
        if known is not None:
            known.channel.close()
        return known

    def _start(self, key: Key, work: Work, environment: Mapping[bytes, bytes]) -> Interpreter:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with theirs:
            try:  # the output files are the call's: what keeps the interpreter from starting is the task's to read
                channel = (os.POSIX_SPAWN_DUP2, theirs.fileno(), _CHANNEL_FD)
                pid = spawn([key[0], _LOOP, str(_CHANNEL_FD)], environment, work, channel)
            except BaseException:
                ours.close()
                raise
        ours.setblocking(False)
        self.by_pid[pid] = Interpreter(pid, key, ours)
        return self.by_pid[pid]
