"""What an agent has taken on, in a file that outlives it: the next one knows what had not begun, and loses none of it.

Nothing is synced to the disk: processes are killed here, and a host that fails takes the platform's promise along.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from jobmon.agent.messages import Order
from jobmon.agent.saying import say
from jobmon.wire.decoding import Undecodable
from jobmon.wire.workers import GiveBackAttempts

#: From this size on, in bytes, a file that never becomes empty is written anew.
_LARGE = 1 << 20
_WHY = "its agent died before it was begun"


class Line(msgspec.Struct, omit_defaults=True):
    """What has happened; `worker_id` is who asks from here on."""

    worker_id: str = ""
    orders: list[Order] = []
    asked: list[str] = []  #: their starts are about to be asked for
    begun: str = ""
    done: list[str] = []  #: the server has their ends, or they will never run


_decode = msgspec.json.Decoder(Line).decode


class Held:
    """The orders that are held, and how far each has come."""

    def __init__(self, path: Path, worker_id: str) -> None:
        """Read what an older agent held, and write that down as held by this one. The caller must hold the folder's
        lock.

        Raises:
            OSError: the file cannot be read or written.
        """
        self._path = path
        self._worker_id = worker_id
        self._orders: dict[str, Order] = {}
        self._asked: dict[str, str] = {}
        self._begun: set[str] = set()
        asking = ""
        for line in path.read_bytes().splitlines() if path.exists() else ():
            asking = self._read(line, asking)
        self.orders = [order for token, order in self._orders.items() if token not in self._begun]
        self.returns = self._returns()
        self._orders = {order.token: order for order in self.orders}
        self._asked.clear()
        self._begun.clear()
        self._fd, self._size, self._largest = -1, 0, _LARGE
        self._in_trouble = False
        self._write_anew()

    def take(self, orders: Sequence[Order]) -> None:
        """These are held from now on."""
        self._orders |= {order.token: order for order in orders}
        self._write(Line(orders=list(orders)))

    def asked(self, tokens: Sequence[str]) -> None:
        """Their starts may be won from now on."""
        self._asked |= dict.fromkeys(tokens, self._worker_id)
        self._write(Line(asked=list(tokens)))

    def begun(self, token: str) -> None:
        """It is about to be started: what kills the agent from now on may be its doing."""
        self._begun.add(token)
        self._write(Line(begun=token))

    def done(self, tokens: Sequence[str]) -> None:
        """They are held no more."""
        self._forget(tokens)
        if not self._orders and self._fd >= 0:
            os.ftruncate(self._fd, 0)
            self._size = 0
            self._write(Line(self._worker_id))
        elif self._size > self._largest:
            self._write_anew()
        else:
            self._write(Line(done=list(tokens)))

    def _returns(self) -> list[GiveBackAttempts]:
        """What older agents may have won and did not begin: only in their names can it be given back."""
        tokens: dict[str, list[str]] = {}
        for order in self.orders:
            if order.token in self._asked:
                tokens.setdefault(self._asked[order.token], []).append(order.token)
        return [GiveBackAttempts(worker_id, some, _WHY) for worker_id, some in tokens.items()]

    def _read(self, content: bytes, asking: str) -> str:
        try:
            line = _decode(content)
        except Undecodable:  # another version's, or its writer was killed in the middle of it: evidence decides
            say(f"agent: a line of {self._path} is not understood")
            return asking
        asking = line.worker_id or asking
        self._orders |= {order.token: order for order in line.orders}
        self._asked |= dict.fromkeys(line.asked, asking)
        if line.begun:
            self._begun.add(line.begun)
        self._forget(line.done)
        return asking

    def _forget(self, tokens: Iterable[str]) -> None:
        for token in tokens:
            self._orders.pop(token, None)
            self._asked.pop(token, None)
            self._begun.discard(token)

    def _write_anew(self) -> None:
        lines = [Line(self._worker_id, list(self._orders.values()), list(self._asked))]
        lines += [Line(begun=token) for token in self._begun]
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        passing = self._path.with_suffix(".new")
        fd = -1
        try:
            passing.unlink(missing_ok=True)
            fd = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            os.fchmod(fd, 0o600)  # whatever the umask, which is the tasks'
            _whole(fd, content)
            passing.replace(self._path)
        except OSError as error:
            if fd >= 0:
                os.close(fd)
            self._say(error)
        else:
            if self._fd >= 0:
                os.close(self._fd)
            self._fd, self._size = fd, len(content)
        self._largest = max(_LARGE, 2 * self._size)

    def _write(self, line: Line) -> None:
        content = msgspec.json.encode(line) + b"\n"
        try:
            _whole(self._fd, content)
        except OSError as error:  # only a kill would tell the difference, and then what is missing is lost, not charged
            self._say(error)
        else:
            self._in_trouble = False
        self._size += len(content)

    def _say(self, error: OSError) -> None:
        if not self._in_trouble:
            say(f"agent: {self._path} cannot be written: {error.strerror}")
        self._in_trouble = True


def _whole(fd: int, content: bytes) -> None:
    """Write all of it.

    Raises:
        OSError: not all of it could be written.
    """
    while content:
        content = content[os.write(fd, content) :]
