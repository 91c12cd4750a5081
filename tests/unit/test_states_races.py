"""Each race that the tables must settle, told as an incident: what was said in which order, and how it ends."""

from functools import reduce

import pytest

from jobmon.errors import InvalidTransition
from jobmon.states import instances, jobs
from jobmon.states.instances import (
    Accepted,
    CancelConfirmed,
    CancelRequested,
    Deferred,
    Ended,
    GivenBack,
    InstanceEvent,
    JobInstance,
    ManagerLost,
    NeverAccepted,
    Rejected,
    Revoked,
    Started,
    SubmissionBegan,
)
from jobmon.states.names import InstanceState as S
from jobmon.states.reasons import Reason

CLAIMED = JobInstance(1, 1, 1, "compute", 1, "j" + "0" * 26)
SUCCESS, FAILURE = Ended(None, 0), Ended(Reason.EXIT_NONZERO, 1)
LOST = Ended(Reason.LOST, detail="nothing tells how it ended")


def after(*events: InstanceEvent, start: JobInstance = CLAIMED) -> JobInstance:
    return reduce(lambda instance, event: instances.apply(instance, event)[0], events, start)


def told(instance: JobInstance, event: InstanceEvent) -> tuple[jobs.JobEvent, ...]:
    return instances.apply(instance, event)[1]


SUBMITTING = after(SubmissionBegan())
SUBMITTED = after(Accepted("77"), start=SUBMITTING)
RUNNING = after(Started("w1"), start=SUBMITTED)


def test_a_worker_that_is_faster_than_the_answer_of_the_platform_ends_as_the_slower_one_does() -> None:
    fast = after(Started("w1"), Accepted("77"), SUCCESS, start=SUBMITTING)
    slow = after(Accepted("77"), Started("w1"), SUCCESS, start=SUBMITTING)
    assert fast == slow
    assert (fast.state, fast.executor_job_id, fast.worker_id) == (S.DONE, "77", "w1")


def test_a_worker_that_ends_before_the_answer_of_the_platform_is_done_and_the_answer_changes_nothing() -> None:
    done = after(Started("w1"), SUCCESS, start=SUBMITTING)
    assert after(Accepted("77"), start=done) is done


def test_done_that_is_reported_after_the_attempt_was_declared_lost_changes_nothing() -> None:
    lost = after(LOST, start=RUNNING)
    assert lost.state is S.UNKNOWN_ERROR
    assert after(SUCCESS, start=lost) is lost
    assert told(lost, SUCCESS) == ()


def test_the_report_of_success_stands_though_the_scheduler_says_timeout_in_its_epilogue() -> None:
    done = after(SUCCESS, start=RUNNING)
    assert after(Ended(Reason.TIMEOUT), start=done) is done


def test_a_timeout_that_the_platform_told_first_stands_though_the_worker_says_success_later() -> None:
    ended = after(Ended(Reason.TIMEOUT), start=RUNNING)
    assert (ended.state, ended.reason) == (S.RESOURCE_ERROR, Reason.TIMEOUT)
    assert after(SUCCESS, start=ended) is ended


@pytest.mark.parametrize("event", [SUCCESS, FAILURE, Started("w1"), Accepted("77"), CancelConfirmed("gone")])
def test_a_late_message_of_an_attempt_reaches_no_later_attempt_of_its_job(event: InstanceEvent) -> None:
    first = after(LOST, start=RUNNING)
    assert told(first, event) == ()  # its job, which a second attempt runs now, hears nothing


@pytest.mark.parametrize(
    ("before", "event"),
    [
        (CLAIMED, SubmissionBegan()),
        (SUBMITTING, Accepted("77")),
        (SUBMITTED, Started("w1")),
        (RUNNING, SUCCESS),
        (RUNNING, FAILURE),
        (SUBMITTING, Rejected("no such queue")),
        (SUBMITTING, Deferred("full")),
        (SUBMITTING, NeverAccepted("not there")),
        (RUNNING, GivenBack("the agent ends")),
        (RUNNING, CancelRequested()),
    ],
)
def test_the_same_message_twice_is_the_same_as_once(before: JobInstance, event: InstanceEvent) -> None:
    once = after(event, start=before)
    assert once is not before
    assert instances.apply(once, event) == (once, ())


def test_a_second_worker_that_asks_to_start_does_not_take_the_place_of_the_first() -> None:
    assert after(Started("w2"), start=RUNNING) is RUNNING


def test_a_second_id_of_the_platform_does_not_take_the_place_of_the_first() -> None:
    assert after(Accepted("78"), start=SUBMITTED) is SUBMITTED
    assert after(Accepted("78"), start=RUNNING) is RUNNING


