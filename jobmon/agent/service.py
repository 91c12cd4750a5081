"""The spawner: one loop that wins starts, runs commands and calls, and reports how they ended."""

import hashlib
import json
import os
import secrets
import select
import signal
import socket
import sys
from pathlib import Path

from jobmon.agent.attempts import Attempts
from jobmon.agent.control import Door
from jobmon.agent.courier import Courier
from jobmon.agent.held import Held
from jobmon.agent.journal import Journal
from jobmon.agent.killing import AGENT_MARK
from jobmon.agent.messages import Question, Reply
from jobmon.agent.reserve import Reserve
from jobmon.agent.runner import Runner
from jobmon.agent.saying import say
from jobmon.agent.signals import Signals
from jobmon.agent.timers import Timers
from jobmon.processes import kill_marked
from jobmon.requester import Requester, connect
from jobmon.requester.connecting import placed
from jobmon.surroundings import Surroundings, adopt, surroundings
from jobmon.worker.awake import AwakeClock

_SWEEP_S = 10.0
#: The loop turns at least at each sweep; a longer gap is time in which this process was stopped.
_READ_AT_LEAST_S = 3 * _SWEEP_S
#: How long an agent that was told to end tries to tell the server of it, once nothing runs any more.
_LAST_WORDS_S = 2.0


def serve(folder: Path, keeper_end: int, *, workers: int, idle_s: float, grace_s: float) -> None:
    """Be the spawner of the agent of `folder`, whose lock is held, until it is not needed or the keeper is gone."""
    mark = hashlib.sha256(os.fsencode(folder)).hexdigest()[:24]
    kill_marked(AGENT_MARK, mark)  # what an agent left whose keeper and spawner were killed in the same instant
    own = surroundings()
    for name in ("JOBMON_DATA", "JOBMON_TOKEN_FILE"):
        if os.environ.get(name):
            os.environ[name] = str(placed(name, os.environ[name]))  # the working folder changes with the tasks
    Spawner(folder, keeper_end, mark, own, workers=workers, idle_s=idle_s, grace_s=grace_s).run()


def _find_server() -> Requester:
    # Client and manager restart an embedded server; one that the agent started would end with the agent.
    return connect(os.environ, start=False, patience_s=0.0)


