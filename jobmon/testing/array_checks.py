"""Level array: many attempts in one call."""

from collections import Counter

from jobmon.plugins import Exited, Pending, Running, Uncertain
from jobmon.testing.find_checks import find_is_defined
from jobmon.testing.sentences import Level, does_not_apply, holds
from jobmon.testing.world import World


class ArrayChecks:
    """Many attempts in one call."""

    @staticmethod
    def _many(world: World) -> int:
        many = world.batch(world.conformance.many)
        if many < 2:
            does_not_apply("it has one attempt at a time")
        return many

    @holds(Level.ARRAY, "Thousands of attempts are submitted, observed and cancelled in one call each, in time.")
    def test_thousands_go_through_in_one_call_each(self, world: World) -> None:
        submitted = world.live(self._many(world))
        assert len({one.executor_job_id for one in submitted}) == len(submitted), "some share an id"
        answer = world.observe(submitted)
        kinds = Counter(type(answer.get(one.token)).__name__ for one in submitted)
        assert set(kinds) <= {"Pending", "Running"}, f"of {len(submitted)} live attempts it said {dict(kinds)}"
        world.cancelled(submitted)

    @holds(Level.ARRAY, "One attempt of many ends, or is cancelled, and the others go on.")
    def test_one_of_many_ends_alone(self, world: World) -> None:
        many = world.live(min(self._many(world), 10))
        world.cancelled(many[1:2])
        answer = world.observe(many)
        others = [answer.get(one.token) for one in (many[0], *many[2:])]
        assert all(isinstance(seen, Pending | Running) for seen in others), f"one was cancelled, others are {others}"

    @holds(Level.ARRAY, "Where an answer did not come, no request of the batch is at the platform twice.")
    def test_a_batch_whose_answer_did_not_come_is_not_sent_again(self, world: World) -> None:
        requests = world.requests(min(self._many(world), 10))
        world.platform.accept_then_time_out()
        sent = world.submit(requests)
        unclear = [r for r in requests if sent.of(r.token) is None or isinstance(sent.of(r.token), Uncertain)]
        names = Counter(name[:27] for name in world.platform.job_names())
        assert max(names.values(), default=0) <= 1, f"jobs at the platform by token: {names}"
        if unclear and find_is_defined(world):
            found = world.find(unclear)
            wrong = [r.token for r in unclear if (r.token in names) != (type(found.get(r.token)).__name__ == "Found")]
            assert not wrong, f"of {wrong} find says {[found.get(token) for token in wrong]}"

    @holds(Level.ARRAY, "The ends of many are told each for its own attempt.")
    def test_ends_of_many_are_not_mixed_up(self, world: World) -> None:
        many = world.live(min(self._many(world), 4))
        world.platform.finish(many[0].executor_job_id, 0)
        world.platform.finish(many[1].executor_job_id, 3)
        ends = [world.ended(one) for one in many[:2]]
        assert not (isinstance(ends[1], Exited) and ends[1].reason is None), f"status 3 was told as {ends[1]}"
        if world.conformance.executor_type.reporting == "platform":
            assert isinstance(ends[0], Exited), f"status 0 was told as {ends[0]}"
            assert ends[0].reason is None, f"status 0 was told as {ends[0]}"
