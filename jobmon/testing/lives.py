"""Area robustness: random lives of an executor, against a model of what may be said of each attempt."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from enum import Enum

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from jobmon.plugins import (
    Absent,
    Accepted,
    Deferred,
    Exited,
    Found,
    Pending,
    Rejected,
    Running,
    SchedulerUnavailable,
    SubmitRequest,
)
from jobmon.plugins import Submitted as SubmittedAttempt
from jobmon.testing.fault_checks import succeeded
from jobmon.testing.sentences import Area, does_not_apply, holds, not_exercised
from jobmon.testing.world import World, find_is_defined

_MOST = 6
_STEPS = 20


class _Is(Enum):
    """What the model knows of an attempt."""

    LIVE = "live"
    ENDING = "ending"  #: cancelled, killed or forgotten: whatever is said, it must not be success
    FINISHED = "finished"  #: by itself, with status 0


def machine_of(new_world: Callable[[], World]) -> type[RuleBasedStateMachine]:
    """A machine that leads executors of new worlds through random lives."""

    class Lives(RuleBasedStateMachine):
        """Every rule is one thing that a host, or the platform, does."""

        def __init__(self) -> None:
            super().__init__()
            self.world = new_world()
            self.known: dict[str, tuple[SubmittedAttempt, _Is]] = {}
            self.gone: set[str] = set()
            self.away = False

        def teardown(self) -> None:
            self.world.close()

        def _one(self, index: int) -> SubmittedAttempt:
            return list(self.known.values())[index % len(self.known)][0]

        @rule(count=st.integers(1, 3), lost=st.booleans())
        def submit(self, count: int, lost: bool) -> None:
            room = min(count, self.world.batch(_MOST) - len(self.known))
            if room < 1:
                return
            if lost and not self.away:
                self.world.tried("accept_then_time_out")
            requests = self.world.requests(room)
            sent = self.world.submit(requests)
            for request in requests:
                outcome = sent.of(request.token)
                if isinstance(outcome, Accepted):
                    self.known[request.token] = self.world.submitted(request, outcome), _Is.LIVE
                assert not isinstance(outcome, Rejected), f"{request.job_name} ended as {outcome!r}"
                if outcome is None or not isinstance(outcome, Accepted | Deferred):
                    self._settle(request)
            names = [name[:27] for name in self.world.names_at_the_platform() or ()]
            assert len(set(names)) == len(names), f"the platform has {names}"

        def _settle(self, request: SubmitRequest) -> None:
            if not find_is_defined(self.world) or self.away:
                return
            finding = self.world.find([request]).get(request.token)
            if isinstance(finding, Found):
                accepted = Accepted(finding.executor_job_id)
                self.known[request.token] = self.world.submitted(request, accepted), _Is.LIVE
            if isinstance(finding, Absent):
                names = self.world.names_at_the_platform() or ()
                assert not any(name.startswith(request.token) for name in names), finding

        @precondition(lambda self: self.known)
        @rule()
        def observe(self) -> None:
            try:
                answer = self.world.observe([one for one, _ in self.known.values()])
            except SchedulerUnavailable:
                assert self.away, "SchedulerUnavailable without an outage"
                return
            assert set(answer) <= set(self.known)
            for token, seen in answer.items():
                self._judge(token, seen)

        def _judge(self, token: str, seen: object) -> None:
            state = self.known[token][1]
            if self.away:
                assert token in self.gone or not isinstance(seen, Absent | Exited), f"during an outage it is {seen!r}"
                return
            if state is _Is.LIVE:
                assert isinstance(seen, Pending | Running), f"live, it is {seen!r}"
            if state is not _Is.FINISHED:
                assert not succeeded(seen), f"it never finished, and is {seen!r}"
            if token in self.gone and self.world.conformance.remembers_cancellations:
                assert not isinstance(seen, Pending | Running), f"it had ended, and is {seen!r}"
            if isinstance(seen, Absent | Exited):
                self.gone.add(token)

        @precondition(lambda self: self.known and not self.away)
        @rule(index=st.integers(0, _MOST))
        def cancel(self, index: int) -> None:
            one = self._one(index)
            self.world.cancel([one])
            if self.known[one.token][1] is _Is.LIVE:
                self.known[one.token] = one, _Is.ENDING

        @precondition(lambda self: self.known and not self.away)
        @rule(index=st.integers(0, _MOST))
        def finish(self, index: int) -> None:
            one = self._one(index)
            if self.known[one.token][1] is _Is.LIVE:
                self.world.platform.finish(one.executor_job_id)
                self.known[one.token] = one, _Is.FINISHED
                self.world.ended(one)

        @precondition(lambda self: self.known and self.world.can("kill"))
        @rule(index=st.integers(0, _MOST))
        def kill(self, index: int) -> None:
            one = self._one(index)
            if self.known[one.token][1] is _Is.LIVE and self.world.tried("kill", one.executor_job_id):
                self.known[one.token] = one, _Is.ENDING

        @precondition(lambda self: self.known and not self.away and find_is_defined(self.world))
        @rule(index=st.integers(0, _MOST))
        def find(self, index: int) -> None:
            one = self._one(index)
            if self.known[one.token][1] is _Is.LIVE:
                finding = self.world.find([one]).get(one.token)
                assert finding == Found(one.executor_job_id), f"{one} is {finding!r}"

        @precondition(lambda self: self.known and not self.away)
        @rule()
        def observe_half(self) -> None:
            if self.world.tried("half_answer") is None:
                return
            try:
                answer = self.world.observe([one for one, _ in self.known.values()])
            except SchedulerUnavailable:
                return
            live = {token for token, (_, state) in self.known.items() if state is _Is.LIVE}
            wrong = {token: seen for token, seen in answer.items() if isinstance(seen, Absent | Exited)}
            assert not live & set(wrong), f"live, from half an answer they are {wrong}"

        @rule(days=st.integers(-2, 2))
        def jump(self, days: int) -> None:
            self.world.jump(timedelta(days=days))

        @rule(stop=st.booleans())
        def restart(self, stop: bool) -> None:
            self.world.restart(stop=stop)

        @precondition(lambda self: not self.away and self.world.can("down"))
        @rule()
        def down(self) -> None:
            self.away = self.world.tried("down") is not None

        @precondition(lambda self: self.away)
        @rule()
        def up(self) -> None:
            self.world.platform.up()
            self.away = False

    return Lives


class LivesChecks:
    """The contract as a whole."""

    @holds(Area.ROBUSTNESS, "Whatever happens in whatever order: nothing is lost, credited falsely, or started twice.")
    def test_random_lives_keep_the_contract(self, world: World) -> None:
        conformance = world.conformance
        if conformance.lives == 0:
            does_not_apply("its class says lives = 0")
        if not world.can("finish"):
            not_exercised("the platform object has no finish()")
        numbers = itertools.count()

        def new_world() -> World:
            return World(conformance, world.folder / f"life-{next(numbers)}")

        run_state_machine_as_test(
            machine_of(new_world),
            settings=settings(
                max_examples=conformance.lives,
                stateful_step_count=_STEPS,
                deadline=None,
                database=None,
                derandomize=True,
                print_blob=False,
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink] if conformance.shrinks else [Phase.generate],
            ),
        )
