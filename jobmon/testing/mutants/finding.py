"""Mutants that find wrongly."""

# mypy: disable-error-code="misc,no-untyped-def"

from jobmon.plugins import Absent, Found, SchedulerUnavailable
from jobmon.testing.mutation import AnyExecutor, finding, mutant, trusting


@mutant(
    "finds whatever it is asked for",
    caught_by=["test_a_token_that_was_never_submitted_is_not_found"],
    fake="says of a job that it does not have it",
    add="the platform tell only of jobs that it was given",
    needs="find",
)
def finds_whatever_is_asked_for(base: AnyExecutor) -> AnyExecutor:
    return finding(base, lambda _e, _t, found: found if isinstance(found, Found) else Found("1"))


@mutant(
    "finds what its object remembers",
    caught_by=["test_another_executor_finds_the_same"],
    fake="keeps its jobs when the executor's object goes",
    add="make() give a new object each time, and the platform object keep the jobs",
    needs="find",
)
def finds_what_it_remembers(base: AnyExecutor) -> AnyExecutor:
    class Wrong(finding(base, lambda e, t, f: f if t in e.__dict__.get("mine", ()) else Absent(e.now()))):
        def submit(self, *, requests):
            for token, outcome in super().submit(requests=requests):
                self.__dict__.setdefault("mine", set()).add(token)
                yield token, outcome

    return Wrong


@mutant(
    "takes an outage for absence in find",
    caught_by=["test_an_outage_at_find_finds_nothing_absent"],
    fake="is away when it is asked for names",
    add="down() make listings fail as they do when the scheduler is away",
    needs="find",
)
def finds_nothing_in_an_outage(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def find(self, *, submissions):
            try:
                told = super().find(submissions=submissions)
            except SchedulerUnavailable:
                told = {}
            known = {token: found for token, found in told.items() if isinstance(found, Found)}
            return {one.token: known.get(one.token, Absent(self.now())) for one in submissions}

    return Wrong


@mutant(
    "reads a listing that broke off as whole in find",
    caught_by=["test_half_an_answer_at_find_finds_nothing_absent"],
    fake="breaks off in the middle of a listing",
    add="half_answer() print a part of the next listing and end with a status that says so",
    needs="commands",
)
def finds_in_half_an_answer(base: AnyExecutor) -> AnyExecutor:
    return trusting(base, "find")
