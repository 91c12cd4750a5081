"""Holds what the state machine believes of attempts against what their platform says."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

import attrs

from jobmon.managers.live import Attempt, Phase
from jobmon.managers.pace import PollPace
from jobmon.managers.service import Service
from jobmon.managers.sightings import sighting_of, to_wire
from jobmon.managers.uncertain import settle
from jobmon.plugins import (
    Absent,
    Exited,
    Observation,
    Pending,
    Placement,
    Reason,
    SchedulerUnavailable,
    Unknown,
    answers,
)
from jobmon.plugins.answer_parts import Span
from jobmon.states.evidence import Reporting, Sighting

#: With workers that report themselves polling is a safety net: not more often than this, in seconds.
_NET_S = 5.0
#: What the server has not decided on yet is looked at, and cancelled, again after so many seconds.
_AGAIN_S = 1.0
#: Both, where the platform is a cluster that others use too. An observation is up to two queries (of listing and
#: accounting), so that there are at most 20 a minute.
_REMOTE_S = 6.0
_CANCEL_AGAIN_S = 5.0
#: Attempts in one call of `cancel`, so that submissions and observations get their turns between.
CANCEL_AT_ONCE = 1000
#: What has begun, and of which its platform does not tell how it goes for so long, is taken for absent: a silent worker
#: is lost then, and one that was only cut off has ended its command by itself before.
_UNCLEAR_S = 1800.0
#: Between two answers not more than this counts: while the platform does not answer at all, no time passes.
_UNCLEAR_STEP_S = 60.0
_GONE = (Sighting.EXITED, Sighting.ABSENT)


class JobInstanceReconciler:
    """Looks for submissions of unknown outcome, cancels what is to end, observes the rest: one call each per round."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._by_platform = service.reporting is Reporting.PLATFORM
        settings = service.named.host
        remote = service.named.cls.placement is Placement.REMOTE
        net_s = min(_REMOTE_S if remote else _NET_S, settings.poll_max_s)
        least_s = settings.poll_min_s if self._by_platform else net_s
        self._pace = PollPace(least_s, settings.poll_max_s)
        self._again_s = net_s if remote else _AGAIN_S
        self._find_pace = PollPace(self._again_s, max(self._again_s, settings.poll_max_s))
        self._changed = threading.Condition()
        self._due_s = self._find_due_s = service.clock.monotonic()
        self._stopping = False

    # What others tell.

    def placed(self) -> None:
        """The platform was given something new; where it alone reports, that is looked at soon."""
        if self._by_platform:
            self._set_due(self._pace.hurry())

    def look_for_uncertain(self) -> None:
        """There are new submissions of unknown outcome."""
        with self._changed:
            self._find_due_s = self._service.clock.monotonic()
        self._set_due(0.0)

    def cancel(self) -> None:
        """There are new attempts to cancel."""
        self._set_due(0.0)

    def stop(self) -> None:
        """Have `run` return."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def pushed(self, observations: Mapping[str, Observation]) -> None:
        """Take observations that the executor pushes, in whichever thread; they are sent at once."""
        now_s = self._service.clock.monotonic()
        told = []
        for attempt, observation in self._checked(observations):
            weighed = self._weighed(attempt, observation, now_s)
            if self._matters(attempt, sighting_of(weighed), now_s):
                told.append(to_wire(attempt.token, attempt.executor_job_id, weighed))
        if told:
            self._service.recorder.observations(told)

    def _checked(self, pushed: object) -> Iterator[tuple[Attempt, Observation]]:
        """What is pushed of live attempts. One that is not live may have ended just now: that is nobody's fault."""
        service, now = self._service, self._service.clock.now()
        until_now = cache(lambda began: Span(began, now))  # what was submitted together shares it
        told, faults = answers.told_by_token(pushed)
        service.wrong.heard("report", faults)
        for token, observation in told.items():
            attempt = service.live.get(token)
            if attempt is not None:
                seen, faults = answers.observation(observation, until_now(attempt.submitted_at))
                if faults:
                    service.wrong.heard("report", [attrs.evolve(fault, token=token) for fault in faults])
                yield attempt, seen

    # Rounds.

    def run(self) -> None:
        """Work in rounds until `stop`. A platform that does not answer ends a round and is asked again later."""
        while self._wait():
            outage_s = self._service.host.breaker.wait_s(self._service.clock.monotonic())
            if outage_s > 0:
                self._set_due(outage_s)
                continue
            try:
                self._find()
                self._cancel()
                self._set_due(self._observe())
            except SchedulerUnavailable:
                self._set_due(self._service.host.breaker.wait_s(self._service.clock.monotonic()))

    def _wait(self) -> bool:
        """Wait until a round is due; False when the reconciler is to stop."""
        with self._changed:
            while not self._stopping:
                left_s = self._due_s - self._service.clock.monotonic()
                if left_s <= 0:
                    # What is asked for during the round sets an earlier instant again.
                    self._due_s = float("inf")
                    break
                self._changed.wait(left_s)
        self._service.host.give_up_overrun()
        return not self._stopping

    def _set_due(self, pause_s: float) -> None:
        with self._changed:
            due_s = self._service.clock.monotonic() + pause_s
            if due_s < self._due_s:
                self._due_s = due_s
                self._changed.notify_all()

    def _find(self) -> None:
        service, now_s = self._service, self._service.clock.monotonic()
        uncertain = [a for a in service.live.snapshot() if a.phase is Phase.UNCERTAIN]
        many = "1 submission" if len(uncertain) == 1 else f"{len(uncertain)} submissions"
        service.notes.say("uncertain", f"{many} of unknown outcome being looked for" if uncertain else "")
        if not uncertain:
            return
        if now_s < self._find_due_s:
            self._set_due(self._find_due_s - now_s)
            return
        submissions = [attempt.submission() for attempt in uncertain]
        findings = service.asking.find(submissions)
        after_s = service.named.host.uncertain_after_s
        outcomes, observations = settle(uncertain, findings, service.clock.monotonic(), after_s)
        if observations:
            service.recorder.observations(observations)
        if outcomes:
            service.recorder.outcomes(outcomes)
        pause_s = self._find_pace.next_pause_s(changed=bool(outcomes), cost_s=service.clock.monotonic() - now_s)
        with self._changed:
            self._find_due_s = service.clock.monotonic() + pause_s
        self._set_due(pause_s)

    def _cancel(self) -> None:
        service, now_s = self._service, self._service.clock.monotonic()
        doomed = [
            attempt
            for attempt in service.live.snapshot()
            if attempt.cancelling
            and attempt.phase is Phase.PLACED
            and (attempt.cancelled_at_s is None or now_s - attempt.cancelled_at_s >= _CANCEL_AGAIN_S)
        ]
        for start in range(0, len(doomed), CANCEL_AT_ONCE):
            piece = doomed[start : start + CANCEL_AT_ONCE]
            service.asking.cancel([attempt.submitted() for attempt in piece])
            for attempt in piece:
                attempt.cancelled_at_s = now_s

    def _observe(self) -> float:
        """Observe all that need it; the pause until the next round."""
        service, now_s = self._service, self._service.clock.monotonic()
        placed = [
            attempt
            for attempt in service.live.snapshot()
            if attempt.phase is Phase.PLACED
            and (attempt.gone_at_s is None or now_s - attempt.gone_at_s >= self._again_s)
        ]
        changed = self._look_at(placed) if placed else False
        pause_s = self._pace.next_pause_s(changed=changed, cost_s=service.clock.monotonic() - now_s)
        undecided = any(a.cancelling or a.gone_at_s is not None for a in service.live.snapshot())
        return min(pause_s, self._again_s) if undecided else pause_s

    def _look_at(self, placed: list[Attempt]) -> bool:
        service = self._service
        seen = service.asking.observe([attempt.submitted() for attempt in placed])
        now_s = service.clock.monotonic()
        told, waiting, unclear, unreported = [], Counter[str](), Counter[str](), Counter[str]()
        for attempt in placed:
            observation = self._weighed(attempt, seen[attempt.token], now_s)
            gone_before = attempt.gone_at_s is not None
            if self._matters(attempt, sighting_of(observation), now_s):
                said = service.outputs.tail(attempt) if gone_before and attempt.gone_at_s is not None else None
                told.append(to_wire(attempt.token, attempt.executor_job_id, observation, said))
                if said is not None:
                    unreported[said.splitlines()[-1]] += 1
            elif isinstance(observation, Pending) and observation.why:
                waiting[observation.why] += 1
            elif isinstance(observation, Unknown):
                unclear[observation.why] += 1
        service.notes.say("pending", "; ".join(f"{n} pending: {why}" for why, n in waiting.most_common(3)))
        service.notes.say("unclear", "; ".join(f"{n} unclear: {why}" for why, n in unclear.most_common(3)))
        lines = (f"{n} gone without a report, saying: {line}" for line, n in unreported.most_common(3))
        service.notes.say("unreported", "; ".join(lines))
        if service.outbox is not None:  # a worker's own report is worth more than what the platform says
            service.outbox.deliver(seen for seen in told if seen.sighting in _GONE)
        if told:
            service.recorder.observations(told)
        return bool(told)

    def _weighed(self, attempt: Attempt, observation: Observation, now_s: float) -> Observation:
        """The observation, as this executor's settings and the time that has passed have it taken."""
        if isinstance(observation, Exited) and observation.reason is Reason.CANCELLED_BY_USER:
            retries = self._service.named.host.retry_cancelled
            return attrs.evolve(observation, reason=Reason.CANCELLED) if retries else observation
        if not isinstance(observation, Unknown):
            if attempt.unclear_at_s is not None:
                attempt.unclear_for_s, attempt.unclear_at_s = 0.0, None
            return observation
        why = observation.why
        if attempt.unclear_at_s is not None:
            attempt.unclear_for_s += min(now_s - attempt.unclear_at_s, _UNCLEAR_STEP_S)
        attempt.unclear_at_s = now_s
        if self._by_platform or not attempt.running or attempt.unclear_for_s < _UNCLEAR_S:
            return observation
        return Absent(self._service.clock.now(), f"for {_UNCLEAR_S / 60:g} min nothing was told but this: {why}")

    def _matters(self, attempt: Attempt, sighting: Sighting, now_s: float) -> bool:
        """Whether the server must hear of it: of ends always, of a beginning once and where nobody else tells."""
        if sighting in _GONE:
            attempt.gone_at_s = now_s
            return True
        if sighting is Sighting.UNKNOWN:
            return False
        back = attempt.gone_at_s is not None  # the server counts for how long it was gone without a break
        attempt.gone_at_s = None
        begun = sighting is Sighting.RUNNING and self._by_platform and not attempt.running
        attempt.running = attempt.running or begun
        return back or begun
