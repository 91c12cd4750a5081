"""Creates instances of queued jobs and gives them to the platform."""

from collections import deque
from collections.abc import Callable, Sequence

from jobmon.managers.host import HostCall
from jobmon.managers.live import Attempt, Phase
from jobmon.managers.pace import BatchSize
from jobmon.managers.requests import RequestMaker
from jobmon.managers.service import Service
from jobmon.managers.submit_call import ArrayCall, Came, SinglesCall, SubmitCall
from jobmon.plugins import SchedulerUnavailable
from jobmon.states.evidence import Reporting
from jobmon.wire import routes
from jobmon.wire.leases import ClaimJobs, JobsClaimed, Outcome, OutcomeKind

#: How long a claim waits on the server for a queued job; stopping politely takes no longer than that.
CLAIM_WAIT_S = 5.0
#: An exclusive executor that has nothing to do for so long is left to other workflows.
EXCLUSIVE_LINGER_S = 1.0
#: Submissions that may wait for or be in the executor's thread, so that claiming overlaps with submitting.
_AHEAD = 2
#: What gave no clear answer is tried again after so many seconds at first.
_UNCLEAR_S = 1.0
_NO_LIMIT = 1 << 30


class JobInstanceFactory:
    """Claims queued jobs of one executor in batches and submits them, while the reconciler's calls take their turns.

    `on_uncertain` hears of submissions that must be found, `on_placed` of those that the platform has.
    """

    def __init__(self, service: Service, *, on_uncertain: Callable[[], None], on_placed: Callable[[], None]) -> None:
        self._service = service
        self._on_uncertain, self._on_placed = on_uncertain, on_placed
        self._size = BatchSize(service.n_queued_jobs)
        self._under_way: deque[HostCall[None]] = deque()
        self._requests = RequestMaker(service)
        self._array_limit = 1
        self._smaller = ""  #: why arrays are smaller than they were
        self._limit = 0  #: attempts that may be live at once; 0: not known yet
        self._linger_s = EXCLUSIVE_LINGER_S if service.named.exclusive else CLAIM_WAIT_S

    def run(self) -> None:
        """Claim and submit until the service stops, or until an exclusive executor is idle.

        Raises:
            Superseded: another manager serves the executor now.
            ServerUnreachable: the requester was stopped.
        """
        service = self._service
        while not service.stopping.is_set():
            service.host.give_up_overrun()
            if self._paused() or not self._knows_limits():
                continue
            room = service.live.wait_for_room(self._limit, CLAIM_WAIT_S)
            if room == 0 or service.stopping.is_set():
                continue
            tried = bool(service.put_off.words())
            claimed = self._claim(1 if service.host.breaker.failures else min(room, self._size.size))
            if claimed.claims and service.stopping.is_set():
                self._give_back([c.token for c in claimed.claims], "its manager stopped before it was submitted")
            elif claimed.claims:
                self._submit(claimed)
            else:
                if tried:
                    service.put_off.over()  # nothing is queued any more
                if service.named.exclusive and len(service.live) == 0:
                    return

    def _knows_limits(self) -> bool:
        """Whether the executor has said how much it takes; it is asked until its platform answers."""
        if self._limit:
            return True
        asking, settings = self._service.asking, self._service.named.host
        try:
            own = asking.running_limit()
            self._array_limit = min(asking.array_limit(), _NO_LIMIT)
        except SchedulerUnavailable:
            return False
        if self._array_limit > 1:  # one submission costs as much as many
            self._size = BatchSize(self._service.n_queued_jobs, self._service.n_queued_jobs)
        self._limit = min((limit for limit in (own, settings.running) if limit is not None), default=_NO_LIMIT)
        return True

    def _paused(self) -> bool:
        """Whether nothing may be claimed now; waits a part of the pause."""
        service, now_s = self._service, self._service.clock.monotonic()
        pause_s = max(service.host.breaker.wait_s(now_s), service.put_off.wait_s(now_s))
        if pause_s > 0:
            service.stopping.wait(min(pause_s, 1.0))
        return pause_s > 0

    def _claim(self, limit: int) -> JobsClaimed:
        service = self._service
        message = ClaimJobs(
            service.lease,
            limit,
            self._linger_s,
            with_payload=service.reporting is Reporting.PLATFORM,
            with_credentials=service.reporting is Reporting.WORKER,
            array_limit=self._array_limit if service.reporting is Reporting.WORKER else 1,
        )
        return service.requester.call(routes.CLAIM_JOBS, message)

    def _submit(self, claimed: JobsClaimed) -> None:
        """Have the claims submitted in the executor's thread; waits only while enough is under way there."""
        service, submitted_at = self._service, self._service.clock.now()
        service.live.add([Attempt(c.token, c.name, Phase.SENDING, submitted_at, c.array) for c in claimed.claims])
        singles, arrays = self._requests.of(claimed)
        submissions: list[SubmitCall] = [ArrayCall(self, service, array) for array in arrays]
        if singles:
            submissions.append(SinglesCall(self, service, singles))
        for place, submission in enumerate(submissions):
            if why := self._not_now(submission.array_size, first=place == 0):
                self._give_back(submission.tokens, why)
                continue
            self._under_way.append(service.host.post("submit", submission.send, submission.settle))
            while len(self._under_way) > _AHEAD or (self._under_way and self._under_way[0].finished):
                service.host.wait(self._under_way.popleft())

    def _not_now(self, array_size: int, *, first: bool) -> str:
        """Why such a submission is not made, as one before it told; empty when it is."""
        put_off = self._service.put_off
        if not first and put_off.wait_s(self._service.clock.monotonic()) > 0:
            return put_off.words()
        return self._smaller if array_size > self._array_limit else ""

    def _give_back(self, tokens: Sequence[str], why: str) -> None:
        self._service.recorder.outcomes([Outcome(token, OutcomeKind.DEFERRED, None, why) for token in tokens])

    def arrays_refused(self, tokens: Sequence[str], why: str, limit: int) -> None:
        """The platform takes no arrays of that size: the members are claimed again, in smaller ones or singly."""
        self._array_limit = max(1, min(limit, self._array_limit - 1))
        self._size.put_off(self._array_limit)
        self._smaller = f"not taken as an array: {why}"
        self._give_back(tokens, self._smaller)

    def unsent(self, tokens: Sequence[str], why: str) -> None:
        """A submission never reached the executor."""
        self._give_back(tokens, f"not submitted: {why}")

    def submitted(self, came: Came) -> None:
        """A submission ended."""
        self._size.measured(came.sent, came.cost_s)
        if came.taken:
            self._service.put_off.over()
        if came.deferred is not None:
            self._put_off(came, came.deferred.why, came.deferred.retry_after_s)
        elif came.uncertain is not None and not came.taken:
            self._put_off(came, f"it gave no clear answer: {came.uncertain}", _UNCLEAR_S)
        if came.uncertain is None:
            self._on_placed()
        else:
            self._on_uncertain()

    def _put_off(self, came: Came, why: str, retry_after_s: float) -> None:
        clock, put_off = self._service.clock, self._service.put_off
        if came.deferred is not None or put_off.words():  # a single answer that got lost says nothing of room
            self._size.put_off(came.taken)
        put_off.again(clock.monotonic(), clock.now(), why, retry_after_s)
