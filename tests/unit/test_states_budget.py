"""Who pays for a failed attempt, and when a job is given up."""

import pytest
from msgspec.structs import replace

from jobmon.states import jobs
from jobmon.states.jobs import FREE_ATTEMPTS, FREE_UNBEGUN, AttemptFailed, AttemptReturned, Job
from jobmon.states.names import JobState as S
from jobmon.states.reasons import CHARGED, Reason

RUNNING = Job(1, 1, "compute", S.RUNNING, max_attempts=3, attempts=1)
UNCHARGED = sorted(set(Reason) - CHARGED - {Reason.CANCELLED_BY_USER})


def again(job: Job) -> Job:
    """The job, failed, with its next attempt running."""
    for event in (jobs.Retried(), jobs.ResourcesAdjusted(), jobs.Instantiated(), jobs.AttemptStarted()):
        job, _ = jobs.apply(job, event)
    return job


@pytest.mark.parametrize("reason", sorted(CHARGED))
def test_a_fault_of_the_task_uses_up_an_attempt_and_the_last_one_is_fatal(reason: Reason) -> None:
    job = RUNNING
    states = []
    for _ in range(3):
        job, effects = jobs.apply(job, AttemptFailed(reason))
        states.append((job.state, job.charged, job.uncharged, effects))
        if job.state is S.ERROR_RECOVERABLE:
            job = again(job)
    retry = (jobs.RetryJob(),)
    assert states == [
        (S.ERROR_RECOVERABLE, 1, 0, retry),
        (S.ERROR_RECOVERABLE, 2, 0, retry),
        (S.ERROR_FATAL, 3, 0, ()),
    ]
    assert job.attempts == 3


@pytest.mark.parametrize("reason", UNCHARGED)
def test_what_is_no_fault_of_the_task_uses_up_no_attempt(reason: Reason) -> None:
    job, effects = jobs.apply(replace(RUNNING, max_attempts=1), AttemptFailed(reason))
    assert (job.state, job.charged, job.uncharged) == (S.ERROR_RECOVERABLE, 0, 1)
    assert effects == (jobs.RetryJob(),)


def test_a_task_that_keeps_killing_its_node_is_stopped() -> None:
    job = RUNNING
    failures = 0
    while job.state is not S.ERROR_FATAL:
        job, _ = jobs.apply(job, AttemptFailed(Reason.NODE_FAILURE))
        failures += 1
        if job.state is S.ERROR_RECOVERABLE:
            job = again(job)
    assert (failures, job.charged) == (FREE_ATTEMPTS, 0)


def test_a_job_that_is_lost_before_it_began_has_killed_nothing() -> None:
    """As when agents die again and again while it waits in their queues."""
    job = replace(RUNNING, state=S.INSTANTIATED)
    for _ in range(FREE_ATTEMPTS * 3):
        job, effects = jobs.apply(job, AttemptFailed(Reason.LOST))
        assert effects == (jobs.RetryJob(),)
        for event in (jobs.Retried(), jobs.ResourcesAdjusted(), jobs.Instantiated()):
            job, _ = jobs.apply(job, event)
    assert (job.charged, job.uncharged, job.unbegun) == (0, 0, FREE_ATTEMPTS * 3)
    spent = replace(job, unbegun=FREE_UNBEGUN - 1)
    assert jobs.apply(spent, AttemptFailed(Reason.LOST))[0].state is S.ERROR_FATAL


def test_uncharged_failures_leave_all_charged_attempts_to_the_task() -> None:
    job = RUNNING
    for _ in range(FREE_ATTEMPTS - 1):
        job = again(jobs.apply(job, AttemptFailed(Reason.PREEMPTED))[0])
    for _ in range(2):
        job, _ = jobs.apply(job, AttemptFailed(Reason.EXIT_NONZERO))
        assert job.state is S.ERROR_RECOVERABLE
        job = again(job)
    assert jobs.apply(job, AttemptFailed(Reason.EXIT_NONZERO))[0].state is S.ERROR_FATAL


