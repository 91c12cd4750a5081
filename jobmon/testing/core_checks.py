"""Area core: submit, observe, and a life after a restart."""

import inspect

from jobmon.plugins import Exited, Pending, Reporting, Resources, Running, answers
from jobmon.plugins.answer_parts import wrong_limit
from jobmon.plugins.declared import wrong_declarations
from jobmon.testing.every_call import every_call
from jobmon.testing.held import Held, effects
from jobmon.testing.sentences import Area, does_not_apply, holds, not_exercised
from jobmon.testing.world import World
from jobmon.testing.written_checks import METHODS

_LIVES = 5


class DeclarationChecks:
    """What the class says of itself."""

    @holds(Area.CORE, "What the class declares is of the declared types.")
    def test_what_the_class_declares_is_of_the_declared_types(self, world: World) -> None:
        wrong = wrong_declarations(world.conformance.executor_type)
        assert not wrong, "; ".join(wrong)

    @holds(Area.CORE, "The methods take their arguments by keyword.")
    def test_the_methods_take_their_arguments_by_keyword(self, world: World) -> None:
        others = {"submit_array": "array", "check_resources": "resources", "settled": "tokens"}
        for method, argument in (METHODS | others).items():
            defined = getattr(world.executor, method)
            found = [(p.name, p.kind) for p in inspect.signature(defined).parameters.values()]
            assert found == [(argument, inspect.Parameter.KEYWORD_ONLY)], f"it is not {method}(*, {argument})"

    @holds(Area.CORE, "The constructor does no work.")
    def test_the_constructor_does_no_work(self, world: World) -> None:
        def make() -> list[str]:
            with effects() as noted:
                world.conformance.make(world.platform)
            return noted

        noted = world.call("the constructor", make)
        assert noted == [], f"the constructor did: {'; '.join(noted)}"

    @holds(Area.CORE, "running_limit is None or a whole number of 1 or more.")
    def test_the_running_limit_is_none_or_a_whole_number_of_one_or_more(self, world: World) -> None:
        limit = world.call("running_limit", world.executor.running_limit)
        assert limit is None or not (wrong := wrong_limit(limit)), wrong

    @holds(Area.CORE, "cluster_host is None or the name of a host, and is called without start.")
    def test_the_host_of_the_cluster_is_none_or_a_name(self, world: World) -> None:
        unstarted = world.made()
        told = world.call("cluster_host", unstarted.cluster_host)
        world.boundary.hold("cluster_host", answers.host(told)[1])

    @holds(Area.CORE, "check_resources says what is wrong, a sentence each, and is called without start.")
    def test_resources_are_checked_without_start_in_sentences(self, world: World) -> None:
        resources = world.requests()[0].resources
        unstarted = world.made()
        said = world.call("check_resources", lambda: unstarted.check_resources(resources=resources))
        assert said == [], f"the resources of this test are refused: {said!r}"
        extremes = Resources(cores=1 << 20, memory=1 << 60, runtime=1e12, gpus=1 << 20, own=resources.own)
        said = world.call("check_resources", lambda: unstarted.check_resources(resources=extremes))
        world.boundary.hold("check_resources", answers.sentences(said)[1])


class SubmitChecks:
    """Giving attempts to the platform."""

    @holds(Area.CORE, "submit yields (token, outcome) once for each request.")
    def test_each_request_gets_one_outcome(self, world: World) -> None:
        requests = world.requests(world.batch(3))
        sent = world.submit(requests)
        if sent.outage is not None:
            not_exercised(f"its platform does not answer here: {sent.outage}")
        tokens = [token for token, _ in sent.outcomes]
        assert sorted(tokens) == sorted(request.token for request in requests), f"outcomes came for {tokens}"

    @holds(Area.CORE, "An outcome is Accepted, Rejected, Deferred or Uncertain.")
    def test_outcomes_are_those_of_the_contract(self, world: World) -> None:
        world.submit(world.requests())  # where an answer arrives it is held against the rules (see `boundary`)

    @holds(Area.CORE, "Accepted gives the platform's id: another one for each attempt.")
    def test_two_attempts_have_two_ids(self, world: World) -> None:
        submitted = [world.accept()[0] for _ in range(world.batch(3))]
        if len(submitted) < 2:
            return
        ids = [one.executor_job_id for one in submitted]
        assert len(set(ids)) == len(ids), f"the ids are {ids}"

    @holds(Area.CORE, "No requests: nothing happens, and nothing is raised.")
    def test_calls_about_nothing_do_nothing(self, world: World) -> None:
        assert world.submit([]).outcomes == []
        assert world.observe([]) == {}
        world.cancel([])
        assert world.find([]) == {}

    @holds(Area.CORE, "The token stands at the start of the attempt's name at the platform.")
    def test_the_token_stands_at_the_start_of_the_name_at_the_platform(self, world: World) -> None:
        one = world.accept()[0]
        world.until(lambda: world.platform.job_names(), "the platform has a job")
        names = world.platform.job_names()
        assert all(name.startswith(one.token) for name in names), f"its jobs are named {names}, the token {one.token}"


