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

import attrs

from jobmon.agent.saying import say
from jobmon.errors import JobmonError, ServerError, ServerUnreachable
from jobmon.requester import Requester
from jobmon.requester.batches import in_pieces
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.problems import Problem
from jobmon.wire.workers import (
    FinishAttempts,
    FinishReport,
    GiveBackAttempts,
    Heartbeat,
    HeartbeatAnswer,
    ReportsRecorded,
    Start,
    StartAttempts,
    Starts,
)

#: While there is enough to run, requests are so far apart, more when much is running: larger batches cost all less.
SHORTEST_PACE_S, LONGEST_PACE_S = 0.05, 0.25
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 5.0
_TRY_S = 2.0
_LARGEST_BATCH = 1000
_LONGEST_WHY = 2000


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
        self._left = deque(left)
        self._left_returns = deque(returns)
        self._starts: list[str] = []
        self._reports: list[FinishReport] = []
        self._returns: list[str] = []
        self._beats: list[str] = []
        self._batch = _LARGEST_BATCH
        self._heartbeat_s, self._orphan_after_s = 30.0, 900.0  #: as the server said last
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
                pause_s, self.trouble, self._batch = 0.0, "", min(2 * self._batch, _LARGEST_BATCH)
                self.round_trip_s += (time.monotonic() - last - self.round_trip_s) / 4
            except (JobmonError, OSError) as error:  # no descriptor is left, say
                trouble = f"{type(error).__name__}: {error}"
                if pause_s == 0 or (trouble != self.trouble and not isinstance(error, ServerUnreachable)):
                    say(f"agent: {trouble}; tried again until it works")
                self.trouble = trouble
                self._requester = None
                if stopped:
                    return
                if type(error) is ServerError:
                    self._smaller()
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S) or _FIRST_PAUSE_S

    def _send_all(self) -> None:
        """One request of each kind, where there is something; what the server does not answer is kept for next time."""
        if self._requester is None:
            self._requester = self._connect()
        while self._left:
            self._report(self._requester, self._left[0].reports, self._left[0].worker_id)
            self._left.popleft()
        while self._left_returns:
            self._give_back_for(self._requester, self._left_returns[0])
            self._left_returns.popleft()
        if self._returns:
            self._give_back(self._requester, self._returns[: self._batch])
        if self._reports:
            reports = self._reports[: self._batch]
            self._report(self._requester, reports, self._worker_id)
            with self._condition:
                del self._reports[: len(reports)]
        if self._starts:
            self._start(self._requester, self._starts[: self._batch])
        if self._beats:
            self._beat(self._requester, self._beats)

    def _give_back_for(self, requester: Requester, message: GiveBackAttempts) -> None:
        def send(some: list[str]) -> ReportsRecorded:
            return requester.call(routes.GIVE_BACK_ATTEMPTS, attrs.evolve(message, tokens=some), patience_s=_TRY_S)

        for start in range(0, len(message.tokens), self._batch):
            for piece in in_pieces(send, message.tokens[start : start + self._batch], token=str):
                _say_refused(piece.refused)

    def _smaller(self) -> None:
        """The server failed at something: less goes into a batch, and when that is one, another is the first."""
        if self._batch > 1:
            self._batch //= 2
            return
        with self._condition:
            for queue in (self._reports, self._starts, self._returns):
                queue[:] = [*queue[1:], *queue[:1]]
            self._left.rotate(-1)
            self._left_returns.rotate(-1)

    def _give_back(self, requester: Requester, tokens: list[str]) -> None:
        def send(some: list[str]) -> ReportsRecorded:
            message = GiveBackAttempts(self._worker_id, some, "its agent will not run it")
            return requester.call(routes.GIVE_BACK_ATTEMPTS, message, patience_s=_TRY_S)

        for piece in in_pieces(send, tokens, token=str):
            _say_refused(piece.refused)
        with self._condition:
            del self._returns[: len(tokens)]
        self._tell(Reported(tokens))

    def _report(self, requester: Requester, reports: list[FinishReport], worker_id: str) -> None:
        def send(some: list[FinishReport]) -> ReportsRecorded:
            return requester.call(routes.FINISH_ATTEMPTS, FinishAttempts(worker_id, some), patience_s=_TRY_S)

        refused: dict[str, str] = {}
        for piece in in_pieces(send, reports, token=lambda report: report.token):
            _say_refused(piece.refused)
            refused |= piece.why("token")
        bare = [_without_what_was_refused(r, refused[r.token]) for r in reports if r.token in refused]
        if bare:  # whoever waits for their ends shall hear of them
            for piece in in_pieces(send, bare, token=lambda report: report.token):
                _say_refused(piece.refused)
        self._tell(Reported([report.token for report in reports]))

    def _start(self, requester: Requester, tokens: list[str]) -> None:
        def send(some: list[str]) -> Starts:
            message = StartAttempts(self._worker_id, socket.gethostname(), some)
            return requester.call(routes.START_ATTEMPTS, message, patience_s=_TRY_S)

        for piece in in_pieces(send, tokens, token=str):
            _say_refused(piece.refused)
            refused = [Start(token, None, why) for token, why in piece.why("token").items()]
            if piece.answer is not None:
                self._heartbeat_s, self._orphan_after_s = piece.answer.heartbeat_s, piece.answer.orphan_after_s
            starts = [*(piece.answer.starts if piece.answer else ()), *refused]
            answered = {start.token for start in starts}
            with self._condition:  # of those that the server left out for want of room it is asked again
                self._starts[:] = [token for token in self._starts if token not in answered]
            self._tell(Started(starts, self._heartbeat_s, self._orphan_after_s))

    def _beat(self, requester: Requester, tokens: list[str]) -> None:
        def send(some: list[str]) -> HeartbeatAnswer:
            return requester.call(routes.HEARTBEAT, Heartbeat(self._worker_id, some), patience_s=_TRY_S)

        end: list[str] = []
        for piece in in_pieces(send, tokens, token=str):
            _say_refused(piece.refused)
            end += piece.answer.end if piece.answer is not None else ()
        with self._condition:
            if self._beats is tokens:
                self._beats = []
        self._tell(End(end) if end else None)

    def _tell(self, news: News | None) -> None:
        self.answered_at = self._now()
        if news is not None:
            self.news.append(news)
            os.eventfd_write(self.wake_fd, 1)


def _say_refused(refused: Iterable[Problem]) -> None:
    for problem in refused:
        say(f"agent: the server refuses for good: {problem.detail}")


def _without_what_was_refused(report: FinishReport, why: str) -> FinishReport:
    """A report that says how the attempt ended and no more; its result is lost, so that it can be no success."""
    told = f"the report of its end was refused: {why}"
    return FinishReport(report.token, report.reason or Reason.UNKNOWN, detail=told[:_LONGEST_WHY])
