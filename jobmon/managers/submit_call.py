"""One call of `submit` or `submit_array`: outcomes are recorded as they come; what has none in the end is uncertain."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Protocol

import attrs

from jobmon.managers.host import HostCall
from jobmon.managers.live import Phase
from jobmon.managers.service import Service
from jobmon.plugins import (
    Accepted,
    ArrayRefused,
    ArrayRequest,
    Deferred,
    Executor,
    Outcome,
    Rejected,
    SubmitRequest,
    Uncertain,
    answers,
)
from jobmon.plugins.answer_parts import Fault, written
from jobmon.wire import leases
from jobmon.wire.leases import OutcomeKind

#: Wrong answers of one call, after which no more of them are read: it may go on for ever.
_MOST_FAULTS = 10_000


class Submitter(Protocol):
    """Who hears how a submission went."""

    def arrays_refused(self, tokens: Sequence[str], why: str, limit: int) -> None:
        """The platform takes no arrays of that size, and has none of the attempts."""

    def unsent(self, tokens: Sequence[str], why: str) -> None:
        """The submission never reached the executor."""

    def submitted(self, came: "Came") -> None:
        """The submission ended."""


@attrs.frozen
class Came:
    """What came of a submission."""

    sent: int
    taken: int  #: how many the platform has for certain
    cost_s: float
    deferred: Deferred | None  #: the last, if some were
    uncertain: str | None  #: why an outcome is unknown, if one is


class SubmitCall(ABC):
    """A call of the executor, made in its thread."""

    method: ClassVar[str]

    def __init__(self, submitter: Submitter, service: Service, tokens: Sequence[str]) -> None:
        self._submitter, self._service = submitter, service
        self.tokens = tuple(tokens)
        self._taken = 0
        self._deferred: Deferred | None = None
        self._refused = False
        self._begun_s = 0.0
        self._open: dict[str, str] = dict.fromkeys(tokens, "")  #: token: why its outcome is unknown
        self._answered: set[str] = set()
        self._faults: list[Fault] = []

    @property
    @abstractmethod
    def array_size(self) -> int:
        """The members of the array; 1: each attempt is submitted by itself."""

    @abstractmethod
    def _outcomes(self, executor: Executor, call: HostCall[None]) -> Iterable[tuple[str, Outcome]]:
        """Give what is still wanted to the executor."""

    def send(self, executor: Executor, call: HostCall[None]) -> None:
        """Make the call; runs in the executor's thread."""
        monotonic = self._service.clock.monotonic
        self._begun_s = monotonic()
        try:
            for told in self._outcomes(executor, call):
                if call.abandoned:
                    return
                token = self._take(told)
                if token is not None:
                    call.progress_s = monotonic()
                elif len(self._faults) > _MOST_FAULTS:
                    break
        except ArrayRefused as refused:
            if not call.abandoned:
                self._array_refused(refused)
            return
        for token in self._open.keys() - self._answered:
            self._wrong("it ends without an outcome", token)

    def _take(self, told: object) -> str | None:
        """Take an outcome as the executor yields it; the token of one that counts."""
        try:
            token, came = answers.pair(told)
        except ValueError as error:
            self._wrong(str(error))
            return None
        if type(token) is not str or (token not in self._open and token not in self._answered):
            self._wrong(f"it tells of {written(token)}, of which it was not asked")
            return None
        if token in self._answered:
            self._wrong("it is answered twice; the first counts", token)
            return None
        outcome, faults = answers.outcome(came)
        if faults:
            self._faults += [attrs.evolve(fault, token=token) for fault in faults]
        self._answered.add(token)
        if isinstance(outcome, Accepted):
            attempt = self._service.live.get(token)
            if attempt is not None:
                attempt.executor_job_id = outcome.executor_job_id
                attempt.phase = Phase.PLACED
            self._service.recorder.outcome(leases.Outcome(token, OutcomeKind.ACCEPTED, outcome.executor_job_id))
            self._taken += 1
            del self._open[token]
        elif isinstance(outcome, Uncertain):
            self._open[token] = outcome.why
        else:
            self._not_taken(token, outcome)
        return token

    def _array_refused(self, error: ArrayRefused) -> None:
        """The platform has none of the members, if the executor may say so, and has said nothing else."""
        why, limit, faults = answers.refusal(error)
        self._faults += faults
        if self.method != ArrayCall.method or self._answered:
            self._wrong(f"it raised ArrayRefused {'after outcomes' if self._answered else 'without an array'}")
            return
        self._submitter.arrays_refused(list(self._open), why, limit)
        self._refused = True
        self._open.clear()

    def _wrong(self, words: str, token: str = "") -> None:
        self._faults.append(Fault(words, token=token))
        if token in self._open and token not in self._answered:
            self._open[token] = f"its plugin's answer is wrong: {words}"

    def _unwanted(self) -> set[str]:
        """Those whose end was asked for meanwhile."""
        live = self._service.live
        return {t for t in self._open if (attempt := live.get(t)) is not None and attempt.cancelling}

    def _drop(self, unwanted: Iterable[str]) -> None:
        why = "cancelled before it was submitted"
        dropped = [leases.Outcome(token, OutcomeKind.DEFERRED, None, why) for token in unwanted]
        if dropped:
            self._service.recorder.outcomes(dropped)
        for outcome in dropped:
            del self._open[outcome.token]

    def _not_taken(self, token: str, outcome: Rejected | Deferred) -> None:
        kind = OutcomeKind.REJECTED if isinstance(outcome, Rejected) else OutcomeKind.DEFERRED
        self._service.recorder.outcome(leases.Outcome(token, kind, None, outcome.why))
        if isinstance(outcome, Deferred):
            self._deferred = outcome
        del self._open[token]

    def settle(self, call: HostCall[None]) -> None:
        """The call ended, in whatever way: what is open still must be found."""
        service = self._service
        service.wrong.heard(self.method, self._faults)
        if not call.begun:
            self._submitter.unsent(list(self._open), str(call.error))
            return
        for token in self._open:
            attempt = service.live.get(token)
            if attempt is not None:
                attempt.phase = Phase.UNCERTAIN
        service.recorder.flush()
        if self._refused:
            return
        cost_s = service.clock.monotonic() - self._begun_s
        unknown = next((why or str(call.error or "no answer") for why in self._open.values()), None)
        self._submitter.submitted(Came(len(self.tokens), self._taken, cost_s, self._deferred, unknown))


