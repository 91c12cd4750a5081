"""Area robustness: the platform is away, answers half, loses, kills, or gives ids out again."""

from datetime import timedelta

from jobmon.plugins import (
    Absent,
    Accepted,
    CannotTell,
    Deferred,
    Exited,
    Found,
    Observation,
    Pending,
    Rejected,
    Running,
    SchedulerUnavailable,
    Submitted,
    Unknown,
)
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World, find_is_defined


def succeeded(seen: object) -> bool:
    """Whether an observation credits an attempt with success."""
    return isinstance(seen, Exited) and seen.reason is None


class OutageChecks:
    """The platform does not answer, however long."""

    @holds(Area.ROBUSTNESS, "While the platform is away, submit accepts and refuses nothing.")
    def test_an_outage_at_submit_neither_accepts_nor_refuses(self, world: World) -> None:
        request = world.requests()[0]
        world.platform.down()
        outcome = world.submit([request]).of(request.token)
        assert not isinstance(outcome, Accepted | Rejected), f"it ended as {outcome!r}"
        world.platform.up()
        if isinstance(outcome, Deferred):
            names = world.names_at_the_platform() or []
            assert names == [], f"it ended as {outcome!r}, but the platform has {names}"

    @holds(Area.ROBUSTNESS, "While the platform is away, observe says nothing that it does not know.")
    def test_an_outage_at_observe_ends_nothing(self, world: World) -> None:
        one = world.live()[0]
        world.platform.down()
        for _ in range(3):
            seen = self._unless_away(world, one)
            assert not isinstance(seen, Exited | Absent), f"it is {seen!r}"
        world.platform.up()
        seen = world.look(one)
        assert isinstance(seen, Pending | Running), f"when the platform was back, it was {seen!r}"

    @holds(Area.ROBUSTNESS, "A cancellation that met an outage is asked for again, and then takes hold.")
    def test_an_outage_at_cancel_loses_no_cancellation(self, world: World) -> None:
        one = world.live()[0]
        world.platform.down()
        try:
            world.cancel([one])
        except SchedulerUnavailable:
            assert not succeeded(world.context.last_pushed(one.token))
        world.platform.up()
        world.cancelled([one])

    @holds(Area.ROBUSTNESS, "While the platform is away, find says that it cannot tell.")
    def test_an_outage_at_find_finds_nothing_absent(self, world: World) -> None:
        if not find_is_defined(world):
            does_not_apply("it does not define find")
        one = world.live()[0]
        world.platform.down()
        try:
            finding = world.find([one]).get(one.token, CannotTell("left out"))
        except SchedulerUnavailable:
            return
        assert isinstance(finding, CannotTell), f"it is {finding!r}"

    @holds(Area.ROBUSTNESS, "Absent comes from a complete answer alone.")
    def test_half_an_answer_makes_nobody_absent(self, world: World) -> None:
        many = world.live(world.batch(4))
        world.platform.half_answer()
        try:
            answer = world.observe(many)
        except SchedulerUnavailable:
            return
        wrong = [seen for seen in answer.values() if isinstance(seen, Absent | Exited)]
        assert not wrong, f"from half an answer it said {wrong}"

    @holds(Area.ROBUSTNESS, "find says Absent from a complete answer alone: it would be sent again.")
    def test_half_an_answer_at_find_finds_nothing_absent(self, world: World) -> None:
        if not find_is_defined(world):
            does_not_apply("it does not define find")
        many = world.live(world.batch(4))
        world.platform.half_answer()
        try:
            answer = world.find(many)
        except SchedulerUnavailable:
            return
        wrong = [finding for finding in answer.values() if isinstance(finding, Absent)]
        assert not wrong, f"from half an answer it said {wrong}"

    @staticmethod
    def _unless_away(world: World, one: Submitted) -> Observation:
        try:
            return world.look(one)
        except SchedulerUnavailable as error:
            return Unknown(str(error))


class AmbiguityChecks:
    """A submission arrives and its answer does not."""

    @holds(Area.ROBUSTNESS, "A submission that may have arrived is neither refused nor put off: it is Uncertain.")
    def test_a_submission_that_may_have_arrived_is_uncertain(self, world: World) -> None:
        request = world.requests()[0]
        world.platform.accept_then_time_out()
        outcome = world.submit([request]).of(request.token)
        assert not isinstance(outcome, Rejected | Deferred), f"it ended as {outcome!r}"

    @holds(Area.ROBUSTNESS, "What may have arrived is not sent again: nothing starts twice.")
    def test_what_may_have_arrived_is_not_sent_again(self, world: World) -> None:
        request = world.requests()[0]
        world.platform.accept_then_time_out()
        world.submit([request])
        names = world.platform.job_names()
        assert len(names) <= 1, f"the platform has {names}"

    @holds(Area.ROBUSTNESS, "What may have arrived is found where it did, and then goes on as any other.")
    def test_what_may_have_arrived_is_found(self, world: World) -> None:
        request = world.requests()[0]
        world.platform.accept_then_time_out()
        outcome = world.submit([request]).of(request.token)
        if not isinstance(outcome, Accepted):
            finding = world.find([request]).get(request.token)
            assert isinstance(finding, Found), f"it is {finding!r}"
            outcome = Accepted(finding.executor_job_id)
        one = world.submitted(request, outcome)
        assert isinstance(seen := world.look(one), Pending | Running), f"once found, it is {seen!r}"


