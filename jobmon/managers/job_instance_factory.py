"""Creates instances of queued jobs and gives them to the platform."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from jobmon.ids import platform_job_name
from jobmon.managers.host import HostCall
from jobmon.managers.live import Attempt, Phase
from jobmon.managers.pace import BatchSize
from jobmon.managers.service import Service
from jobmon.plugins import Accepted, Deferred, Executor, Rejected, Resources, SubmitRequest, Uncertain
from jobmon.plugins.resources import parse_resources
from jobmon.states.evidence import Reporting
from jobmon.wire import routes
from jobmon.wire.leases import Claim, ClaimJobs, Outcome, OutcomeKind

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
        self._resources: dict[bytes, tuple[Resources, list[str]]] = {}
        self._resume_at_s = 0.0  #: after the platform deferred something
        self._cls = service.named.cls
        self._linger_s = EXCLUSIVE_LINGER_S if service.named.exclusive else CLAIM_WAIT_S

    def run(self) -> None:
        """Claim and submit until the service stops, or until an exclusive executor is idle.

        Raises:
            Superseded: another manager serves the executor now.
            ServerUnreachable: the requester was stopped.
        """
        service = self._service
        limit = self._limit()
        while not service.stopping.is_set():
            service.host.give_up_overrun()
            if self._paused():
                continue
            room = service.live.wait_for_room(limit, CLAIM_WAIT_S)
            if room == 0 or service.stopping.is_set():
                continue
            claims = self._claim(1 if service.host.breaker.failures else min(room, self._size.size))
            if claims and service.stopping.is_set():
                self._give_back([claim.token for claim in claims], "its manager stopped before it was submitted")
            elif claims:
                self._submit(claims)
            elif service.named.exclusive and len(service.live) == 0:
                return

    def _limit(self) -> int:
        own = self._service.host.call("running_limit", lambda executor: executor.running_limit())
        limits = [limit for limit in (own, self._service.named.host.running) if limit is not None]
        return min(limits, default=_NO_LIMIT)

    def _paused(self) -> bool:
        """Whether nothing may be claimed now; waits a part of the pause."""
        service, now_s = self._service, self._service.clock.monotonic()
        pause_s = max(service.host.breaker.wait_s(now_s), self._resume_at_s - now_s)
        if pause_s > 0:
            service.stopping.wait(min(pause_s, 1.0))
        else:
            service.notes.say("deferred", "")
        return pause_s > 0

    def _claim(self, limit: int) -> list[Claim]:
        service = self._service
        message = ClaimJobs(
            service.lease,
            limit,
            self._linger_s,
            with_payload=service.reporting is Reporting.PLATFORM,
            with_credentials=service.reporting is Reporting.WORKER,
        )
        return service.requester.call(routes.CLAIM_JOBS, message).claims

    def _submit(self, claims: list[Claim]) -> None:
        """Have the claims submitted in the executor's thread; waits only while enough is under way there."""
        submission = _Submission(self, self._service, self._requests(claims))
        self._under_way.append(self._service.host.post("submit", submission.send, submission.settle))
        while len(self._under_way) > _AHEAD or (self._under_way and self._under_way[0].finished):
            self._service.host.wait(self._under_way.popleft())

    def _requests(self, claims: list[Claim]) -> list[SubmitRequest]:
        service, submitted_at = self._service, self._service.clock.now()
        service.live.add([Attempt(claim.token, claim.name, Phase.SENDING, submitted_at) for claim in claims])
        requests, refused = [], []
        start_files = service.start_files
        for claim in claims:
            resources, problems = self._parse(claim.resources)
            if problems:
                refused.append(Outcome(claim.token, OutcomeKind.REJECTED, None, "; ".join(problems)))
                continue
            token = claim.token
            requests.append(
                SubmitRequest(
                    token,
                    platform_job_name(token, claim.name),
                    claim.name,
                    resources,
                    () if start_files is None else start_files.write(token, claim.credential),
                    claim.command,
                    claim.call,
                    claim.env or {},
                    claim.cwd or "",
                )
            )
        if refused:
            service.recorder.outcomes(refused)
        return requests

    def _parse(self, raw: dict[str, Any]) -> tuple[Resources, list[str]]:
        key = msgspec.json.encode(raw) if raw else b""
        parsed = self._resources.get(key)
        if parsed is None:
            parsed = parse_resources(raw, type_name=self._cls.name, own_type=self._cls.resources_type)
            self._resources[key] = parsed
        return parsed

    def _give_back(self, tokens: Sequence[str], why: str) -> None:
        self._service.recorder.outcomes([Outcome(token, OutcomeKind.DEFERRED, None, why) for token in tokens])

    def deferred(self, why: str, retry_after_s: float) -> None:
        """The platform takes nothing for a while."""
        self._resume_at_s = max(self._resume_at_s, self._service.clock.monotonic() + retry_after_s)
        self._service.notes.say("deferred", f"the platform takes no more jobs at the moment: {why}")

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


