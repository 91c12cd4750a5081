"""The courier: a thread that carries starts, reports and heartbeats between the spawner and the server, in batches.

The spawner never waits for the server. What it hands over collects while a request is under way; what comes back is
picked up by the spawner, which is woken through a file descriptor.
"""

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

import attrs

from jobmon.agent.saying import say
from jobmon.errors import InvalidRequest, JobmonError, ServerUnreachable
from jobmon.requester import Requester
from jobmon.wire import routes
from jobmon.wire.workers import FinishAttempts, FinishReport, GiveBackAttempts, Heartbeat, Start, StartAttempts

T = TypeVar("T")

#: While there is enough to run, requests are so far apart, more when much is running: larger batches cost all less.
SHORTEST_PACE_S, LONGEST_PACE_S = 0.05, 0.25
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_TRY_S = 2.0
_LARGEST_BATCH = 1000


@attrs.frozen
class Started:
    """The server's answers to starts."""

    starts: list[Start]
    heartbeat_s: float
    orphan_after_s: float


@attrs.frozen
class Reported:
    """The server has these reports."""

    tokens: list[str]


@attrs.frozen
class End:
    """The server wants these to be ended."""

    tokens: list[str]


News = Started | Reported | End


class CourierEnded(JobmonError):
    """The courier has ended unasked: this agent can neither win starts nor report ends any more."""


