"""Area array: many attempts in one call, and several by one submission."""

from collections import Counter
from datetime import UTC, datetime

from jobmon.plugins import (
    Accepted,
    ArrayRequest,
    Exited,
    Found,
    Pending,
    Reporting,
    Running,
    Submission,
    SubmitRequest,
    Uncertain,
)
from jobmon.plugins.answer_parts import wrong_limit
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World, find_is_defined


class ArrayChecks:
    """Many attempts in one call, and arrays."""

    @staticmethod
    def _many(world: World) -> int:
        many = world.batch(world.conformance.many)
        if many < 2:
            does_not_apply("it has one attempt at a time")
        return many

    @holds(Area.ARRAY, "Thousands of attempts are submitted, observed and cancelled in few calls, in time.")
    def test_thousands_go_through_in_few_calls(self, world: World) -> None:
        submitted = world.live_many(self._many(world))
        assert len({one.executor_job_id for one in submitted}) == len(submitted), "some share an id"
        answer = world.observe(submitted)
        kinds = Counter(type(answer.get(one.token)).__name__ for one in submitted)
        assert set(kinds) <= {"Pending", "Running"}, f"of {len(submitted)} live attempts it said {dict(kinds)}"
        world.cancelled(submitted)

    @holds(Area.ARRAY, "One attempt of many ends, or is cancelled, and the others go on.")
    def test_one_of_many_ends_alone(self, world: World) -> None:
        many = world.live_many(min(self._many(world), 10))
        world.cancelled(many[1:2])
        answer = world.observe(many)
        others = [answer.get(one.token) for one in (many[0], *many[2:])]
        assert all(isinstance(seen, Pending | Running) for seen in others), f"one was cancelled, others are {others}"

    @holds(Area.ARRAY, "Where an answer did not come, no request of the batch is at the platform twice.", fault=True)
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

    @holds(Area.ARRAY, "The ends of many are told each for its own attempt.")
    def test_ends_of_many_are_not_mixed_up(self, world: World) -> None:
        many = world.live_many(min(self._many(world), 4))
        world.platform.finish(many[0].executor_job_id, 0)
        world.platform.finish(many[1].executor_job_id, 3)
        ends = [world.ended(one) for one in many[:2]]
        assert not (isinstance(ends[1], Exited) and ends[1].reason is None), f"status 3 was told as {ends[1]}"
        if world.conformance.executor_type.reporting == "platform":
            assert isinstance(ends[0], Exited), f"status 0 was told as {ends[0]}"
            assert ends[0].reason is None, f"status 0 was told as {ends[0]}"

    @holds(Area.ARRAY, "array_limit is a whole number; above 1 only where workers report.")
    def test_the_array_limit_is_a_whole_number(self, world: World) -> None:
        limit = world.array_limit()
        assert not (wrong := wrong_limit(limit)), wrong
        assert limit == 1 or world.conformance.executor_type.reporting is Reporting.WORKER, "the platform reports"

    @holds(Area.ARRAY, "Each member of an array gets one outcome and, once accepted, an id of its own.")
    def test_each_member_gets_one_outcome_and_an_id_of_its_own(self, world: World) -> None:
        array = array_of(world)
        sent = world.submit_array(array)
        assert sorted(token for token, _ in sent.outcomes) == sorted(array.members), f"outcomes: {sent.outcomes}"
        ids = [outcome.executor_job_id for _, outcome in sent.outcomes if isinstance(outcome, Accepted)]
        assert len(set(ids)) == len(ids), f"the ids are {ids}"

    @holds(Area.ARRAY, "An array is one submission, whose name at the platform begins with the array's token.")
    def test_an_array_is_one_submission_under_its_token(self, world: World) -> None:
        array = array_of(world)
        world.submit_array(array)
        names = world.platform.job_names()
        assert [name[:27] for name in names] == [array.token], f"the platform was given {names}"

    @holds(Area.ARRAY, "The worker of each member gets the member's index as its last argument.")
    def test_each_worker_of_an_array_gets_its_index(self, world: World) -> None:
        array = array_of(world)
        for one in world.submitted_members(array, world.submit_array(array)):
            given = world.platform.arguments(one.executor_job_id)
            assert given == [*array.worker_argv, str(one.index)], f"member {one.index} was run as {given}"

    @holds(
        Area.ARRAY,
        "An array whose answer did not come is found whole, by its members' places, and goes on.",
        fault=True,
    )
    def test_an_array_whose_answer_did_not_come_is_found_whole(self, world: World) -> None:
        array = array_of(world)
        if not find_is_defined(world):
            does_not_apply("it does not define find")
        world.platform.accept_then_time_out()
        sent = world.submit_array(array)
        names = world.platform.job_names()
        assert len(names) == 1, f"the platform was given {names}"
        lost = [s for s in places(array) if not isinstance(sent.of(s.token), Accepted)]
        found = world.find(lost)
        assert all(isinstance(found.get(s.token), Found) for s in lost), f"find says {found}"
        ids = {finding.executor_job_id for finding in found.values() if isinstance(finding, Found)}
        assert len(ids) == len(lost), f"the ids that find gives are {sorted(ids)}"


def members_of(world: World, count: int = 3) -> list[SubmitRequest]:
    """Requests for one array of so many members, or as many as it may have; they need not be prepared any more."""
    if world.array_limit() < 2:
        does_not_apply("it has no arrays")
    members = world.requests(min(count, world.array_limit()))
    for member in members:
        world.platform.prepare(member)
    return members


def array_of(world: World, count: int = 3) -> ArrayRequest:
    """An array of so many new attempts, or as many as it may have."""
    return world.array_of(members_of(world, count))


def places(array: ArrayRequest) -> list[Submission]:
    """The members as the host asks for them."""
    now = datetime.now(UTC)
    return [Submission(token, array.job_name, now, index) for index, token in enumerate(array.members, 1)]
