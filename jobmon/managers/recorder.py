"""What platforms answer, on its way to the server: gathered for a moment, sent in batches, in order."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable

from jobmon.requester import Requester
from jobmon.requester.batches import in_pieces
from jobmon.states.evidence import Reporting, Sighting
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.leases import Lease, Observation, Outcome, OutcomeKind, Recorded, RecordObservations, RecordOutcomes
from jobmon.wire.problems import Problem

#: How long the first of a batch waits for others. `flush` ends the wait.
_LINGER_S = 0.02
_BATCH = 5000
_LONGEST_WHY = 2000
_log = logging.getLogger(__name__)


class Recorder:
    """Sends outcomes and observations in the thread that runs `run`; `on_ended` hears which attempts are final."""

    def __init__(
        self, lease: Lease, requester: Requester, reporting: Reporting, on_ended: Callable[[list[str]], None]
    ) -> None:
        self._lease, self._requester, self._on_ended = lease, requester, on_ended
        self._by_platform = reporting is Reporting.PLATFORM
        self._outcomes: deque[Outcome] = deque()
        self._observations: deque[Observation] = deque()
        self._changed = threading.Condition()
        self._awake = False  #: the sender knows that something is there
        self._urgent = False
        self._closing = False

    def outcome(self, outcome: Outcome) -> None:
        """Take what came of one submission."""
        self._outcomes.append(outcome)
        if not self._awake:
            self._wake(urgent=False)

    def outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Take what came of several submissions, and send it now."""
        self._outcomes.extend(outcomes)
        self._wake(urgent=True)

    def observations(self, observations: Iterable[Observation], *, urgent: bool = True) -> None:
        """Take what a platform says of several attempts."""
        self._observations.extend(observations)
        self._wake(urgent=urgent)

    def flush(self) -> None:
        """Nothing more comes for the moment: send what is there."""
        if self._outcomes or self._observations:
            self._wake(urgent=True)

    def close(self) -> None:
        """Nothing more comes at all: `run` returns when everything is sent."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def run(self) -> None:
        """Send until `close`.

        Raises:
            Superseded: another manager serves the executor now.
            ServerUnreachable: the requester was stopped.
        """
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._awake or self._closing)
                if not self._awake:
                    return
                self._changed.wait_for(lambda: self._urgent or self._closing, _LINGER_S)
                # Cleared before the queues are read: what is added from here on wakes this loop again.
                self._awake = self._urgent = False
            self._send(_take(self._outcomes), _take(self._observations))

    def _wake(self, *, urgent: bool) -> None:
        with self._changed:
            self._awake = True
            self._urgent = self._urgent or urgent
            self._changed.notify_all()

    def _send(self, outcomes: list[Outcome], observations: list[Observation]) -> None:
        if self._by_platform and outcomes and observations:
            outcomes = _without_those_of_ended(outcomes, observations)
        ended: list[str] = []
        for i in range(0, len(outcomes), _BATCH):
            ended += self._record_outcomes(outcomes[i : i + _BATCH])
        for i in range(0, len(observations), _BATCH):
            some = observations[i : i + _BATCH]
            more, refused = self._record_observations(some)
            ended += more
            bare = [_bare(o, refused[o.token]) for o in some if o.token in refused and o.sighting is Sighting.EXITED]
            ended += self._record_observations(bare)[0] if bare else ()
        if ended:
            self._on_ended(ended)

    def _record_outcomes(self, batch: list[Outcome]) -> list[str]:
        def send(some: list[Outcome]) -> Recorded:
            return self._requester.call(routes.RECORD_OUTCOMES, RecordOutcomes(self._lease, some))

        ended: list[str] = []
        for piece in in_pieces(send, batch, token=lambda outcome: outcome.token):
            _warn(piece.refused, "what came of a submission")
            ended += piece.answer.ended if piece.answer is not None else ()
        return ended

    def _record_observations(self, batch: list[Observation]) -> tuple[list[str], dict[str, str]]:
        """Those that are final now, and why others were refused."""

        def send(some: list[Observation]) -> Recorded:
            return self._requester.call(routes.RECORD_OBSERVATIONS, RecordObservations(self._lease, some))

        ended: list[str] = []
        refused: dict[str, str] = {}
        for piece in in_pieces(send, batch, token=lambda seen: seen.token):
            _warn(piece.refused, "what its platform says of an attempt")
            refused |= piece.why("token")
            ended += piece.answer.ended if piece.answer is not None else ()
        return ended, refused


def _warn(refused: Iterable[Problem], what: str) -> None:
    for problem in refused:
        _log.warning("the server refuses %s: %s", what, problem.detail)


def _bare(seen: Observation, why: str) -> Observation:
    """The end alone, where what was said of it cannot be taken: else the attempt would be live for ever."""
    told = f"what its platform says of its end was refused: {why}"
    return Observation(seen.token, seen.sighting, seen.reason or Reason.UNKNOWN, detail=told[:_LONGEST_WHY])


def _take(queue: deque[Outcome] | deque[Observation]) -> list:  # type: ignore[type-arg]
    return [queue.popleft() for _ in range(len(queue))]


def _without_those_of_ended(outcomes: list[Outcome], observations: list[Observation]) -> list[Outcome]:
    """Outcomes that say more than the observations, which carry the platform's id themselves."""
    exited = {o.token for o in observations if o.sighting is Sighting.EXITED and o.executor_job_id is not None}
    return [o for o in outcomes if o.kind is not OutcomeKind.ACCEPTED or o.token not in exited]
