"""Areas core and robustness: what an exit status means, that an end stays as it was, and what a loss costs."""

from jobmon.plugins import Absent, Exited, Observation, Pending, Reason, Reporting, Running, Submitted, Unknown
from jobmon.states.reasons import CHARGED
from jobmon.testing.fault_checks import succeeded
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World

#: The edges of what a program can end with: a sign, seven bits and eight, signals, no command found.
STATUSES = (1, 2, 127, 128, 129, 137, 255)
#: What an exit status alone can mean; where workers report, also that the platform does not know.
_FAILED = frozenset({Reason.EXIT_NONZERO, Reason.SIGNALLED})
_NOT_TOLD = frozenset({Reason.LOST, Reason.UNKNOWN})


class StatusChecks:
    """Exit statuses."""

    @holds(Area.CORE, "Each exit status from 1 to 255 is a failure, and is told as it is.")
    def test_every_status_is_told_as_it_is_and_as_a_failure(self, world: World) -> None:
        cls = world.conformance.executor_type
        may_be = _FAILED if cls.reporting is Reporting.PLATFORM else _FAILED | _NOT_TOLD
        for status in [one for one in STATUSES if one not in cls.exit_map]:
            one = world.live()[0]
            world.platform.finish(one.executor_job_id, status)
            seen = world.ended(one)
            assert not succeeded(seen), f"status {status} was told as success: {seen!r}"
            if not isinstance(seen, Exited):
                continue
            assert seen.status in (None, status), f"status {status} was told as {seen.status}: give it unchanged"
            assert seen.reason in may_be, (
                f"status {status} alone became {seen.reason}: a limit, a node or a cancellation needs evidence of its "
                f"own; tell {' or '.join(sorted(may_be))}"
            )

    @holds(Area.ROBUSTNESS, "What a signal ended is told by its reason: no status is below 0.")
    def test_what_a_signal_ended_has_no_negative_status(self, world: World) -> None:
        one = world.live()[0]
        world.platform.kill(one.executor_job_id)
        seen = world.ended(one)
        if isinstance(seen, Exited):
            assert seen.status is None or seen.status >= 0, (
                f"it is {seen!r}: tell the signal as signal={-(seen.status or 0)}, with status None"
            )


class KeptEndChecks:
    """An end is for good."""

    @holds(Area.CORE, "An end that was told is told again, also by another executor, until it is settled.")
    def test_an_end_stays_as_it_was_told(self, world: World) -> None:
        one = world.live()[0]
        world.platform.finish(one.executor_job_id, 3)
        first = world.ended(one)
        for again in ("asked again", "asked of a new executor"):
            seen = world.look(one)
            assert type(seen) is type(first), f"{first!r} became {seen!r} when {again}: an end must not be taken back"
            if isinstance(first, Exited) and isinstance(seen, Exited):
                told, now = (first.status, first.reason), (seen.status, seen.reason)
                assert told == now, f"{first!r} became {seen!r} when {again}"
            world.context.forget_pushed()
            world.restart(stop=False)

    @holds(Area.CORE, "settled neither ends nor forgets an attempt that lives.")
    def test_settling_one_attempt_leaves_the_living_alone(self, world: World) -> None:
        ended = world.live()[0]
        world.platform.finish(ended.executor_job_id)
        world.ended(ended)
        living = world.live()[0]
        world.call("settled", lambda: world.executor.settled(tokens=[ended.token]))
        for again in (False, True):
            if again:
                world.restart(stop=False)
            seen = world.look(living)
            assert isinstance(seen, Pending | Running), (
                f"when {ended.token} was settled, {living.token} became {seen!r}: let go of the tokens given, no others"
            )

    @holds(Area.ROBUSTNESS, "Where what runs a payload was killed itself, that is told as an end without success.")
    def test_a_killed_runner_is_told_as_an_end(self, world: World) -> None:
        conformance = world.conformance
        if conformance.executor_type.reporting is not Reporting.PLATFORM or not conformance.runs_payloads:
            does_not_apply("it runs no commands and calls itself")
        one = world.live()[0]
        world.platform.kill_runner(one.executor_job_id)
        seen = world.ended(one)
        assert isinstance(seen, Exited), f"it is {seen!r}"
        advice = "where ending() raises ValueError, answer Exited(reason=Reason.UNKNOWN, detail=...)"
        assert seen.reason is not None, f"it is {seen!r}: {advice}"
        assert seen.detail, f"it is {seen!r}, which does not say what happened: {advice}"


class CostChecks:
    """Only the task's own faults use up its attempts, and each attempt has an end of its own."""

    @holds(Area.ROBUSTNESS, "What the platform has lost is never told for a reason that uses up an attempt.")
    def test_a_loss_is_never_charged(self, world: World) -> None:
        one = world.live()[0]
        world.platform.forget(one.executor_job_id)
        _assert_free(world.look(one), "the platform has no trace of it", "Absent")

    @holds(Area.ROBUSTNESS, "What a host took with it is never told for a reason that uses up an attempt.")
    def test_what_a_host_took_with_it_is_never_charged(self, world: World) -> None:
        one = world.live()[0]
        world.platform.restart_host()
        world.restart(stop=False)
        _assert_free(world.ended(one), "its host started again", "NODE_FAILURE, LOST or Absent")

    @holds(Area.ROBUSTNESS, "The attempt after a node's failure is another one: each has its own id and its own end.")
    def test_the_attempt_after_a_nodes_failure_is_told_apart(self, world: World) -> None:
        first = world.live()[0]
        if Reason.NODE_FAILURE in world.platform.reasons:
            world.platform.end(first.executor_job_id, Reason.NODE_FAILURE)
        else:
            world.platform.restart_host()
        before = world.ended(first)
        second = world.live()[0]  # of a task of the same name
        _assert_two(first, second)
        seen = world.look(second)
        assert isinstance(seen, Pending | Running), f"the new attempt is {seen!r}, the old one was {before!r}"
        world.platform.finish(second.executor_job_id)
        world.ended(second)
        after = world.look(first)
        assert type(after) is type(before), f"when the new attempt ended, the old one's {before!r} became {after!r}"
        assert not succeeded(after), f"the new attempt's success was credited to the old one: {after!r}"


def _assert_free(seen: Observation, what: str, better: str) -> None:
    assert isinstance(seen, Exited | Absent | Unknown), f"{what}, and it is {seen!r}"
    charged = isinstance(seen, Exited) and seen.reason in CHARGED
    assert not charged, f"{what}, and it is {seen!r}, which uses up an attempt of the task: tell {better}"


def _assert_two(first: Submitted, second: Submitted) -> None:
    assert first.executor_job_id != second.executor_job_id, f"both attempts have the id {first.executor_job_id}"


class EndingChecks(StatusChecks, KeptEndChecks, CostChecks):
    """What is told of ends."""