class _Submission:
    """One call of `submit`: its outcomes are recorded as they come; what has none in the end is uncertain."""

    def __init__(self, factory: JobInstanceFactory, service: Service, requests: list[SubmitRequest]) -> None:
        self._factory, self._service, self._requests = factory, service, requests
        self._begun_s = 0.0
        self._open: dict[str, str] = {request.token: "" for request in requests}  #: token: why its outcome is unknown

    def send(self, executor: Executor, call: HostCall[None]) -> None:
        """Give the requests to the executor; runs in its thread."""
        service, live, recorder = self._service, self._service.live, self._service.recorder
        self._begun_s = service.clock.monotonic()
        monotonic = service.clock.monotonic
        requests = self._still_wanted()
        if not requests:
            return
        for token, outcome in executor.submit(requests=requests):
            if call.abandoned:
                return
            call.progress_s = monotonic()
            if token not in self._open:
                continue
            if type(outcome) is Accepted:
                attempt = live.get(token)
                if attempt is not None:
                    attempt.executor_job_id = outcome.executor_job_id
                    attempt.phase = Phase.PLACED
                recorder.outcome(Outcome(token, OutcomeKind.ACCEPTED, outcome.executor_job_id))
                del self._open[token]
            else:
                self._other_outcome(token, outcome)

    def _still_wanted(self) -> list[SubmitRequest]:
        """The requests without those whose end was asked for meanwhile."""
        live = self._service.live
        unwanted = {t for t in self._open if (attempt := live.get(t)) is not None and attempt.cancelling}
        if not unwanted:
            return self._requests
        why = "cancelled before it was submitted"
        self._service.recorder.outcomes([Outcome(token, OutcomeKind.DEFERRED, None, why) for token in unwanted])
        for token in unwanted:
            del self._open[token]
        return [request for request in self._requests if request.token not in unwanted]

    def _other_outcome(self, token: str, outcome: object) -> None:
        recorder = self._service.recorder
        if isinstance(outcome, Rejected):
            recorder.outcome(Outcome(token, OutcomeKind.REJECTED, None, outcome.why))
        elif isinstance(outcome, Deferred):
            recorder.outcome(Outcome(token, OutcomeKind.DEFERRED, None, outcome.why))
            self._factory.deferred(outcome.why, outcome.retry_after_s)
        else:
            why = outcome.why if isinstance(outcome, Uncertain) else f"submit yielded {outcome!r}, which is no outcome"
            self._open[token] = why
            return
        del self._open[token]

    def settle(self, call: HostCall[None]) -> None:
        """The call ended, in whatever way: what is open still must be found."""
        service = self._service
        if not call.begun:
            self._factory.unsent(list(self._open), str(call.error))
            return
        for token in self._open:
            attempt = service.live.get(token)
            if attempt is not None:
                attempt.phase = Phase.UNCERTAIN
        service.recorder.flush()
        cost_s = service.clock.monotonic() - self._begun_s
        self._factory.submitted(len(self._requests), cost_s, uncertain=bool(self._open))
