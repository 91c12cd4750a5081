"""Area robustness: a submission arrives, and its sender hears an error, or nothing; and a list that is empty."""

from jobmon.plugins import (
    Accepted,
    ArrayRefused,
    ArrayRequest,
    Deferred,
    Exited,
    Found,
    Pending,
    Rejected,
    Running,
    SchedulerUnavailable,
    Unknown,
)
from jobmon.testing.array_checks import array_of, places
from jobmon.testing.sentences import Area, holds
from jobmon.testing.world import Sent, World, find_is_defined

_ADVICE = "refuse only on words that the platform uses for a refusal; all else is Uncertain, and find will tell"


class DoubtChecks:
    """When in doubt, Uncertain."""

    @holds(Area.ROBUSTNESS, "A job that the platform may have despite an error is Uncertain, and is not sent again.")
    def test_an_error_after_the_arrival_is_uncertain(self, world: World) -> None:
        request = world.requests()[0]
        world.platform.accept_then_fail()
        outcome = world.submit([request]).of(request.token)
        names = world.platform.job_names()
        assert len(names) <= 1, f"the platform has {names}: what may have arrived must not be sent again"
        assert not isinstance(outcome, Rejected | Deferred), (
            f"the platform has it, and it ended as {outcome!r}: {_ADVICE}"
        )
        if find_is_defined(world) and not isinstance(outcome, Accepted):
            finding = world.find([request]).get(request.token)
            assert isinstance(finding, Found), f"the platform has it, and find says {finding!r}"

    @holds(Area.ROBUSTNESS, "An array whose answer did not come is Uncertain, all of it.")
    def test_an_array_whose_answer_did_not_come_is_uncertain(self, world: World) -> None:
        array = array_of(world)
        world.platform.accept_then_time_out()
        _assert_in_doubt(array, _sent(world, array))

    @holds(Area.ROBUSTNESS, "An array that the platform may have despite an error is Uncertain, and is found whole.")
    def test_an_error_after_the_arrival_of_an_array_is_uncertain(self, world: World) -> None:
        array = array_of(world)
        world.platform.accept_then_fail()
        sent = _sent(world, array)
        _assert_in_doubt(array, sent)
        names = world.platform.job_names()
        assert len(names) <= 1, f"the platform has {names}: what may have arrived must not be sent again"
        lost = [one for one in places(array) if not isinstance(sent.of(one.token), Accepted)]
        if lost and find_is_defined(world):
            found = world.find(lost)
            assert all(isinstance(found.get(one.token), Found) for one in lost), f"find says {found}"

    @holds(Area.ROBUSTNESS, "An empty list tells of no end: it makes Absent at most, and what is listed again lives.")
    def test_an_empty_list_ends_nothing(self, world: World) -> None:
        one = world.live()[0]
        world.platform.empty_answer()
        try:
            seen = world.look(one)
        except SchedulerUnavailable as error:
            seen = Unknown(str(error))
        assert not isinstance(seen, Exited), (
            f"the list was empty, as while a scheduler starts, and a live attempt is {seen!r}: say Absent or Unknown; "
            "the host believes what it is told twice"
        )
        seen = world.look(one)
        assert isinstance(seen, Pending | Running), f"it is listed again, and is {seen!r}: keep no absence in mind"


def _sent(world: World, array: ArrayRequest) -> Sent:
    try:
        return world.submit_array(array)
    except ArrayRefused as error:
        raise AssertionError(
            f"the platform has the array, and it raised ArrayRefused, so that its members are sent again: {error}"
        ) from error


def _assert_in_doubt(array: ArrayRequest, sent: Sent) -> None:
    wrong = [outcome for _, outcome in sent.outcomes if isinstance(outcome, Rejected | Deferred)]
    assert not wrong, f"the platform has the array, and {len(wrong)} members ended as {wrong[0]!r}: {_ADVICE}"
    strange = [token for token, _ in sent.outcomes if token not in array.members]
    assert not strange, f"outcomes came for {strange}, which are no members"
