"""The agent's door for its executor: a Unix socket in the agent's folder."""

import os
import select
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec

from jobmon.agent.messages import Question, Reply
from jobmon.agent.reserve import Reserve
from jobmon.wire.decoding import Undecodable

_questions = msgspec.json.Decoder(Question)


def door_path(folder: Path) -> Path:
    """Where the socket is."""
    return folder / "agent.sock"


def listen(folder: Path) -> socket.socket:
    """The listening socket; one that an older agent left is replaced. The caller must hold the folder's lock.

    A socket's address has at most 107 bytes, however long the folder's is: so it is reached through a descriptor.
    """
    path = door_path(folder)
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        door.bind(f"/proc/self/fd/{fd}/{path.name}")
    finally:
        os.close(fd)
    path.chmod(0o600)
    door.listen(16)
    door.setblocking(False)
    return door


class Client:
    """One connected executor."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self._received = bytearray()
        self._to_send = bytearray()

    def questions(self) -> list[Question] | None:
        """The questions that have come whole; None when it has hung up.

        Raises:
            Undecodable: it speaks another language.
        """
        try:
            while chunk := self.channel.recv(1 << 16):
                self._received += chunk
            hung_up = True
        except BlockingIOError:
            hung_up = False
        except ConnectionResetError:
            return None
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        found = [_questions.decode(line) for line in lines]
        return None if hung_up and not found else found

    def answer(self, reply: Reply) -> None:
        """Send a reply, now or as soon as the client takes it."""
        self._to_send += msgspec.json.encode(reply) + b"\n"
        self.flush()

    def flush(self) -> None:
        """Send what the client takes now."""
        try:
            while self._to_send:
                del self._to_send[: self.channel.send(self._to_send)]
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):
            self._to_send.clear()

    @property
    def interest(self) -> int:
        """The events to wait for."""
        return select.EPOLLIN | (select.EPOLLOUT if self._to_send else 0)


class Door:
    """Accepts clients of this user, reads their questions and sends the replies."""

    def __init__(self, folder: Path, poll: select.epoll, reply: Callable[[Question], Reply], reserve: Reserve) -> None:
        self._poll = poll
        self._reply = reply
        self._reserve = reserve
        self._door = listen(folder)
        self._clients: dict[int, Client] = {}
        poll.register(self._door, select.EPOLLIN)

    @property
    def in_use(self) -> bool:
        """Somebody is connected."""
        return bool(self._clients)

    def handle(self, fd: int) -> bool:
        """Deal with an event of this descriptor; False when it is none of the door's."""
        if fd == self._door.fileno():
            self._accept()
        elif fd in self._clients:
            self._attend(self._clients[fd])
        else:
            return False
        return True

    def close(self) -> None:
        """Nobody else can connect from now on."""
        self._poll.unregister(self._door)
        self._door.close()

    def _accept(self) -> None:
        try:
            with self._reserve.lent():
                channel, _ = self._door.accept()
        except OSError:  # it has hung up; or nothing is left even of the reserve, and the next turn tries again
            return
        credentials = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        if struct.unpack("3i", credentials)[1] != os.getuid():
            channel.close()
            return
        channel.setblocking(False)
        self._clients[channel.fileno()] = Client(channel)
        self._poll.register(channel, select.EPOLLIN)

    def _attend(self, client: Client) -> None:
        try:
            questions = client.questions()
        except Undecodable as error:
            client.answer(Reply("", error=f"this agent does not understand: {error}"))
            questions = None
        if questions is None:
            self._poll.unregister(client.channel)
            del self._clients[client.channel.fileno()]
            client.channel.close()
            return
        for question in questions:
            client.answer(self._reply(question))
        client.flush()
        self._poll.modify(client.channel, client.interest)
