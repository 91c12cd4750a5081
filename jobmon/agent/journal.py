"""The journal: ends that were collected and that the server may not know yet, in a file that outlives the agent.

A killed agent's commands die with it, and what it only had in memory is run again. An end is noted before the worker
that it leaves free is used: so a kill repeats no more commands than there are workers. Nothing is synced to the disk:
processes are killed here, and a host that fails takes all of its commands along.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from jobmon.agent.saying import say
from jobmon.wire.decoding import Undecodable
from jobmon.wire.workers import FinishAttempts, FinishReport

#: From this size on, in bytes, a journal that never becomes empty is written anew without what is settled.
_LARGE = 1 << 20
_decode = msgspec.json.Decoder(FinishAttempts).decode


class Journal:
    """One report a line, each with the worker that owes it, as it is to be sent."""

    def __init__(self, path: Path, worker_id: str) -> None:
        """Open it, and read what an older agent left. The caller must hold the folder's lock.

        Raises:
            OSError: it cannot be read or written.
        """
        self._path = path
        self._worker_id = worker_id
        self._fd = _open(path)
        content = path.read_bytes()
        self._size = content.rfind(b"\n") + 1
        os.ftruncate(self._fd, self._size)  # a last line without an end: its writer was killed in the middle of it
        self._largest = _LARGE
        self._owed: dict[str, bytes] = {}
        self._left: dict[str, list[FinishReport]] = {}
        for line in content[: self._size].splitlines(keepends=True):
            self._take(line)

    def left(self) -> list[FinishAttempts]:
        """What older agents noted and nobody has settled."""
        return [FinishAttempts(worker_id, reports) for worker_id, reports in self._left.items()]

    def note(self, reports: Sequence[FinishReport]) -> None:
        """Write them down, in one piece."""
        lines = [msgspec.json.encode(FinishAttempts(self._worker_id, [report])) + b"\n" for report in reports]
        self._owed |= {report.token: line for report, line in zip(reports, lines, strict=True)}
        content = b"".join(lines)
        try:
            _write(self._fd, content)
        except OSError as error:  # the server is told all the same: only a kill before that would run these again
            self._say(error)
            os.ftruncate(self._fd, self._size)
        else:
            self._size += len(content)

    def settle(self, tokens: Iterable[str]) -> None:
        """The server has them."""
        for token in tokens:
            self._owed.pop(token, None)
        if self._size and not self._owed:
            os.ftruncate(self._fd, 0)
            self._size = 0
        elif self._size > self._largest:
            self._rewrite()

    def _take(self, line: bytes) -> None:
        try:
            message = _decode(line)
        except Undecodable as error:  # another version's
            say(f"agent: a line of {self._path} is not understood: {error}")
            return
        for report in message.reports:
            self._owed[report.token] = line
            self._left.setdefault(message.worker_id, []).append(report)

    def _rewrite(self) -> None:
        """Put a file with what is owed alone in the place of this one."""
        passing = self._path.with_suffix(".new")
        content = b"".join(self._owed.values())
        try:
            passing.unlink(missing_ok=True)
            fd = _open(passing)
            try:
                _write(fd, content)
                passing.replace(self._path)
            except OSError:
                os.close(fd)
                raise
        except OSError as error:
            self._say(error)
        else:
            os.close(self._fd)
            self._fd, self._size = fd, len(content)
        self._largest = max(_LARGE, 2 * self._size)

    def _say(self, error: OSError) -> None:
        say(f"agent: {self._path} cannot be written: {error}")


def _open(path: Path) -> int:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.fchmod(fd, 0o600)  # whatever the umask, which is the tasks'
    return fd


def _write(fd: int, content: bytes) -> None:
    """Write all of it.

    Raises:
        OSError: not all of it could be written.
    """
    if os.write(fd, content) < len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