class Spawner:
    """The loop and everything that it watches."""

    def __init__(
        self,
        folder: Path,
        keeper_end: int,
        mark: str,
        own: Surroundings,
        *,
        workers: int,
        idle_s: float,
        grace_s: float,
    ) -> None:
        self._lock_file = folder / "lock"
        self._keeper_end = keeper_end
        self._idle_s = idle_s
        self.agent_id = secrets.token_hex(6)
        self._poll = select.epoll()
        self._timers = Timers()
        self._attempts = Attempts(workers)
        worker_id = f"{socket.gethostname()}:agent-{self.agent_id}"
        journal = Journal(folder / "ended", worker_id)
        left = journal.left()
        self._attempts.carry_over(report.token for message in left for report in message.reports)
        self._clock = AwakeClock(_READ_AT_LEAST_S)
        self._reserve = Reserve()
        self._held = Held(folder / "held", worker_id)
        self._attempts.accept(self._held.orders)
        self._courier = Courier(worker_id, _find_server, left, self._held.returns, self._clock.now)
        self._surroundings = own
        self._mark = {AGENT_MARK.encode(): mark.encode()}
        environment = {name: value for name, value in os.environb.items() if name != b"JOBMON_TOKEN"} | self._mark
        self._runner = Runner(
            self._attempts, self._courier, journal, self._held, self._poll, self._timers, environment, grace_s,
            self._clock, self._reserve,
        )  # fmt: skip
        self._door = Door(folder, self._poll, self._reply, self._reserve)
        self._stopping = False
        self._ends_at: float | None = None
        self._idle_since: float | None = None
        self._signals = Signals({signal.SIGCHLD, signal.SIGTERM})

    def run(self) -> None:
        """Serve until there is nothing to do.

        Raises:
            CourierEnded: nothing can be reported any more. The next agent of the folder will.
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for fd in (self._keeper_end, self._signals.fd, self._courier.wake_fd):
            self._poll.register(fd, select.EPOLLIN)
        self._timers.at(self._clock.now() + _SWEEP_S, self._sweep)
        sys.setswitchinterval(0.0005)  # the loop must not wait 5 ms for the courier's JSON
        self._courier.begin()
        self._tell_ready()
        while not self._finished():
            for fd, _ in self._poll.poll(self._timers.wait_s(self._clock.now())):
                if fd == self._keeper_end:
                    say("agent: its keeper is gone; ends")
                    return
                self._handle(fd)
            self._timers.run(self._clock.now())
            self._runner.advance()
        self._door.close()
        self._courier.stop(1.0)

    def _tell_ready(self) -> None:
        """Say on stdout that clients can connect, and close it: it may be a pipe that somebody reads to its end."""
        os.write(1, json.dumps({"agent": self.agent_id}).encode() + b"\n")
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)
        os.dup2(null, 0)
        os.close(null)

    def _handle(self, fd: int) -> None:
        if fd == self._signals.fd:
            if signal.SIGTERM in self._signals.read():
                self._stop()
            self._runner.reap()
        elif fd == self._courier.wake_fd:
            os.eventfd_read(fd)
            self._runner.hear()
            self._courier.check()
        elif not self._door.handle(fd):
            self._runner.handle(fd)

    def _reply(self, question: Question) -> Reply:
        if question.surroundings not in (None, self._surroundings) and not self._surrounded(question.surroundings):
            return Reply(self.agent_id, ends=True)
        if question.workers is not None:
            self._attempts.workers = max(1, question.workers)
        if self._stopping and question.submit:
            return Reply(self.agent_id, error="this agent has been told to end")
        new = [order for order in question.submit if self._attempts.get(order.token) is None]
        if new:
            self._held.take(new)
        accepted = self._attempts.accept(question.submit)
        for token in question.cancel:
            self._runner.cancel(token)
        return Reply(self.agent_id, accepted, self._attempts.stages(question.ask or ()), self._hindrance())

    def _surrounded(self, wanted: Surroundings) -> bool:
        """Take over the surroundings of another run, as far as that goes; False where nothing is to be done, so that a
        new agent had better be started: it has them all.
        """
        if not len(self._attempts):
            self._stop()
            return False
        self._surroundings = wanted
        for refusal in adopt(wanted):
            say(f"agent: not as in the run that it works for now: {refusal}")
        environment = {name.encode("latin-1"): value.encode("latin-1") for name, value in wanted.environment.items()}
        self._runner.surround(environment | self._mark)
        return True

    def _hindrance(self) -> str:
        """Why nothing can be started now, if so."""
        if self._runner.full:
            return f"this host is full: {self._runner.full}"
        return f"its agent cannot ask the server for work: {self._courier.trouble}" if self._courier.trouble else ""

    def _stop(self) -> None:
        """Told to end: what has not begun is given back, what runs is ended."""
        self._stopping = True
        self._runner.stop()

    def _finished(self) -> bool:
        """Nothing is left to do, nobody is connected, and that for a while; or the folder is gone."""
        if self._stopping:
            return not self._attempts.running and self._said_all()
        if len(self._attempts):
            self._idle_since = None
            return False
        now = self._clock.now()
        if self._door.in_use:
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
            self._timers.at(now + self._idle_s, lambda: None)
        elif now - self._idle_since >= self._idle_s:
            return True
        return False

    def _said_all(self) -> bool:
        """The server knows all that it is owed; or it does not answer, and the next agent of the folder will report."""
        if not len(self._attempts):
            return True
        now = self._clock.now()
        if self._ends_at is None:
            self._ends_at = now + _LAST_WORDS_S
            self._timers.at(self._ends_at, lambda: None)
        return now >= self._ends_at

    def _sweep(self) -> None:
        self._runner.sweep()
        if not self._lock_file.exists():
            say(f"agent: {self._lock_file} is gone; ends")
            self._stop()
        self._timers.at(self._clock.now() + _SWEEP_S, self._sweep)
