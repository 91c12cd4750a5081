"""Area core: cancelling."""

from jobmon.plugins import Absent, Exited, Pending, Running
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World


class CancelChecks:
    """Asking the platform to end attempts."""

    @holds(Area.CORE, "What is cancelled, again and again, comes to be Exited or Absent, and is no success.")
    def test_what_is_cancelled_ends_and_is_no_success(self, world: World) -> None:
        one = world.live()[0]
        seen = world.cancelled([one])[one.token]
        assert not (isinstance(seen, Exited) and seen.reason is None), f"it is {seen!r}"

    @holds(Area.CORE, "cancel ends those that it names and no others.")
    def test_cancel_ends_nothing_else(self, world: World) -> None:
        if world.batch(2) < 2:
            does_not_apply("it has one attempt at a time")
        kept, ended = world.live(2)
        world.cancelled([ended])
        seen = world.look(kept)
        assert isinstance(seen, Pending | Running), f"when another was cancelled, it was {seen!r}"

    @holds(Area.CORE, "To cancel what has ended is no error and changes nothing about its end.")
    def test_cancelling_what_has_ended_changes_nothing(self, world: World) -> None:
        one = world.live()[0]
        world.platform.finish(one.executor_job_id)
        before = world.ended(one)
        world.cancel([one])
        after = world.look(one)
        if isinstance(after, Exited) and isinstance(before, Exited):
            assert (before.reason, before.status) == (after.reason, after.status), f"{before!r} became {after!r}"
        assert isinstance(after, Exited | Absent), f"{before!r} became {after!r}"

    @holds(Area.CORE, "To cancel again what is being cancelled is no error.")
    def test_cancel_may_be_repeated_also_after_a_restart(self, world: World) -> None:
        one = world.live()[0]
        world.cancel([one])
        world.cancel([one])
        world.restart()
        world.cancelled([one])
