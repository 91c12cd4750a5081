"""Fake commands on PATH, for executors whose platform is reached through `Executor.run`."""

import errno
import json
import os
import shlex
import socketserver
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from jobmon.plugins import Completed, Executor, SchedulerUnavailable
from jobmon.testing.job_table import AnswerBroken, AnswerLost, CancelRefused, JobRefused, JobTable, PlatformAway

if TYPE_CHECKING:
    from jobmon.testing.world import World

#: Asks the socket in its folder what to say. It is run for each command of the platform, so it imports little.
_CLIENT = """\
import json, os, socket, sys
name, *argv = sys.argv[1:]
channel = socket.socket(socket.AF_UNIX)
os.chdir(os.path.dirname(os.path.abspath(__file__)))
channel.connect("platform.sock")
stdin = "" if os.isatty(0) else sys.stdin.read()
channel.sendall(json.dumps([name, argv, stdin, dict(os.environ)]).encode() + b"\\n")
answer = channel.makefile().read()
status, stdout, stderr = json.loads(answer)
sys.stdout.buffer.write(stdout.encode())
sys.stderr.buffer.write(stderr.encode())
sys.stdout.flush()
sys.exit(status)
"""


#: What Linux takes as one argument, and as all arguments and variables together, a part of which is left to these.
_MOST_ARGUMENT, _MOST_ARGUMENTS = 128 << 10, (2 << 20) - (64 << 10)
#: Variables that the shell which starts a fake command sets itself.
_SHELLS = ("PWD", "OLDPWD", "SHLVL", "_")


@attrs.frozen
class Answer:
    """What a command says, and its exit status."""

    status: int = 0
    stdout: str = ""
    stderr: str = ""


#: A fake command: reads and changes the table; gets its arguments and its standard input.
Fake = Callable[[JobTable, list[str], str], Answer]


class CommandPlatform(JobTable):
    """A table of jobs behind commands on PATH that speak as the platform's own. Derive from it and give `commands`.

    What a command raises becomes its answer: PlatformAway the message `away` and status 1, AnswerBroken the message
    `broken` and status 1, JobRefused and CancelRefused their own text and status 1; AnswerLost makes it hang until
    the executor's time limit, which the kit shortens to `command_limit_s` from `accept_then_time_out` on. Half an
    answer is the first half of what the command would have said, with status 1.
    """

    commands: ClassVar[Mapping[str, Fake]] = {}  #: by the name that the executor runs
    #: What each says, on standard error, while the platform is away.
    away: ClassVar[str] = "error: no answer from the scheduler"
    command_limit_s: ClassVar[float] = 1.0  #: the executor's time limit, where an answer is lost
    #: What the program says when its connection ends after it has sent a submission; it exits with 1.
    broken: ClassVar[str] = "error: the connection to the scheduler broke off"

    def __init__(self) -> None:
        super().__init__()
        self._n_commands = 0

    def n_asked(self) -> int:
        return self._n_commands

    def attach(self, world: "World") -> None:
        super().attach(world)
        folder = world.folder / "commands"
        folder.mkdir()
        (folder / "client.py").write_text(_CLIENT)
        for name in self.commands:
            path = folder / name
            path.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{folder}/client.py' '{name}' \"$@\"\n")
            path.chmod(0o700)
        self._released = threading.Event()
        self._here, self._bytes = False, 0
        self._now = threading.local()  #: in each thread, the command that it answers
        self._server = _listen(self, folder / "platform.sock")
        self._path = os.environ["PATH"]
        os.environ["PATH"] = f"{folder}:{self._path}"

    def close(self) -> None:
        os.environ["PATH"] = self._path
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def adopt(self, executor: Executor) -> None:
        def run(argv: Sequence[str], *, timeout_s: float = 30.0, **given: Any) -> Completed:
            if self._here:
                return self._answered(argv, timeout_s=timeout_s, **given)
            # Only where an answer will not come: on a busy host an answer that does come may take longer.
            limit_s = min(timeout_s, self.command_limit_s) if self._lose_answer else timeout_s
            return type(executor).run(executor, argv, timeout_s=limit_s, **given)

        executor.run = run  # type: ignore[method-assign]

    def answer(self, name: str, argv: list[str], stdin: str, environment: Mapping[str, str]) -> Answer | None:
        """What the command, run with this environment, says; None: nothing, and it does not end."""
        self._n_commands += 1
        half, self._half = self._half, False
        self._now.given = f"{name} {shlex.join(argv)}\n{stdin}\n{self._added(environment)}"
        try:
            answer = self.commands[name](self, argv, stdin)
        except PlatformAway:
            return Answer(1, "", self.away)
        except (JobRefused, CancelRefused) as error:
            return Answer(1, "", str(error))
        except AnswerBroken:
            return Answer(1, "", self.broken)
        except AnswerLost:
            return None
        return Answer(1, answer.stdout[: len(answer.stdout) // 2], "error: connection reset") if half else answer

    def answer_here(self) -> None:
        self._here = True

    def traffic(self) -> int:
        return self._bytes

    def _answered(self, argv: Sequence[str], *, timeout_s: float, stdin: str = "", **_: Any) -> Completed:  # noqa: ARG002
        """The answer of a command that is run by nobody, within the limits that the kernel has for command lines."""
        name, *arguments = argv
        sizes = [len(os.fsencode(one)) + 1 for one in argv]
        if max(sizes) > _MOST_ARGUMENT or sum(sizes) + 8 * len(sizes) > _MOST_ARGUMENTS:
            raise SchedulerUnavailable(f"cannot run {name}: {os.strerror(errno.E2BIG)} ({sum(sizes)} bytes)")
        tracing = sys.gettrace()
        sys.settrace(None)  # the fake's lines are not the executor's
        try:
            answer = self.answer(os.path.basename(name), arguments, stdin, {})  # noqa: PTH119
        finally:
            sys.settrace(tracing)
        if answer is None:
            return Completed(tuple(argv), None, "", "")
        self._bytes += sum(sizes) + len(stdin) + len(answer.stdout) + len(answer.stderr)
        return Completed(tuple(argv), answer.status, answer.stdout, answer.stderr)

    @staticmethod
    def _added(environment: Mapping[str, str]) -> list[str]:
        """The variables that the command was given beside this process's own."""
        own = {*os.environ.items(), *((name, environment.get(name)) for name in _SHELLS)}
        return sorted(f"{name}={value}" for name, value in environment.items() if (name, value) not in own)

    def _given(self) -> str:
        given: str = self._now.given
        return given

    def hold(self) -> None:
        """Wait for the end of the test."""
        self._released.wait()


def _listen(platform: CommandPlatform, path: Any) -> socketserver.BaseServer:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            name, argv, stdin, environment = json.loads(self.rfile.readline())
            answer = platform.answer(name, argv, stdin, environment)
            if answer is None:
                platform.hold()
            else:
                self.wfile.write(json.dumps([answer.status, answer.stdout, answer.stderr]).encode())

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 64

    # A socket's address has at most 107 bytes, however long the folder's is: so it is reached by a descriptor.
    fd = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        server = Server(f"/proc/self/fd/{fd}/{path.name}", Handler)
    finally:
        os.close(fd)
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="fake commands", daemon=True
    ).start()
    return server
