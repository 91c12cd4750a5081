"""Areas array and robustness: members in any order, and arrays that are too large for the platform."""

from collections import Counter

from jobmon.plugins import ArrayRefused, ArrayRequest, Found, Pending, Running, SubmitRequest, Submitted, answers
from jobmon.testing.array_checks import members_of, places
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World, find_is_defined

_MANY = 25


class LargeArrayChecks:
    """Arrays of some size."""

    @holds(Area.ARRAY, "The members of an array have their indexes by their places in it, in whatever order that is.")
    def test_members_are_counted_by_their_places(self, world: World) -> None:
        members = members_of(world, _MANY)
        array = world.array_of(members[1::2] + members[::2])
        submitted = world.submitted_members(array, world.submit_array(array))
        _assert_live(world, submitted)
        if find_is_defined(world):
            found = world.find(places(array))
            wrong = [one for one in submitted if found.get(one.token) != Found(one.executor_job_id)]
            assert not wrong, f"submit gave {wrong[0]} its id, and find says {found.get(wrong[0].token)!r}"
        for one in submitted:  # each makes room for the next: a platform may have none for all
            index = world.platform.arguments(one.executor_job_id)[-1]
            assert index == str(one.index), f"the member at place {one.index} was given the id of that at {index}"
            world.platform.finish(one.executor_job_id)

    @holds(Area.ROBUSTNESS, "An array that is too large is ArrayRefused whole; its members then go in smaller ones.")
    def test_an_array_that_is_too_large_goes_in_smaller_ones(self, world: World) -> None:
        members = members_of(world, _MANY)
        if len(members) < 3:
            does_not_apply("its arrays have two members at most")
        world.platform.refuse_arrays(len(members) // 3)
        array = world.array_of(members)
        size = self._refused(world, array)
        names = world.platform.job_names()
        assert names == [], f"ArrayRefused says that the platform has none of it, and it has {names}"
        submitted: list[Submitted] = []
        while members:
            piece, rest = members[:size], members[size:]
            sent = self._submitted(world, piece)
            if sent is None:
                size = self._refused(world, world.array_of(piece))
                continue
            submitted += sent
            members = rest
        assert {one.token for one in submitted} == set(array.members), "not all members were taken"
        copies = [name for name, count in Counter(world.platform.job_names()).items() if count > 1]
        assert not copies, f"the platform was given twice: {copies}"
        _assert_live(world, submitted)

    @staticmethod
    def _refused(world: World, array: ArrayRequest) -> int:
        """The size of arrays that the executor says can be taken instead of this one, which is too large."""
        count = len(array.members)
        try:
            sent = world.submit_array(array)
        except ArrayRefused as refused:
            _, limit, faults = answers.refusal(refused)
            world.boundary.hold("submit_array", faults)
        else:
            raise AssertionError(
                f"the platform refused the size of an array of {count}, and it ended as {sent.outcomes[:1]}: raise "
                "ArrayRefused(words, limit=...), so that smaller ones are tried"
            )
        assert limit < count, (
            f"an array of {count} was refused with limit={limit}: give a size below that of the array, such as half of "
            "it; else it is refused for ever"
        )
        return limit

    @staticmethod
    def _submitted(world: World, piece: list[SubmitRequest]) -> list[Submitted] | None:
        """The members once they are at the platform; None: they were refused as an array again."""
        if len(piece) == 1:
            sent = world.submit(piece, prepare=False)
            return [world.submitted(piece[0], sent.of(piece[0].token))]
        array = world.array_of(piece)
        try:
            return world.submitted_members(array, world.submit_array(array))
        except ArrayRefused:
            return None


def _assert_live(world: World, submitted: list[Submitted]) -> None:
    seen = world.observe(submitted)
    wrong = {one.executor_job_id: seen.get(one.token) for one in submitted}
    wrong = {job_id: one for job_id, one in wrong.items() if not isinstance(one, Pending | Running)}
    assert not wrong, f"of {len(submitted)} live members it said {wrong}"
