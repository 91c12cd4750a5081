"""Mutants that submit wrongly."""

# mypy: disable-error-code="misc,no-untyped-def"

from typing import Any

import attrs

from jobmon.plugins import Accepted, Deferred, Rejected, SchedulerUnavailable, Uncertain
from jobmon.testing.mutation import AnyExecutor, asking, mutant, sending


@mutant(
    "leaves out the outcome of the last request",
    caught_by=["test_each_request_gets_one_outcome"],
    fake="takes a job",
    add="the platform take what is submitted",
)
def drops_an_outcome(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def submit(self, *, requests):
            return list(super().submit(requests=requests))[:-1]

    return Wrong


@mutant(
    "gives all attempts the id of its first",
    caught_by=["test_two_attempts_have_two_ids"],
    fake="takes several jobs",
    add="running_limit() admit more than one attempt",
    as_far_as="test_cancel_ends_nothing_else",
)
def gives_one_id_to_all(base: AnyExecutor) -> AnyExecutor:
    def change(executor: Any, _request: Any, outcome: Any) -> Any:
        if not isinstance(outcome, Accepted):
            return outcome
        return Accepted(executor.__dict__.setdefault("first_id", outcome.executor_job_id))

    return sending(base, change)


@mutant(
    "names jobs after tasks, with the token behind",
    caught_by=["test_the_token_stands_at_the_start_of_the_name_at_the_platform"],
    fake="tells the names of its jobs as it was given them",
    add="job_names() tell the names under which jobs were submitted",
    needs="names",
)
def names_jobs_after_tasks(base: AnyExecutor) -> AnyExecutor:
    return asking(base, lambda _, request: attrs.evolve(request, job_name=f"task-{request.token}"))


@mutant(
    "takes a time-out for a refusal",
    caught_by=["test_a_submission_that_may_have_arrived_is_uncertain"],
    fake="takes a job and loses the answer",
    add="accept_then_time_out() keep the job and the answer back, until the executor's limit",
)
def rejects_on_a_time_out(base: AnyExecutor) -> AnyExecutor:
    def change(_executor: Any, _request: Any, outcome: Any) -> Any:
        return Rejected("no answer") if isinstance(outcome, Uncertain) else outcome

    return sending(base, change)


@mutant(
    "submits again what may have arrived",
    caught_by=["test_what_may_have_arrived_is_not_sent_again"],
    fake="remembers a job whose answer it lost",
    add="job_names() tell every submission that arrived, also those whose answer was lost",
)
def submits_again_after_a_time_out(base: AnyExecutor) -> AnyExecutor:
    def change(executor: Any, request: Any, outcome: Any) -> Any:
        if not isinstance(outcome, Uncertain):
            return outcome
        return dict(base.submit(executor, requests=[request])).get(request.token, outcome)

    return sending(base, change)


@mutant(
    "takes an outage for a refusal",
    caught_by=["test_an_outage_at_submit_neither_accepts_nor_refuses"],
    fake="is away when a job is submitted",
    add="down() make submissions fail as they do when the scheduler is away",
)
def takes_an_outage_for_a_refusal(base: AnyExecutor) -> AnyExecutor:
    class Wrong(base):
        def submit(self, *, requests):
            for request in requests:
                try:
                    for token, outcome in super().submit(requests=[request]):
                        clear = isinstance(outcome, Accepted | Rejected)
                        yield token, outcome if clear else Rejected("the platform does not answer")
                except SchedulerUnavailable as error:
                    yield request.token, Rejected(str(error))

    return Wrong


@mutant(
    "puts off what the platform refuses for good",
    caught_by=["test_a_refused_submission_is_rejected_with_the_platforms_words"],
    fake="refuses a job",
    add="refuse() make submissions fail as they do when the platform will never take them",
)
def puts_off_what_is_refused(base: AnyExecutor) -> AnyExecutor:
    def change(_executor: Any, _request: Any, outcome: Any) -> Any:
        return Deferred(outcome.why) if isinstance(outcome, Rejected) else outcome

    return sending(base, change)


@mutant(
    "takes the worker's command line apart at spaces",
    caught_by=["test_the_workers_command_line_arrives_as_it_was_given"],
    fake="tells the arguments that a job got, as it got them",
    add="arguments() tell what the job was really run with, and no fake join or split it",
)
def splits_the_command_line(base: AnyExecutor) -> AnyExecutor:
    return asking(
        base, lambda _, request: attrs.evolve(request, worker_argv=tuple(" ".join(request.worker_argv).split()))
    )
