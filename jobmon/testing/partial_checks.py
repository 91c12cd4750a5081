"""Areas core and robustness: several attempts in one call, and what befalls one of them."""

from jobmon.plugins import (
    Absent,
    Accepted,
    Exited,
    Found,
    Pending,
    Rejected,
    Running,
    SchedulerUnavailable,
    Submitted,
)
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World, find_is_defined

_SEVERAL = 6
_REPEATS = 10


def several(world: World, count: int = _SEVERAL) -> int:
    """So many attempts in one call, or as many as there may be; ends the check where that is one."""
    count = world.batch(count)
    if count < 2:
        does_not_apply("it has one attempt at a time")
    return count


class PartialChecks:
    """What one attempt meets is not what the others of its call meet."""

    @holds(Area.CORE, "Requests come in any order: each outcome, id and observation belongs to its own token.")
    def test_requests_come_in_any_order(self, world: World) -> None:
        requests = world.requests(several(world))
        requests = requests[1::2] + requests[::2]
        sent = world.submit(requests)
        submitted = [world.submitted(request, sent.of(request.token)) for request in requests]
        seen = world.observe(submitted[::-1])
        wrong = {one.token: seen.get(one.token) for one in submitted if not _lives(seen.get(one.token))}
        assert not wrong, f"all of them live, and of those given out of the order of their tokens it said {wrong}"
        if find_is_defined(world):
            found = world.find(submitted[::-1])
            mixed = [one for one in submitted if found.get(one.token) != Found(one.executor_job_id)]
            assert not mixed, f"submit gave {mixed[0]} its id, and find says {found.get(mixed[0].token)!r}"
        world.cancelled(submitted[:1])
        seen = world.observe(submitted[1:])
        assert all(_lives(one) for one in seen.values()), f"one was cancelled, and of others it said {seen}"

    @holds(Area.ROBUSTNESS, "One request that the platform refuses is Rejected, and those beside it are taken.")
    def test_one_refusal_among_many_is_one_refusal(self, world: World) -> None:
        requests = world.requests(several(world, 3))
        refused = requests[len(requests) // 2]
        world.platform.refuse_one(refused.token)
        sent = world.submit(requests)
        outcome = sent.of(refused.token)
        assert isinstance(outcome, Rejected), f"the platform refused it, and it ended as {outcome!r}"
        for request in requests:
            outcome = sent.of(request.token)
            assert request is refused or isinstance(outcome, Accepted), (
                f"another request was refused, and this one ended as {outcome!r}: go on after a refusal"
            )

    @holds(
        Area.ROBUSTNESS, "A cancellation that the platform refuses is no outage, and keeps no other from taking hold."
    )
    def test_one_refused_cancellation_keeps_no_other(self, world: World) -> None:
        many = world.live(several(world))
        kept, others = many[0], many[1:]
        world.platform.refuse_cancel(kept.executor_job_id)
        try:
            world.cancel(many)
        except SchedulerUnavailable as error:
            raise AssertionError(
                f"the platform refused one of {len(many)} cancellations, and cancel raised {error}: go on with the "
                "others, and raise only when the platform does not answer"
            ) from error
        left = list(others)

        def all_gone() -> bool:
            left[:] = [one for one in left if not isinstance(world.look(one), Exited | Absent)]
            return not left

        world.until(all_gone, "attempts end that were cancelled beside one that the platform does not end")
        assert _lives(seen := world.look(kept)), f"the platform did not end it, and it is {seen!r}"

    @holds(Area.ROBUSTNESS, "A cancellation that fails again and again costs no more each time: the host repeats it.")
    def test_a_refused_cancellation_costs_no_more_each_time(self, world: World) -> None:
        many = world.live(several(world))
        world.platform.refuse_cancel(many[0].executor_job_id)
        most = 4 * len(many) + 8
        for time in range(1, _REPEATS + 1):
            before = world.platform.n_asked()
            self._cancel(world, many)
            asked = world.platform.n_asked() - before
            assert asked <= most, (
                f"call {time} of cancel, of {len(many)} attempts, asked the platform {asked} times: ask at most once "
                "for each, and do not repeat what fails; the host does"
            )

    @staticmethod
    def _cancel(world: World, many: list[Submitted]) -> None:
        try:
            world.cancel(many)
        except SchedulerUnavailable:
            return  # another sentence is about that


def _lives(seen: object) -> bool:
    return isinstance(seen, Pending | Running)
