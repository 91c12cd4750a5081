"""One worker at a time, as a process of this host.

The platform is the process table: a worker is known by its process (never by the process id alone) and found again by
a mark in its environment. Nothing is kept in memory that a restarted manager would miss.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import attrs

from jobmon.plugins import (
    Absent,
    Accepted,
    Deferred,
    Executor,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    ProcessIdentity,
    Reason,
    Running,
    Submission,
    SubmitRequest,
    Submitted,
    Support,
    Unknown,
    identify,
    is_alive,
    kill_marked,
    marked,
)
from jobmon_sequential.identity import from_id, to_id

#: In the environment of a worker, its command and all that it starts: the attempt's token.
MARK = "JOBMON_ATTEMPT"
#: In the environment of the worker alone, which takes it out of its command's.
WORKER_MARK = "JOBMON_WORKER"
#: How long a worker that was told to end may take. It gives its command 10 s.
GRACE_S = 20.0
_LOG = os.O_WRONLY | os.O_CREAT | os.O_APPEND


class Sequential(Executor):
    """One job at a time, in order, on this host."""

    name = "sequential"
    api_version = (1, 0)
    core_resources = MappingProxyType({"runtime": Support.WORKER})
    exclusive = True  # one workflow at a time, so that one at a time is true for the host as a whole

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self._children: list[subprocess.Popen[bytes]] = []
        self._told_to_end: dict[str, float] = {}

    def running_limit(self) -> int:
        return 1

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        for request in requests:
            if self.context.in_process:
                # This very process does it; accepted first, so that what the payload raises is not the submission's.
                yield request.token, Accepted(to_id(identify()))
                self.context.run_here(request=request)
            else:
                yield request.token, self._spawn(request)

    def _spawn(self, request: SubmitRequest) -> Outcome:
        log = self.context.output_path(token=request.token)
        marks = {MARK: request.token, WORKER_MARK: request.token}
        try:
            with os.fdopen(os.open(log, _LOG, 0o600), "ab") as output:
                child = subprocess.Popen(
                    request.worker_argv,
                    env=os.environ | marks,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # it outlives this process, and no Ctrl-C of the terminal reaches it
                )
        except OSError as error:
            # No process came to be. The host may be short of memory or processes: worth another try.
            return Deferred(f"cannot start a worker: {error}")
        self._children.append(child)
        try:
            return Accepted(to_id(identify(child.pid)))
        except ProcessLookupError:
            # It has ended already: no process has this start, so it is seen as gone.
            return Accepted(to_id(attrs.evolve(identify(), pid=child.pid, started=0)))

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        self._reap()
        return {one.token: self._look_at(one) for one in submitted}

    def _look_at(self, one: Submitted) -> Observation:
        worker = from_id(one.executor_job_id)
        alive = is_alive(worker)
        if alive is None:
            return Unknown(f"it was started on {worker.host}, and this is {identify().host}")
        if alive:
            return Running()
        # Whatever a killed worker left behind must be gone before another attempt may start.
        kill_marked(MARK, one.token)
        self._told_to_end.pop(one.token, None)
        return Exited(reason=Reason.LOST, detail=f"its worker, process {worker.pid} of {worker.host}, has ended")

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        for one in submitted:
            worker = from_id(one.executor_job_id)
            if worker.pid == os.getpid() or not is_alive(worker):
                continue  # it is this very process (in-process manager), or has ended, or is another host's
            if one.token not in self._told_to_end:
                self._told_to_end[one.token] = time.monotonic()
                os.kill(worker.pid, signal.SIGTERM)
            elif time.monotonic() - self._told_to_end[one.token] >= GRACE_S:
                kill_marked(MARK, one.token)

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        looked_at = self.now()
        workers = _oldest(marked(WORKER_MARK))
        return {s.token: self._finding(s.token, workers.get(s.token), looked_at) for s in submissions}

    def _finding(self, token: str, worker: ProcessIdentity | None, looked_at: datetime) -> Finding:
        if worker is not None:
            return Found(to_id(worker))
        kill_marked(MARK, token)  # what a killed worker left behind
        return Absent(looked_at)

    def _reap(self) -> None:
        """Collect the children that have ended: until then they are zombies."""
        self._children = [child for child in self._children if child.poll() is None]


def _oldest(found: Iterable[tuple[int, str]]) -> dict[str, ProcessIdentity]:
    """The first process of each mark: a worker that is just starting its command is seen twice, as a fork of itself."""
    oldest: dict[str, ProcessIdentity] = {}
    for pid, token in found:
        try:
            process = identify(pid)
        except ProcessLookupError:
            continue  # it ended just now
        if token not in oldest or process.started < oldest[token].started:
            oldest[token] = process
    return oldest