def test_a_job_cancelled_during_its_submission_waits_for_the_id_by_which_the_platform_can_be_told() -> None:
    cancelling = after(CancelRequested(), start=SUBMITTING)
    accepted = after(Accepted("77"), start=cancelling)
    assert (accepted.state, accepted.executor_job_id) == (S.CANCELLING, "77")
    ended = after(CancelConfirmed("gone"), start=accepted)
    assert (ended.state, ended.reason, ended.detail) == (S.CANCELLED, Reason.CANCELLED, "gone")


@pytest.mark.parametrize("event", [Rejected("no"), Deferred("full"), NeverAccepted("not there"), Revoked("too long")])
def test_a_job_cancelled_during_its_submission_that_was_never_sent_is_cancelled(event: InstanceEvent) -> None:
    ended = after(CancelRequested(), event, start=SUBMITTING)
    assert (ended.state, ended.reason) == (S.CANCELLED, Reason.CANCELLED)
    assert told(after(CancelRequested(), start=SUBMITTING), event) == (jobs.AttemptFailed(Reason.CANCELLED),)


def test_a_job_that_is_being_cancelled_starts_no_more() -> None:
    cancelling = after(CancelRequested(), start=SUBMITTED)
    assert after(Started("w1"), start=cancelling) is cancelling


@pytest.mark.parametrize(
    ("event", "final"),
    [(SUCCESS, S.DONE), (FAILURE, S.ERROR), (CancelConfirmed("gone"), S.CANCELLED)],
)
def test_of_a_cancellation_and_an_end_the_first_to_happen_decides(event: InstanceEvent, final: S) -> None:
    ended = after(CancelRequested(), event, start=RUNNING)
    assert ended.state is final
    for late in (SUCCESS, FAILURE, CancelConfirmed("gone")):
        assert after(late, start=ended) is ended


def test_a_manager_that_dies_after_its_claim_loses_nothing_and_the_job_queues_again() -> None:
    assert after(ManagerLost()).state is S.RETURNED
    assert told(CLAIMED, ManagerLost()) == (jobs.AttemptReturned(),)


def test_a_manager_that_dies_during_a_submission_leaves_it_to_be_looked_for() -> None:
    assert after(ManagerLost(), start=SUBMITTING) is SUBMITTING  # it may be at the platform: never sent again unseen


def test_a_submission_that_was_never_accepted_queues_again_uncharged() -> None:
    assert after(NeverAccepted("not there"), start=SUBMITTING).state is S.NO_EXECUTOR_ID
    assert told(SUBMITTING, NeverAccepted("not there")) == (jobs.AttemptReturned(),)


def test_an_accepted_answer_that_was_read_and_not_committed_is_settled_by_what_is_found() -> None:
    found = after(ManagerLost(), Accepted("77"), start=SUBMITTING)
    assert (found.state, found.executor_job_id) == (S.SUBMITTED_TO_BATCH_EXECUTOR, "77")


def test_a_submission_looked_for_in_vain_while_its_worker_started_goes_on() -> None:
    running = after(Started("w1"), start=SUBMITTING)
    for event in (NeverAccepted("not there"), Revoked("too long"), Rejected("no"), Deferred("full")):
        assert after(event, start=running) is running


def test_a_revoked_submission_is_lost_uncharged_and_its_worker_starts_nothing() -> None:
    revoked = after(Revoked("nothing was found for 10 minutes"), start=SUBMITTING)
    assert (revoked.state, revoked.reason) == (S.UNKNOWN_ERROR, Reason.LOST)
    assert after(Started("w1"), start=revoked) is revoked


def test_a_refusal_for_good_is_told_to_the_job_as_such() -> None:
    refused = after(Rejected("no such queue"), start=SUBMITTING)
    assert (refused.state, refused.reason, refused.detail) == (
        S.NO_EXECUTOR_ID, Reason.SUBMIT_REJECTED, "no such queue",
    )  # fmt: skip
    assert told(SUBMITTING, Rejected("no such queue")) == (jobs.AttemptRefused(),)


@pytest.mark.parametrize("event", [Deferred("full"), GivenBack("the agent ends")])
def test_what_was_not_started_and_comes_back_queues_again(event: InstanceEvent) -> None:
    before = SUBMITTING if isinstance(event, Deferred) else RUNNING
    assert after(event, start=before).state is S.RETURNED
    assert told(before, event) == (jobs.AttemptReturned(),)


def test_an_end_is_not_believed_of_an_attempt_that_was_not_even_submitted() -> None:
    with pytest.raises(InvalidTransition):
        instances.apply(CLAIMED, SUCCESS)


def test_each_change_and_nothing_else_raises_the_version() -> None:
    assert [i.version for i in (CLAIMED, SUBMITTING, SUBMITTED, RUNNING)] == [0, 1, 2, 3]
    assert after(Started("w2"), start=RUNNING).version == 3