class Courier:
    """Carries messages of one agent. `connect` finds the server; when it raises a JobmonError it is asked again.

    What older agents `left` unreported, or won and never began (`returns`), goes first, in their names: the server
    takes it only from who won the start.
    """

    def __init__(
        self,
        worker_id: str,
        connect: Callable[[], Requester],
        left: Iterable[FinishAttempts] = (),
        returns: Iterable[GiveBackAttempts] = (),
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.news: deque[News] = deque()
        self._now = now
        self.answered_at = now()  #: when the server last answered
        self.trouble = ""  #: why it does not, if so
        self.pace_s = SHORTEST_PACE_S  #: set by the spawner
        self.round_trip_s = 0.01  #: of late, all requests of one turn together
        self._worker_id = worker_id
        self._connect = connect
        self._requester: Requester | None = None
        self._condition = threading.Condition()
        self._left = list(left)
        self._left_returns = list(returns)
        self._starts: list[str] = []
        self._reports: list[FinishReport] = []
        self._returns: list[str] = []
        self._beats: list[str] = []
        self._hurry = False
        self._waits_for_work = False
        self._stopped = False
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def begin(self) -> None:
        """Start the thread."""
        self._thread.start()

    def hand_over(
        self,
        *,
        starts: list[str] | None = None,
        reports: list[FinishReport] | None = None,
        returns: list[str] | None = None,
        beats: list[str] | None = None,
        hurry: bool,
    ) -> None:
        """Take what is to be sent. With `hurry` the spawner has nothing else to do meanwhile."""
        with self._condition:
            self._starts += starts or ()
            self._reports += reports or ()
            self._returns += returns or ()
            if beats is not None:
                self._beats = beats
            if (hurry and not self._hurry) or self._waits_for_work:
                self._condition.notify()
            self._hurry = hurry

    def stop(self, wait_s: float) -> None:
        """Send what there is, if the server answers within `wait_s`, and end the thread."""
        with self._condition:
            self._stopped = True
            self._condition.notify()
        self._thread.join(wait_s)
        if self._requester is not None:
            self._requester.stop()

    def check(self) -> None:
        """Whether it goes on; called when it has woken the spawner.

        Raises:
            CourierEnded: it does not, and was not told to end.
        """
        if self._fault is not None:
            raise CourierEnded("the agent's courier has ended; all that it runs ends with it") from self._fault

    def _anything(self) -> bool:
        return bool(self._left or self._left_returns or self._starts or self._reports or self._returns or self._beats)

    def _run(self) -> None:
        """The thread's life."""
        try:
            self._carry()
        except BaseException as fault:  # noqa: BLE001 - an agent that lives on without its courier holds up a run
            self._fault = fault
            os.eventfd_write(self.wake_fd, 1)

    def _carry(self) -> None:
        """Send what there is, again and again, until told to stop."""
        last = 0.0
        pause_s = 0.0
        while True:
            with self._condition:
                while not self._anything():
                    if self._stopped:
                        return
                    self._waits_for_work = True
                    self._condition.wait()
                    self._waits_for_work = False
                while not (self._stopped or (pause_s == 0 and self._hurry)):
                    left_s = last + (pause_s or self.pace_s) - time.monotonic()
                    if left_s <= 0:
                        break
                    self._condition.wait(left_s)
                stopped = self._stopped
            last = time.monotonic()
            try:
                self._send_all()
                pause_s, self.trouble = 0.0, ""
                self.round_trip_s += (time.monotonic() - last - self.round_trip_s) / 4
            except (JobmonError, OSError) as error:  # no descriptor is left, say
                trouble = f"{type(error).__name__}: {error}"
                if pause_s == 0 or (trouble != self.trouble and not isinstance(error, ServerUnreachable)):
                    say(f"agent: {trouble}; tried again until it works")
                self.trouble = trouble
                self._requester = None
                if stopped:
                    return
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S) or _FIRST_PAUSE_S

    def _send_all(self) -> None:
        """One request of each kind, where there is something; what the server does not answer is kept for next time."""
        if self._requester is None:
            self._requester = self._connect()
        while self._left:
            self._report(self._requester, self._left[0].reports, self._left[0].worker_id)
            del self._left[0]
        while self._left_returns:
            self._give_back_for(self._requester, self._left_returns[0])
            del self._left_returns[0]
        if self._returns:
            self._give_back(self._requester, self._returns[:_LARGEST_BATCH])
        if self._reports:
            reports = self._reports[:_LARGEST_BATCH]
            self._report(self._requester, reports, self._worker_id)
            with self._condition:
                del self._reports[: len(reports)]
        if self._starts:
            self._start(self._requester, self._starts[:_LARGEST_BATCH])
        if self._beats:
            self._beat(self._requester, self._beats)

    def _give_back_for(self, requester: Requester, message: GiveBackAttempts) -> None:
        def send(some: list[str]) -> None:
            requester.call(routes.GIVE_BACK_ATTEMPTS, attrs.evolve(message, tokens=some), patience_s=_TRY_S)

        for start in range(0, len(message.tokens), _LARGEST_BATCH):
            _each_if_refused(send, message.tokens[start : start + _LARGEST_BATCH])

    def _give_back(self, requester: Requester, tokens: list[str]) -> None:
        def send(some: list[str]) -> None:
            message = GiveBackAttempts(self._worker_id, some, "its agent will not run it")
            requester.call(routes.GIVE_BACK_ATTEMPTS, message, patience_s=_TRY_S)

        _each_if_refused(send, tokens)
        with self._condition:
            del self._returns[: len(tokens)]
        self._tell(Reported(tokens))

    def _report(self, requester: Requester, reports: list[FinishReport], worker_id: str) -> None:
        def send(some: list[FinishReport]) -> None:
            requester.call(routes.FINISH_ATTEMPTS, FinishAttempts(worker_id, some), patience_s=_TRY_S)

        _each_if_refused(send, reports)
        self._tell(Reported([report.token for report in reports]))

    def _start(self, requester: Requester, tokens: list[str]) -> None:
        message = StartAttempts(self._worker_id, socket.gethostname(), tokens)
        answer = requester.call(routes.START_ATTEMPTS, message, patience_s=_TRY_S)
        with self._condition:
            del self._starts[: len(tokens)]
        self._tell(Started(answer.starts, answer.heartbeat_s, answer.orphan_after_s))

    def _beat(self, requester: Requester, tokens: list[str]) -> None:
        answer = requester.call(routes.HEARTBEAT, Heartbeat(self._worker_id, tokens), patience_s=_TRY_S)
        with self._condition:
            if self._beats is tokens:
                self._beats = []
        self._tell(End(answer.end) if answer.end else None)

    def _tell(self, news: News | None) -> None:
        self.answered_at = self._now()
        if news is not None:
            self.news.append(news)
            os.eventfd_write(self.wake_fd, 1)


def _each_if_refused(send: Callable[[list[T]], None], batch: list[T]) -> None:
    """Send a batch; if the server refuses it, each by itself, so that one that it does not know holds up no other."""
    try:
        send(batch)
    except InvalidRequest as error:
        if len(batch) == 1:
            say(f"agent: the server refuses for good: {error}")
            return
        for one in batch:
            _each_if_refused(send, [one])