@pytest.mark.parametrize("state", [S.INSTANTIATED, S.RUNNING])
def test_a_job_that_is_given_back_queues_again_and_pays_nothing(state: S) -> None:
    job, effects = jobs.apply(replace(RUNNING, state=state), AttemptReturned())
    assert (job.state, job.charged, job.uncharged, job.unbegun) == (S.QUEUED_FOR_INSTANTIATION, 0, 0, 0)
    assert effects == ()


def test_a_job_is_given_back_as_often_as_it_takes_and_is_never_given_up_for_it() -> None:
    job = replace(RUNNING, state=S.QUEUED_FOR_INSTANTIATION, max_attempts=1, uncharged=FREE_ATTEMPTS - 1)
    job = replace(job, unbegun=FREE_UNBEGUN - 1)
    for _ in range(5 * FREE_UNBEGUN):
        job, _ = jobs.apply(job, jobs.Instantiated())
        job, effects = jobs.apply(job, AttemptReturned())
        assert (job.state, effects) == (S.QUEUED_FOR_INSTANTIATION, ())
    assert (job.charged, job.uncharged, job.unbegun) == (0, FREE_ATTEMPTS - 1, FREE_UNBEGUN - 1)


def test_a_refusal_for_good_is_fatal_whatever_attempts_are_left() -> None:
    job, effects = jobs.apply(replace(RUNNING, state=S.INSTANTIATED), jobs.AttemptRefused())
    assert (job.state, job.charged, effects) == (S.ERROR_FATAL, 0, ())


@pytest.mark.parametrize("state", [S.ERROR_FATAL, S.CANCELLED])
def test_a_resume_gives_a_fresh_budget_and_goes_on_counting_attempts(state: S) -> None:
    spent = replace(RUNNING, state=state, attempts=9, charged=3, uncharged=4, unbegun=5, cancel_requested=True)
    job, _ = jobs.apply(spent, jobs.Resumed())
    assert (job.state, job.attempts) == (S.REGISTERED, 9)
    assert (job.charged, job.uncharged, job.unbegun, job.cancel_requested) == (0, 0, 0, False)


@pytest.mark.parametrize("event", [AttemptFailed(Reason.EXIT_NONZERO), AttemptFailed(Reason.LOST), AttemptReturned()])
def test_a_job_whose_end_was_asked_for_is_not_tried_again(event: jobs.JobEvent) -> None:
    job, effects = jobs.apply(RUNNING, jobs.CancelRequested())
    assert (job.state, job.cancel_requested, effects) == (S.RUNNING, True, (jobs.CancelInstance(),))
    assert jobs.apply(job, event)[0].state is S.CANCELLED


@pytest.mark.parametrize("state", [S.INSTANTIATED, S.RUNNING])
def test_a_job_that_is_being_ended_when_the_workflow_is_resumed_is_tried_again_after_that(state: S) -> None:
    job, _ = jobs.apply(replace(RUNNING, state=state, charged=1), jobs.CancelRequested())
    job, effects = jobs.apply(job, jobs.Resumed())
    assert (job.state, job.charged, job.cancel_requested, effects) == (state, 1, False, ())
    assert jobs.apply(job, AttemptFailed(Reason.CANCELLED))[0].state is S.ERROR_RECOVERABLE


@pytest.mark.parametrize("state", [S.INSTANTIATED, S.RUNNING])
def test_a_job_that_its_own_user_ends_at_the_platform_is_cancelled_and_can_be_resumed(state: S) -> None:
    job, effects = jobs.apply(replace(RUNNING, state=state), AttemptFailed(Reason.CANCELLED_BY_USER))
    assert (job.state, job.charged, effects) == (S.CANCELLED, 0, ())
    assert jobs.apply(job, jobs.Resumed())[0].state is S.REGISTERED


def test_a_job_whose_end_was_asked_for_and_that_succeeds_first_is_done() -> None:
    job, _ = jobs.apply(RUNNING, jobs.CancelRequested())
    assert jobs.apply(job, jobs.AttemptSucceeded())[0].state is S.DONE
