"""The three tables as wholes: total, connected, and true to what is promised of finals."""

import itertools
from typing import Any

import pytest

from jobmon.errors import InvalidTransition
from jobmon.states import instances, jobs, runs
from jobmon.states.machine import ILLEGAL, LATE, STAY, TO, Choice
from jobmon.states.names import FINAL_INSTANCE_STATES, FINAL_JOB_STATES, FINAL_RUN_STATES
from jobmon.states.names import InstanceState as I
from jobmon.states.names import JobState as J
from jobmon.states.names import RunState as R
from jobmon.states.reasons import CHARGED, FINAL_STATE, Reason, final_state

JOB, INSTANCE, RUN = "job", "instance", "run"
MACHINES: dict[str, tuple[Any, Any, Any, Any]] = {
    JOB: (J, jobs.JobEvent, jobs.TABLE, FINAL_JOB_STATES),
    INSTANCE: (I, instances.InstanceEvent, instances.TABLE, FINAL_INSTANCE_STATES),
    RUN: (R, runs.RunEvent, runs.TABLE, FINAL_RUN_STATES),
}


def targets(move: Any) -> set[Any]:
    if isinstance(move, TO):
        return {move.target}
    return set(move.targets) if isinstance(move, Choice) else set()


def reachable(machine: str, start: Any) -> set[Any]:
    _, events, table, _ = MACHINES[machine]
    found, new = set(), {start}
    while new:
        found |= new
        new = {t for state in new for event in events.__args__ for t in targets(table[state, event])} - found
    return found


@pytest.mark.parametrize("machine", MACHINES)
def test_every_pair_of_state_and_event_has_an_entry_and_no_other(machine: str) -> None:
    states, events, table, _ = MACHINES[machine]
    assert set(table) == set(itertools.product(states, events.__args__))
    assert all(isinstance(move, TO | Choice) or move in (STAY, LATE, ILLEGAL) for move in table.values())


@pytest.mark.parametrize(("machine", "first"), [(JOB, J.REGISTERED), (INSTANCE, I.INSTANTIATED), (RUN, R.REGISTERED)])
def test_every_state_can_be_reached_from_the_first(machine: str, first: Any) -> None:
    assert reachable(machine, first) == set(MACHINES[machine][0])


@pytest.mark.parametrize("machine", MACHINES)
def test_some_final_can_be_reached_from_every_state(machine: str) -> None:
    states, _, _, finals = MACHINES[machine]
    assert [state for state in states if not reachable(machine, state) & finals] == []


@pytest.mark.parametrize("event", jobs.JobEvent.__args__)
def test_no_event_changes_a_job_that_is_done(event: type) -> None:
    assert jobs.TABLE[J.DONE, event] is LATE


@pytest.mark.parametrize("event", instances.InstanceEvent.__args__)
@pytest.mark.parametrize("state", sorted(FINAL_INSTANCE_STATES))
def test_no_event_changes_an_instance_that_is_final(state: I, event: type) -> None:
    assert instances.TABLE[state, event] is LATE


@pytest.mark.parametrize("event", runs.RunEvent.__args__)
@pytest.mark.parametrize("state", sorted(FINAL_RUN_STATES))
def test_no_event_changes_a_run_that_is_final(state: R, event: type) -> None:
    assert runs.TABLE[state, event] is LATE


@pytest.mark.parametrize("state", [J.ERROR_FATAL, J.CANCELLED])
def test_only_a_resume_takes_a_failed_or_cancelled_job_up_again(state: J) -> None:
    moves = {event: jobs.TABLE[state, event] for event in jobs.JobEvent.__args__}
    assert moves.pop(jobs.Resumed) == TO(J.REGISTERED)
    assert set(moves.values()) == {LATE}


def test_every_end_of_an_instance_that_a_platform_tells_of_is_reached_from_submitted_in_one_step() -> None:
    one_step = {t for event in instances.InstanceEvent.__args__ for t in targets(instances.TABLE[SUBMITTED, event])}
    assert one_step & FINAL_INSTANCE_STATES == FINAL_INSTANCE_STATES - {I.NO_EXECUTOR_ID}
    # An attempt that was submitted has an id, so that this one alone is for those that have none.
    assert {state for (state, _), move in instances.TABLE.items() if I.NO_EXECUTOR_ID in targets(move)} == {
        I.SUBMITTING
    }


SUBMITTED = I.SUBMITTED_TO_BATCH_EXECUTOR


@pytest.mark.parametrize("state", [state for state in I if state not in FINAL_INSTANCE_STATES])
def test_every_instance_that_is_not_final_can_be_cancelled(state: I) -> None:
    assert I.CANCELLED in reachable(INSTANCE, state)
    move = instances.TABLE[state, instances.CancelRequested]
    assert move is LATE if state is I.CANCELLING else targets(move) <= {I.CANCELLING, I.CANCELLED}


@pytest.mark.parametrize("state", sorted(set(I) - {I.SUBMITTING, I.SUBMITTED_TO_BATCH_EXECUTOR}))
def test_a_start_is_won_from_no_other_state_than_submitting_and_submitted(state: I) -> None:
    assert instances.TABLE[state, instances.Started] in (LATE, ILLEGAL)


def test_an_illegal_event_is_refused_with_the_story_of_the_record() -> None:
    job = jobs.Job(7, 1, "compute")
    with pytest.raises(InvalidTransition, match=r"Job 7 is REGISTERED: AttemptStarted cannot happen") as refused:
        jobs.apply(job, jobs.AttemptStarted())
    assert repr(job) in refused.value.story
    assert repr(job) in str(refused.value)


def test_each_reason_has_the_final_state_that_the_design_gives_it() -> None:
    assert set(FINAL_STATE) == set(Reason)
    assert {reason: final_state(reason) for reason in (None, *Reason)} == {
        None: I.DONE,
        Reason.OUT_OF_MEMORY: I.RESOURCE_ERROR,
        Reason.TIMEOUT: I.RESOURCE_ERROR,
        Reason.EXIT_NONZERO: I.ERROR,
        Reason.SIGNALLED: I.ERROR,
        Reason.CANCELLED: I.CANCELLED,
        Reason.CANCELLED_BY_USER: I.CANCELLED,
        Reason.NODE_FAILURE: I.UNKNOWN_ERROR,
        Reason.PREEMPTED: I.UNKNOWN_ERROR,
        Reason.SUBMIT_REJECTED: I.UNKNOWN_ERROR,
        Reason.LOST: I.UNKNOWN_ERROR,
        Reason.UNKNOWN: I.UNKNOWN_ERROR,
    }


def test_only_the_faults_of_the_task_itself_are_charged() -> None:
    assert {Reason.EXIT_NONZERO, Reason.SIGNALLED, Reason.OUT_OF_MEMORY, Reason.TIMEOUT} == CHARGED