class SinglesCall(SubmitCall):
    """Attempts that are submitted each by itself, in one call."""

    method = "submit"

    def __init__(self, submitter: Submitter, service: Service, requests: Sequence[SubmitRequest]) -> None:
        super().__init__(submitter, service, [request.token for request in requests])
        self._requests = requests

    @property
    def array_size(self) -> int:
        return 1

    def _outcomes(self, executor: Executor, call: HostCall[None]) -> Iterable[tuple[str, Outcome]]:
        self._drop(self._unwanted())
        wanted = [request for request in self._requests if request.token in self._open]
        for i, told in enumerate(executor.submit(requests=wanted) if wanted else (), 1):
            yield told
            if i < len(wanted):
                self._service.host.pace(call)  # the executor submits the next when it is asked for its outcome


class ArrayCall(SubmitCall):
    """An array, submitted whole: a member whose end was asked for is refused the start, and cancelled there."""

    method = "submit_array"

    def __init__(self, submitter: Submitter, service: Service, array: ArrayRequest) -> None:
        super().__init__(submitter, service, array.members)
        self._array = array

    @property
    def array_size(self) -> int:
        return len(self.tokens)

    def _outcomes(self, executor: Executor, call: HostCall[None]) -> Iterable[tuple[str, Outcome]]:  # noqa: ARG002
        unwanted = self._unwanted()
        if len(unwanted) == len(self._open):
            self._drop(unwanted)
        return executor.submit_array(array=self._array) if self._open else ()
