"""A short life of a few jobs, the same on every platform, step by step."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime

import attrs

from jobmon.plugins import Absent, Exited, Pending, Running, SchedulerUnavailable, Submitted
from jobmon.testing.recording import Step
from jobmon.testing.taping import Tape
from jobmon.testing.world import Sent, World

WAITS = "see a job wait"
#: Steps that begin so are submissions.
SUBMITS = "submit"
_AGAIN_S = 0.1
#: Which of both it is depends on how late the accounting may be.
_NOWHERE = "Absent, or not certain yet"


class NotSeen(AssertionError):
    """What a step waits for does not come: `step` is as it was last seen."""

    def __init__(self, step: Step) -> None:
        super().__init__(f"{step.step}: it is not seen; seen is {', '.join(step.saw)}")
        self.step = step


class ScriptedLife:
    """Leads it. `waits`: whether a job is seen waiting; None: if the platform lets one wait by itself."""

    def __init__(self, world: World, tape: Tape, waits: bool | None) -> None:
        self._world, self._tape, self._waits = world, tape, waits
        tape.folder = world.folder

    def steps(self) -> Iterator[Step]:
        """Each step when it was taken.

        Raises:
            NotSeen: what a step waits for does not come, in `patience_s`.
            AssertionError: a submission is not accepted, or a recording has no answer.
        """
        world = self._world
        first = yield from self._submitted("submit a job")
        yield from self._waited(first)
        yield self._until("see it run", [first], Running)
        yield self._step("find it", lambda: list(world.find([first]).values()))
        world.platform.finish(first.executor_job_id, 0)
        yield self._until("see it end with status 0", [first], Exited, Absent)

        second = yield from self._submitted("submit a job that fails")
        yield self._until("see that one run", [second], Running)
        world.platform.finish(second.executor_job_id, 3)
        yield self._until("see it end with status 3", [second], Exited, Absent)

        third = yield from self._submitted("submit a job to be cancelled")
        yield self._until("see that run, too", [third], Running)
        yield self._cancelled("cancel it", [third])
        yield self._until("see the cancelled job end", [third], Exited, Absent)

        if world.array_limit() >= 2:
            yield from self._array()

        never = world.requests()[0]
        unknown = Submitted("999999999", never.token, never.job_name, datetime.now(UTC))
        yield self._nowhere("observe a job that there never was", lambda: list(world.observe([unknown]).values()))
        yield self._nowhere("find a job that there never was", lambda: list(world.find([never]).values()))

    def _submitted(self, step: str) -> Generator[Step, None, Submitted]:
        world, request = self._world, self._world.requests()[0]
        sent: list[Sent] = []

        def submit() -> list[object]:
            sent.append(world.submit([request]))
            return [sent[0].of(request.token)]

        yield self._step(step, submit)
        return world.submitted(request, sent[0].of(request.token))

    def _waited(self, one: Submitted) -> Iterator[Step]:
        platform = self._world.platform
        holds = bool(self._waits) and self._world.can("hold_back")
        if holds:
            platform.hold_back(one.executor_job_id, "Priority")
        if self._waits is not False:
            seen = self._step(WAITS, lambda: [self._world.look(one)])
            if self._waits or seen.saw == (Pending.__name__,):
                yield seen
        if holds:
            platform.let_go(one.executor_job_id)

    def _array(self) -> Iterator[Step]:
        world, members = self._world, self._world.requests(2)
        for member in members:
            world.platform.prepare(member)
        array = world.array_of(members)
        sent: list[Sent] = []

        def submit() -> list[object]:
            sent.append(world.submit_array(array))
            return [sent[0].of(member) for member in array.members]

        yield self._step("submit an array", submit)
        submitted = world.submitted_members(array, sent[0])
        yield self._until("see the array run", submitted, Running)
        yield self._cancelled("cancel the array", submitted)
        yield self._until("see the cancelled array end", submitted, Exited, Absent)

    def _cancelled(self, step: str, submitted: Sequence[Submitted]) -> Step:
        def cancel() -> list[object]:
            self._world.cancel(submitted)
            return []

        return self._step(step, cancel)

    def _until(self, step: str, submitted: Sequence[Submitted], *kinds: type) -> Step:
        deadline = time.monotonic() + self._world.conformance.patience_s
        names = tuple(kind.__name__ for kind in kinds)
        while True:
            seen = self._step(step, lambda: [self._world.look(one) for one in submitted])
            if all(one.startswith(names) for one in seen.saw):
                return seen
            if time.monotonic() >= deadline:
                raise NotSeen(seen)
            self._world.context.wait(_AGAIN_S)

    def _nowhere(self, step: str, ask: Callable[[], Sequence[object]]) -> Step:
        seen = self._step(step, ask)
        saw = (_NOWHERE if one in ("Absent", "CannotTell", "Unknown") else one for one in seen.saw)
        return attrs.evolve(seen, saw=tuple(saw))

    def _step(self, step: str, ask: Callable[[], Sequence[object]]) -> Step:
        self._tape.begin(step)
        try:
            saw = tuple(map(phrase, ask()))
        except SchedulerUnavailable as error:
            saw = (phrase(error),)
        assert not self._tape.missing, f"{step}: {self._tape.missing}: record again"
        own = {word for name, word in self._tape.states if name.startswith(tuple(self._tape.tokens))}
        return Step(step, saw, tuple(sorted(own)), self._tape.noted())


def phrase(record: object) -> str:
    """What kind of record it is, and what of it does not depend on the moment."""
    if not isinstance(record, Exited):
        return "nothing" if record is None else type(record).__name__
    how = "a success" if record.reason is None else str(record.reason)
    status = "without" if record.status is None else "with"
    return f"Exited ({how}, {status} a status, usage: {', '.join(sorted(record.usage)) or 'none'})"