class LossChecks:
    """The platform loses jobs, ends them, and uses their ids again."""

    @holds(Area.ROBUSTNESS, "What the platform has lost is never told as success.")
    def test_what_the_platform_has_lost_is_no_success(self, world: World) -> None:
        one = world.live()[0]
        world.platform.forget(one.executor_job_id)
        seen = world.look(one)
        assert not succeeded(seen), f"it is {seen!r}"
        assert not isinstance(seen, Pending | Running), f"it is {seen!r}"

    @holds(Area.ROBUSTNESS, "A row whose name does not carry the token is another job: it is not credited.")
    def test_a_strangers_job_with_the_same_id_is_not_credited(self, world: World) -> None:
        one = world.live()[0]
        old = self._with_id(one, world.platform.recycle(one.executor_job_id))
        seen = world.look(old)
        assert not isinstance(seen, Pending | Running), f"it is {seen!r}"
        assert not succeeded(seen), f"it is {seen!r}"

    @holds(Area.ROBUSTNESS, "A row whose name does not carry the token is another job: it is not cancelled.")
    def test_a_strangers_job_with_the_same_id_is_not_cancelled(self, world: World) -> None:
        one = world.live()[0]
        old = self._with_id(one, world.platform.recycle(one.executor_job_id))
        for _ in range(3):
            world.cancel([old])
        assert world.platform.untouched(), "the stranger's job was cancelled"

    @holds(Area.ROBUSTNESS, "What was killed from outside is never told as success, and its end is seen.")
    def test_what_was_killed_from_outside_is_no_success(self, world: World) -> None:
        one = world.live()[0]
        world.platform.kill(one.executor_job_id)
        assert not succeeded(seen := world.ended(one)), f"it is {seen!r}"

    @holds(Area.ROBUSTNESS, "What ran on a host that started again is neither live nor successful.")
    def test_what_ran_before_the_hosts_restart_is_neither_live_nor_successful(self, world: World) -> None:
        one = world.live()[0]
        world.platform.restart_host()
        world.restart(stop=False)
        assert not succeeded(seen := world.ended(one)), f"it is {seen!r}"

    @holds(Area.ROBUSTNESS, "A jump of the host's clock ends nothing.")
    def test_a_jump_of_the_clock_ends_nothing(self, world: World) -> None:
        one = world.live()[0]
        for span in (timedelta(days=-1), timedelta(days=1)):
            world.jump(span)
            seen = world.look(one)
            assert isinstance(seen, Pending | Running), f"with the clock at {span}, it is {seen!r}"
            moved = Submitted(one.executor_job_id, one.token, one.job_name, one.submitted_at + span)
            seen = world.look(moved)
            assert isinstance(seen, Pending | Running), f"submitted at {span}, with a jump of the clock, it is {seen!r}"

    @staticmethod
    def _with_id(one: Submitted, executor_job_id: str) -> Submitted:
        return Submitted(executor_job_id, one.token, one.job_name, one.submitted_at)


class RefusalChecks:
    """The platform says no, or not yet."""

    @holds(Area.ROBUSTNESS, "Rejected says why the platform refuses it for good, and the platform does not have it.")
    def test_a_refused_submission_is_rejected_with_the_platforms_words(self, world: World) -> None:
        world.platform.refuse()
        request = world.requests()[0]
        outcome = world.submit([request]).of(request.token)
        assert isinstance(outcome, Rejected), f"it ended as {outcome!r}"

    @holds(Area.ROBUSTNESS, "An attempt that ends by itself while its cancellation is under way keeps its own end.")
    def test_an_end_after_cancel_is_told_as_it_was(self, world: World) -> None:
        one = world.live()[0]
        world.platform.cancel_slowly()
        world.cancel([one])
        world.platform.finish(one.executor_job_id, 0)
        seen = world.ended(one)
        assert isinstance(seen, Exited), f"it is {seen!r}"
        assert seen.reason is None, f"it is {seen!r}"


class FaultChecks(OutageChecks, RefusalChecks, AmbiguityChecks, LossChecks):
    """What a platform does to its users."""
