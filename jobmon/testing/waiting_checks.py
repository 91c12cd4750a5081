"""Areas reasons and robustness: attempts that the platform lets wait."""

from jobmon.plugins import Pending, Running
from jobmon.testing.fault_checks import succeeded
from jobmon.testing.sentences import Area, holds
from jobmon.testing.world import World


class WaitingChecks:
    """Waiting and running are two things."""

    @holds(
        Area.REASONS, "An attempt that its platform lets wait is Pending; once it runs there it is Running.", fault=True
    )
    def test_what_waits_is_pending_and_what_runs_is_running(self, world: World) -> None:
        one = world.live()[0]
        world.platform.hold_back(one.executor_job_id, "QueueIsFull")
        seen = world.look(one)
        assert isinstance(seen, Pending), f"the platform lets it wait, and it is {seen!r}"
        world.platform.let_go(one.executor_job_id)
        seen = world.look(one)
        assert isinstance(seen, Running), f"the platform runs it, and it is {seen!r}"

    @holds(Area.ROBUSTNESS, "An attempt that waits can be cancelled as one that runs: it ends, and never starts.")
    def test_what_waits_can_be_cancelled(self, world: World) -> None:
        one = world.live()[0]
        world.platform.hold_back(one.executor_job_id, "QueueIsFull")
        try:
            seen = world.cancelled([one])[one.token]
        except AssertionError as error:
            raise AssertionError(f"a job that waits does not end by cancel: {error}") from error
        assert not succeeded(seen), f"cancelled while it waited, it is {seen!r}"