class ObserveChecks:
    """Looking at attempts."""

    @holds(Area.CORE, "A live attempt is Pending or Running.")
    def test_a_live_attempt_is_pending_or_running(self, world: World) -> None:
        submitted = world.live(world.batch(3))
        answer = world.observe(submitted)
        for one in submitted:
            assert isinstance(answer.get(one.token), Pending | Running), f"{one} is {answer.get(one.token)!r}"

    @holds(Area.CORE, "observe answers by token, and only for those it was asked for.")
    def test_observe_answers_only_for_those_it_was_asked_for(self, world: World) -> None:
        submitted = [world.accept()[0] for _ in range(world.batch(2))]
        world.observe(submitted[:1])

    @holds(Area.CORE, "An observation is Pending, Running, Exited, Absent or Unknown.")
    def test_observations_are_those_of_the_contract(self, world: World) -> None:
        one = world.accept()[0]
        world.observe([one])
        if world.tried("finish", one.executor_job_id) is not None:
            world.ended(one)
        if world.can("forget"):
            gone = world.accept()[0]
            if world.tried("forget", gone.executor_job_id) is not None:
                world.observe([gone])

    @holds(Area.CORE, "What is pushed are observations of attempts that this executor was given.")
    def test_what_is_pushed_are_observations_of_its_attempts(self, world: World) -> None:
        one = world.accept()[0]
        world.observe([one])
        world.cancel([one])
        for token, seen in world.context.pushed:
            assert token in world.tokens(), f"it pushed {seen!r} for {token!r}, which it was never given"


class EndChecks:
    """What is said of attempts that have ended."""

    @holds(Area.CORE, "The end of an attempt is seen.")
    def test_the_end_of_an_attempt_is_seen(self, world: World) -> None:
        one = world.live()[0]
        world.platform.finish(one.executor_job_id)
        assert isinstance(seen := world.ended(one), Exited), f"after its end it is {seen!r}"

    @holds(Area.CORE, "Exited with status 0 is success, where the platform alone reports.")
    def test_success_is_told_as_success_where_the_platform_alone_reports(self, world: World) -> None:
        one = world.live()[0]
        world.platform.finish(one.executor_job_id)
        seen = world.ended(one)
        if world.conformance.executor_type.reporting is Reporting.PLATFORM:
            assert isinstance(seen, Exited), f"it is {seen!r}"
            assert seen.reason is None, f"it is {seen!r}"

    @holds(Area.CORE, "Exited with another status is no success.")
    def test_failure_is_never_told_as_success(self, world: World) -> None:
        one = world.live()[0]
        world.platform.finish(one.executor_job_id, 3)
        seen = world.ended(one)
        assert not (isinstance(seen, Exited) and seen.reason is None), f"it is {seen!r}"

    @holds(Area.CORE, "What has ended never runs again.")
    def test_what_has_ended_never_runs_again(self, world: World) -> None:
        one = world.live()[0]
        world.platform.finish(one.executor_job_id)
        first = world.ended(one)
        for again in (False, True):
            if again:
                world.restart()
            for seen in (world.observe([one]).get(one.token) for _ in range(3)):
                assert not isinstance(seen, Pending | Running), f"it was {first!r} and is {seen!r}"

    @holds(Area.CORE, "settled lets go of the attempts that it names and of no others.")
    def test_settling_one_attempt_changes_no_other(self, world: World) -> None:
        if world.batch(2) < 2:
            does_not_apply("it has one attempt at a time")
        settled, kept = world.live(2)
        for one in (settled, kept):
            world.platform.finish(one.executor_job_id)
        before = [world.ended(one) for one in (settled, kept)][1]
        world.call("settled", lambda: world.executor.settled(tokens=[settled.token]))
        after = world.observe([kept]).get(kept.token)
        assert type(after) is type(before), f"when another was settled, {before!r} became {after!r}"


class LifeChecks:
    """The executor object comes and goes; attempts stay."""

    @holds(Area.CORE, "Nothing that a restart would need is kept in memory.")
    def test_a_restart_between_submit_and_observe_loses_nothing(self, world: World) -> None:
        submitted = world.live(world.batch(2))
        world.restart(stop=False)
        answer = world.observe(submitted)
        for one in submitted:
            assert isinstance(answer.get(one.token), Pending | Running), f"{one} is {answer.get(one.token)!r}"
        world.cancelled(submitted)

    @holds(Area.CORE, "stop lets go of what the object holds; attempts live on.")
    def test_attempts_live_on_when_the_executor_stops(self, world: World) -> None:
        one = world.live()[0]
        world.restart(stop=True)
        assert isinstance(seen := world.look(one), Pending | Running), f"after stop it is {seen!r}"

    @holds(Area.CORE, "Every call answers in time.")
    def test_every_call_answers_in_time(self, world: World) -> None:
        for _, call in every_call(world):
            call()

    @holds(Area.CORE, "No thread, open file or process is left behind.")
    def test_nothing_is_left_behind(self, world: World) -> None:
        self._live_once(world)
        world.call("stop", world.executor.stop)
        before = Held.now()
        for _ in range(_LIVES):
            world.executor = world.new_executor()
            self._live_once(world)
            world.call("stop", world.executor.stop)
        grown: dict[str, int] = {}

        def let_go() -> bool:
            grown.clear()
            grown.update(before.added(_LIVES))
            return not grown

        try:
            world.until(let_go, f"what {_LIVES} lives left behind is let go")
        except AssertionError as error:
            raise AssertionError(f"{_LIVES} lives of an executor left behind: {grown}") from error

    @staticmethod
    def _live_once(world: World) -> None:
        one = world.accept()[0]
        world.observe([one])
        world.cancelled([one])


class CoreChecks(DeclarationChecks, SubmitChecks, ObserveChecks, EndChecks, LifeChecks):
    """Area core, but for cancelling."""
