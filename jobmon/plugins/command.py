"""Runs a platform's command, for as long as the command itself runs."""

import fcntl
import os
import select
import selectors
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence

import attrs

from jobmon.plugins.records import SchedulerUnavailable

_CHUNK = 1 << 16


@attrs.frozen
class Completed:
    """What a platform's command answered within its time limit."""

    argv: tuple[str, ...]
    status: int | None  #: None: it was stopped at the time limit
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """It ended in time with status 0."""
        return self.status == 0

    @property
    def timed_out(self) -> bool:
        """It was stopped at the time limit."""
        return self.status is None

    def check(self) -> "Completed":
        """This, when it succeeded.

        Raises:
            SchedulerUnavailable: it did not.
        """
        if not self.ok:
            how = "gave no answer in time" if self.timed_out else f"exited with {self.status}"
            raise SchedulerUnavailable(f"{self.argv[0]} {how}: {(self.stderr or self.stdout).strip()}")
        return self


def run_command(
    argv: Sequence[str], *, timeout_s: float, stdin: str, environment: Mapping[str, str] | None
) -> Completed:
    """Run a command to its end, and no longer: what it leaves in the background may keep its output open.

    Raises:
        SchedulerUnavailable: there is no such command, or it cannot be run.
    """
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=pipe if stdin else subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            env=None if environment is None else dict(environment),
        )
    except OSError as error:
        raise SchedulerUnavailable(f"cannot run {argv[0]}: {error}") from error
    with process:
        try:
            talk = _Talk(process, stdin.encode(errors="surrogateescape"))
            in_time = talk.until_it_ends(time.monotonic() + timeout_s)
        except BaseException:
            process.kill()
            raise
    return Completed(tuple(argv), process.returncode if in_time else None, talk.text(1), talk.text(2))


class _Talk:
    """What goes to and comes from a process, until it ends."""

    def __init__(self, process: "subprocess.Popen[bytes]", stdin: bytes) -> None:
        self._process, self._input = process, memoryview(stdin)
        self._output: dict[int, list[bytes]] = {1: [], 2: []}
        self._watched = selectors.DefaultSelector()
        for number, stream in ((1, process.stdout), (2, process.stderr)):
            assert stream is not None
            self._watched.register(stream, selectors.EVENT_READ, number)
        if process.stdin is not None:
            self._watched.register(process.stdin, selectors.EVENT_WRITE, 0)

    def text(self, number: int) -> str:
        """Its standard output (1) or error (2), with the line ends of this host."""
        return b"".join(self._output[number]).decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")

    def until_it_ends(self, deadline: float) -> bool:
        """Whether it ends before the deadline; else it is killed."""
        ended, tell = os.pipe()
        waiter = threading.Thread(target=_wait, args=(self._process.pid, tell), name="end of a command", daemon=True)
        waiter.start()
        self._watched.register(ended, selectors.EVENT_READ)
        try:
            in_time = self._pass_on(ended, deadline)
            if not in_time:
                self._process.kill()
            waiter.join()
            self._take_what_is_left()
        finally:
            self._watched.close()
            os.close(ended)
        return in_time

    def _pass_on(self, ended: int, deadline: float) -> bool:
        while (left := deadline - time.monotonic()) > 0:
            for key, _ in self._watched.select(left):
                if key.fd == ended:
                    return True
                if key.data == 0:
                    self._write(key)
                elif not self._read(key, _CHUNK):
                    self._watched.unregister(key.fileobj)
        return False

    def _write(self, key: selectors.SelectorKey) -> None:
        try:
            self._input = self._input[os.write(key.fd, self._input[: select.PIPE_BUF]) :]
        except BrokenPipeError:
            self._input = self._input[:0]
        if not self._input:
            self._watched.unregister(key.fileobj)
            assert self._process.stdin is not None
            self._process.stdin.close()

    def _read(self, key: selectors.SelectorKey, most: int) -> bytes:
        data = os.read(key.fd, most)
        self._output[key.data].append(data)
        return data

    def _take_what_is_left(self) -> None:
        """All that the process wrote is in its pipes now; what others add there later is not waited for."""
        for key in list(self._watched.get_map().values()):
            if key.data in self._output:
                waiting = int.from_bytes(fcntl.ioctl(key.fd, termios.FIONREAD, bytes(4)), "little")
                if waiting:
                    self._read(key, waiting)


def _wait(pid: int, tell: int) -> None:
    """Close the descriptor when the process has ended. It is left to be collected."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:
        pass  # nobody is told of ends here: it has ended
    finally:
        os.close(tell)
