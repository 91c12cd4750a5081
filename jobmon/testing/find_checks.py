"""Area find: submissions of unknown outcome are found by their tokens."""

from jobmon.plugins import Absent, CannotTell, Found, Reporting, SubmitRequest, Submitted
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World, find_is_defined


class FindChecks:
    """Looking for tokens."""

    @staticmethod
    def _needs_find(world: World) -> None:
        if not find_is_defined(world):
            does_not_apply("it does not define find")

    @holds(Area.FIND, "find gives the id of an attempt that the platform has: the one that submit gave.")
    def test_find_gives_the_id_that_submit_gave(self, world: World) -> None:
        self._needs_find(world)
        one = world.live()[0]
        found = world.find([one]).get(one.token)
        assert found == Found(one.executor_job_id), f"submit gave {one.executor_job_id!r}, find {found!r}"

    @holds(Area.FIND, "find says Absent, or that it cannot tell, of a token that was never submitted.")
    def test_a_token_that_was_never_submitted_is_not_found(self, world: World) -> None:
        self._needs_find(world)
        if world.conformance.finds_what_was_never_sent:
            does_not_apply("its platform keeps no list of what it was given")
        world.accept()
        request = world.requests()[0]
        finding = world.find([request]).get(request.token)
        assert isinstance(finding, Absent | CannotTell), f"it is {finding!r}"

    @holds(Area.FIND, "find answers for the tokens that it was asked for, with Found, Absent or CannotTell.")
    def test_find_answers_what_it_was_asked_in_the_contracts_words(self, world: World) -> None:
        self._needs_find(world)
        sought: list[SubmitRequest | Submitted] = [world.accept()[0], world.requests()[0]]
        if world.batch(2) > 1:
            world.accept()
        world.find(sought)

    @holds(Area.FIND, "find needs nothing that the executor remembers.")
    def test_another_executor_finds_the_same(self, world: World) -> None:
        self._needs_find(world)
        one = world.live()[0]
        world.restart(stop=False)
        found = world.find([one]).get(one.token)
        assert found == Found(one.executor_job_id), f"submit gave {one.executor_job_id!r}, find after it {found!r}"

    @holds(Area.FIND, "What has ended is not Absent for find, where the platform alone reports: it would run again.")
    def test_what_has_ended_is_still_found_where_the_platform_alone_reports(self, world: World) -> None:
        self._needs_find(world)
        if world.conformance.executor_type.reporting is not Reporting.PLATFORM:
            does_not_apply("its workers report")
        one = world.live()[0]
        world.platform.finish(one.executor_job_id)
        world.ended(one)
        finding = world.find([one]).get(one.token)
        assert isinstance(finding, Found | CannotTell), f"it is {finding!r}"
