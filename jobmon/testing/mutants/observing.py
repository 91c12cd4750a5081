"""Mutants that observe wrongly."""

# mypy: disable-error-code="misc,no-untyped-def"

from datetime import timedelta

from jobmon.plugins import Absent, Exited, Pending, Reason, Running, SchedulerUnavailable
from jobmon.testing.mutation import AnyExecutor, mutant, seeing, trusting


@mutant(
    "remembers in its object which attempts there are",
    caught_by=["test_a_restart_between_submit_and_observe_loses_nothing"],
    fake="keeps its jobs when the executor's object goes",
    add="make() give a new object each time, and the platform object keep the jobs",
)
def observes_what_it_remembers(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def submit(self, *, requests):
            for token, outcome in super().submit(requests=requests):
                self.__dict__.setdefault("mine", set()).add(token)
                yield token, outcome

        def observe(self, *, submitted):
            mine = self.__dict__.get("mine", ())
            told = super().observe(submitted=submitted)
            return {token: seen if token in mine else Absent(self.now()) for token, seen in told.items()}

    return Wrong


@mutant(
    "tells of attempts that it was not asked for",
    caught_by=["test_observe_answers_only_for_those_it_was_asked_for"],
    fake="takes several jobs",
    add="running_limit() admit more than one attempt",
    as_far_as="test_cancel_ends_nothing_else",
)
def tells_of_everything(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def submit(self, *, requests):
            for token, outcome in super().submit(requests=requests):
                self.__dict__.setdefault("mine", {})[token] = Running()
                yield token, outcome

        def observe(self, *, submitted):
            return {**self.__dict__.get("mine", {}), **super().observe(submitted=submitted)}

    return Wrong


@mutant(
    "takes an outage for absence",
    caught_by=["test_an_outage_at_observe_ends_nothing"],
    fake="is away when it is asked for its jobs",
    add="down() make listings fail as they do when the scheduler is away",
)
def takes_an_outage_for_absence(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def observe(self, *, submitted):
            try:
                told = super().observe(submitted=submitted)
            except SchedulerUnavailable:
                told = {}
            known = {token: seen for token, seen in told.items() if isinstance(seen, Pending | Running | Exited)}
            return {one.token: known.get(one.token, Absent(self.now())) for one in submitted}

    return Wrong


@mutant(
    "reads a listing that broke off as whole",
    caught_by=["test_half_an_answer_makes_nobody_absent"],
    fake="breaks off in the middle of a listing",
    add="half_answer() print a part of the next listing and end with a status that says so",
    needs="commands",
)
def reads_half_a_list_as_whole(base: AnyExecutor) -> AnyExecutor:
    return trusting(base, "observe")


@mutant(
    "tells what the platform has lost as done",
    caught_by=["test_what_the_platform_has_lost_is_no_success"],
    fake="forgets a job",
    add="forget() remove the job from all that the platform tells",
)
def takes_absence_for_done(base: AnyExecutor) -> AnyExecutor:
    return seeing(base, lambda _e, _t, seen: Exited(0) if isinstance(seen, Absent) else seen)


@mutant(
    "credits whatever has the id, under whatever name",
    caught_by=["test_a_strangers_job_with_the_same_id_is_not_credited"],
    fake="gives an id to a stranger's job",
    add="recycle() put a job of another name in the place of the job",
)
def credits_by_id_alone(base: AnyExecutor) -> AnyExecutor:
    return seeing(base, lambda _e, _t, seen: Running() if isinstance(seen, Absent | Exited) else seen)


@mutant(
    "ends attempts by the clock of its host",
    caught_by=["test_a_jump_of_the_clock_ends_nothing"],
    fake="lets a job live on",
    add="jobs end only when finish() or another method ends them",
)
def ends_by_its_own_clock(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def observe(self, *, submitted):
            told = dict(super().observe(submitted=submitted))
            late = [one.token for one in submitted if abs(self.now() - one.submitted_at) > timedelta(hours=1)]
            return told | {token: Exited(reason=Reason.TIMEOUT, detail="too long") for token in late}

    return Wrong
