"""Runs one attempt in the very thread that asks for it, for debugging: wins its start, runs it, reports its end."""

import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import attrs
import msgspec

from jobmon.errors import JobmonError
from jobmon.plugins import SubmitRequest
from jobmon.requester import Requester
from jobmon.states.reasons import Reason
from jobmon.trust import make_folder, open_log
from jobmon.wire import routes
from jobmon.wire.jobs import Call, Command
from jobmon.wire.workers import FinishAttempts, FinishReport, Heartbeat, StartAttempts, Work
from jobmon.worker.calls import CallFailed, run_call

_TAIL_BYTES = 10_000


def run_here(requester: Requester, request: SubmitRequest) -> None:
    """Run the attempt if its start can be won, and report how it ended."""
    worker_id = f"{socket.gethostname()}:{os.getpid()}:in-process:{request.token}"
    starts = requester.call(routes.START_ATTEMPTS, StartAttempts(worker_id, socket.gethostname(), [request.token]))
    work = starts.starts[0].work
    if work is None:
        return
    with _heartbeats(requester, worker_id, request.token, starts.heartbeat_s) as ending:
        report = _call(request.token, work.call) if work.call is not None else _spawn(request.token, work, ending)
    requester.call(routes.FINISH_ATTEMPTS, FinishAttempts(worker_id, [report]))


class _Ending:
    """What to do when the server asks for the end of the attempt."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def end(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGTERM)


@contextmanager
def _heartbeats(requester: Requester, worker_id: str, token: str, every_s: float) -> Iterator[_Ending]:
    """Say that the attempt lives for as long as the block lasts."""
    over, ending = threading.Event(), _Ending()

    def beat() -> None:
        while not over.wait(every_s):
            try:
                answer = requester.call(routes.HEARTBEAT, Heartbeat(worker_id, [token]))
            except JobmonError:
                return  # the report tells of it: it meets the same refusal
            if token in answer.end:
                ending.end()

    thread = threading.Thread(target=beat, name=f"heartbeat {token}", daemon=True)
    thread.start()
    try:
        yield ending
    finally:
        over.set()


def _call(token: str, call: Call) -> FinishReport:
    try:
        return FinishReport(token, None, 0, result=run_call(json.loads(msgspec.json.encode(call))))
    except CallFailed as error:
        tail = error.story.encode()[-_TAIL_BYTES:].decode(errors="replace")
        return FinishReport(token, Reason.EXIT_NONZERO, error.status, detail=str(error), stderr_tail=tail)


def _output(path: str) -> IO[bytes]:
    return open_log(Path(path), 0o644, anew=True)


def _spawn(token: str, work: Work, ending: _Ending) -> FinishReport:
    for path in (work.stdout, work.stderr):
        make_folder(Path(path).parent, 0o755)
    secret = ("JOBMON_TOKEN", "JOBMON_TOKEN_FILE")
    env = {k: v for k, v in os.environ.items() if k not in secret} | work.env | {"JOBMON_ATTEMPT": token}
    try:
        with _output(work.stdout) as out, _output(work.stderr) as err:
            ending.process = subprocess.Popen(
                _argv(work.command or Command(argv=[])),
                cwd=work.cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            status = _wait(ending)
    except ChildProcessError:
        stolen = (
            "something in this script, such as a handler of SIGCHLD, has collected its end: nothing tells how it did"
        )
        return FinishReport(token, Reason.LOST, None, None, stolen)
    except OSError as error:
        return FinishReport(token, Reason.EXIT_NONZERO, 127, detail=f"cannot be started: {error}")
    if status < 0:
        told = FinishReport(token, Reason.SIGNALLED, None, -status, f"ended by signal {-status}")
    elif status:
        told = FinishReport(token, Reason.EXIT_NONZERO, status, None, f"exit status {status}")
    else:
        told = FinishReport(token, None, 0)
    return attrs.evolve(told, stdout_tail=_tail(work.stdout), stderr_tail=_tail(work.stderr))


def _wait(ending: _Ending) -> int:
    """The exit status of the process, negative for a signal.

    Raises:
        ChildProcessError: somebody else has collected it. Popen would take that for a success.
    """
    process = ending.process
    assert process is not None
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(process.pid, 0)[1])
    finally:
        ending.process = None  # its number may be another's now
        process.returncode = 0  # lest Popen wait for it
    return status


def _argv(command: Command) -> list[str]:
    return command.argv if command.argv else ["bash", "-c", command.shell or ""]


def _tail(path: str) -> str:
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        return file.read().decode(errors="replace")
