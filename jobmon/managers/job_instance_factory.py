"""Creates instances of queued jobs and gives them to the platform."""

from collections import deque
from collections.abc import Callable, Sequence

from jobmon.managers.host import HostCall
from jobmon.managers.live import Attempt, Phase
from jobmon.managers.pace import BatchSize
from jobmon.managers.requests import RequestMaker
from jobmon.managers.service import Service
from jobmon.managers.submit_call import ArrayCall, SinglesCall, SubmitCall
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
        self._limit = 0  #: attempts that may be live at once; 0: not known yet
        self._resume_at_s = 0.0  #: after the platform deferred something
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
            claimed = self._claim(1 if service.host.breaker.failures else min(room, self._size.size))
            if claimed.claims and service.stopping.is_set():
                self._give_back([c.token for c in claimed.claims], "its manager stopped before it was submitted")
            elif claimed.claims:
                self._submit(claimed)
            elif service.named.exclusive and len(service.live) == 0:
                return

    def _knows_limits(self) -> bool:
        """Whether the executor has said how much it takes; it is asked until its platform answers."""
        if self._limit:
            return True
        host, settings = self._service.host, self._service.named.host
        try:
            own = host.call("running_limit", lambda executor: executor.running_limit())
            self._array_limit = host.call("array_limit", lambda executor: executor.array_limit())
        except SchedulerUnavailable:
            return False
        if self._array_limit > 1:  # one submission costs as much as many
            self._size = BatchSize(self._service.n_queued_jobs, self._service.n_queued_jobs)
        self._limit = min((limit for limit in (own, settings.running) if limit is not None), default=_NO_LIMIT)
        return True

    def _paused(self) -> bool:
        """Whether nothing may be claimed now; waits a part of the pause."""
        service, now_s = self._service, self._service.clock.monotonic()
        pause_s = max(service.host.breaker.wait_s(now_s), self._resume_at_s - now_s)
        if pause_s > 0:
            service.stopping.wait(min(pause_s, 1.0))
        else:
            service.notes.say("deferred", "")
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
        for submission in submissions:
            self._under_way.append(service.host.post("submit", submission.send, submission.settle))
            while len(self._under_way) > _AHEAD or (self._under_way and self._under_way[0].finished):
                service.host.wait(self._under_way.popleft())

    def _give_back(self, tokens: Sequence[str], why: str) -> None:
        self._service.recorder.outcomes([Outcome(token, OutcomeKind.DEFERRED, None, why) for token in tokens])

    def deferred(self, why: str, retry_after_s: float) -> None:
        """The platform takes nothing for a while."""
        self._resume_at_s = max(self._resume_at_s, self._service.clock.monotonic() + retry_after_s)
        self._service.notes.say("deferred", f"the platform takes no more jobs at the moment: {why}")

    def arrays_refused(self, tokens: Sequence[str], why: str, limit: int) -> None:
        """The platform takes no arrays of that size: the members are claimed again, in smaller ones or singly."""
        self._array_limit = max(1, min(limit, self._array_limit - 1))
        self._give_back(tokens, f"not taken as an array: {why}")

    def unsent(self, tokens: Sequence[str], why: str) -> None:
        """A submission never reached the executor."""
        self._give_back(tokens, f"not submitted: {why}")

    def submitted(self, sent: int, cost_s: float, *, uncertain: bool) -> None:
        """A submission ended."""
        self._size.measured(sent, cost_s)
        if uncertain:
            self._on_uncertain()
        else:
            self._on_placed()
