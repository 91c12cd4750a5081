"""Areas usage and reasons: what is told of an end, and of a wait."""

from jobmon.plugins import Exited, Pending, Reason
from jobmon.testing.sentences import Area, does_not_apply, holds, not_exercised
from jobmon.testing.world import World

#: Between what was used and what is told of it: less than between minutes and seconds, or kilobytes and bytes.
_FACTOR = 8.0


class UsageChecks:
    """What an attempt used."""

    @holds(Area.USAGE, "usage has wall_s, cpu_s or max_rss_bytes, each a number of 0 or more.")
    def test_the_usage_of_an_attempt_is_told_in_known_units(self, world: World) -> None:
        if not world.conformance.tells_usage:
            does_not_apply("it does not tell usage")
        one = world.live()[0]
        world.platform.finish(one.executor_job_id)
        seen = world.ended(one)
        assert isinstance(seen, Exited), f"it is {seen!r}"
        assert not (wrong := world.boundary.wrong_usage), wrong[0].words
        assert seen.usage, f"{seen!r} has none"

    @holds(Area.USAGE, "usage tells what was used: in seconds and bytes.")
    def test_usage_is_what_known_work_used(self, world: World) -> None:
        if not world.conformance.tells_usage:
            does_not_apply("it does not tell usage")
        one = world.live()[0]
        used = world.platform.work(one.executor_job_id)
        seen = world.ended(one)
        assert isinstance(seen, Exited), f"it is {seen!r}"
        wrong = [
            f"{key} is told as {told:g} and was {used[key]:g}"
            for key, told in seen.usage.items()
            if key in used and not used[key] / _FACTOR <= told <= used[key] * _FACTOR
        ]
        assert not wrong, (
            f"{'; '.join(wrong)}. Tell wall_s and cpu_s in seconds and max_rss_bytes in bytes, whatever the platform "
            "counts in; a fake prints what the job has in `used`"
        )


class ReasonsChecks:
    """Why an attempt ended."""

    @staticmethod
    def _ends(world: World) -> list[tuple[Reason, Exited]]:
        if not world.platform.reasons:
            if world.conformance.tells_reasons:
                not_exercised("the platform object has no reasons, and no end()")
            does_not_apply("it does not tell reasons: its workers do")
        ends = []
        for reason in world.platform.reasons:
            one = world.live()[0]
            world.platform.end(one.executor_job_id, reason)
            seen = world.ended(one)
            assert isinstance(seen, Exited), f"after {reason} it is {seen!r}"
            ends.append((reason, seen))
        return ends

    @holds(Area.REASONS, "Exited says for which reason: the one of the contract's that the platform's own word means.")
    def test_the_reason_is_the_platforms(self, world: World) -> None:
        for reason, seen in self._ends(world):
            assert seen.reason is reason, f"after {reason} it is {seen!r}"

    @holds(Area.REASONS, "detail keeps the platform's own evidence of a failure as text.")
    def test_the_platforms_evidence_of_a_failure_is_kept(self, world: World) -> None:
        for reason, seen in self._ends(world):
            assert isinstance(seen.detail, str), f"after {reason} its detail is {seen.detail!r}"
            assert seen.detail, f"after {reason} its detail is {seen.detail!r}"

    @holds(Area.REASONS, "Pending says in the platform's own words why it lets an attempt wait.")
    def test_the_platforms_reason_for_a_wait_is_told(self, world: World) -> None:
        if not world.conformance.tells_pending_reasons:
            does_not_apply("it does not tell why attempts wait")
        one = world.live()[0]
        world.platform.hold_back(one.executor_job_id, "QueueIsFull")
        seen = world.look(one)
        assert isinstance(seen, Pending), f"held back by the platform, it is {seen!r}"
        assert "QueueIsFull" in seen.why, f"the platform says QueueIsFull, it is {seen!r}"
