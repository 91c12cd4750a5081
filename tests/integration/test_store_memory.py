"""What the writer remembers from one message to the next is what is stored, also when something was not kept."""

import sqlite3
from collections.abc import Iterator

import pytest
from messages import ELSEWHERE, EXECUTOR, open_run, registration, specs
from msgspec.structs import replace
from world import World, full_disk, poisoned

from jobmon.states.evidence import Reporting, Sighting
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.leases import AcquireLease, ClaimJobs, Lease, Observation, RecordObservations
from jobmon.wire.runs import BeginRun, BindJobs, QueueJobs, RunOpened

N_JOBS = 60


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def one(world: World, route, message):
    [outcome] = world.together(world.operation(route, message))
    assert outcome.error is None, outcome
    return outcome.value


@pytest.fixture
def opened(world: World) -> RunOpened:
    opened = one(world, routes.OPEN_RUN, open_run(N_JOBS, args="a"))
    one(world, routes.BIND_JOBS, BindJobs(opened.run_id, specs(opened, N_JOBS, max_attempts=2)))
    one(world, routes.BEGIN_RUN, BeginRun(opened.run_id))
    return opened


@pytest.fixture
def lease(world: World, opened: RunOpened) -> Lease:
    message = AcquireLease(opened.workflow_id, EXECUTOR, ELSEWHERE, registration(Reporting.PLATFORM))
    return one(world, routes.ACQUIRE_LEASE, message).lease


def queue(opened: RunOpened) -> QueueJobs:
    return QueueJobs(opened.run_id, list(range(opened.first_job_id, opened.first_job_id + N_JOBS)))


def counted(world: World, query: str) -> list[tuple]:
    connection = sqlite3.connect(world.path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@pytest.mark.parametrize("lost", [False, True])
def test_nothing_is_remembered_of_what_was_not_kept(world: World, opened: RunOpened, lost: bool) -> None:
    queueing = world.operation(routes.QUEUE_JOBS, queue(opened))
    if lost:
        world.together(queueing, full_disk)
    else:
        world.together(poisoned(queueing))
    assert world.manager.live.known() == ({}, {})


def test_a_job_that_is_named_again_and_again_is_queued_once(world: World, opened: RunOpened) -> None:
    one(world, routes.QUEUE_JOBS, QueueJobs(opened.run_id, [opened.first_job_id] * 3000))
    [(events,)] = counted(world, "SELECT events FROM history WHERE kind = 'job'")
    assert events == "Ready,ResourcesAdjusted" + ",(Ready)" * 2999


def test_a_job_that_is_bound_anew_is_claimed_as_it_is_now(world: World, opened: RunOpened, lease: Lease) -> None:
    one(world, routes.QUEUE_JOBS, queue(opened))
    again = one(world, routes.OPEN_RUN, open_run(N_JOBS, args="a", resume=True, take_over=True))
    one(world, routes.BIND_JOBS, BindJobs(again.run_id, specs(opened, N_JOBS, executor="other", max_attempts=2)))
    message = AcquireLease(opened.workflow_id, "other", ELSEWHERE, registration())
    claimed = one(world, routes.CLAIM_JOBS, ClaimJobs(one(world, routes.ACQUIRE_LEASE, message).lease, N_JOBS))
    assert len(claimed.claims) == N_JOBS
    assert counted(world, "SELECT DISTINCT executor FROM job_instance") == [("other",)]


def test_attempts_that_fare_alike_share_rows_of_history_and_others_do_not(
    world: World, opened: RunOpened, lease: Lease
) -> None:
    one(world, routes.QUEUE_JOBS, queue(opened))
    tokens = [claim.token for claim in one(world, routes.CLAIM_JOBS, ClaimJobs(lease, N_JOBS)).claims]
    well = Observation("", Sighting.EXITED, exit_status=0)
    seen = [replace(well, token=t, executor_job_id=f"id-{t}") for t in tokens]
    seen[1] = replace(seen[1], reason=Reason.EXIT_NONZERO, exit_status=3, detail="three")
    seen[2] = replace(seen[2], reason=Reason.NODE_FAILURE, exit_status=None)
    seen[3] = replace(seen[3], sighting=Sighting.RUNNING, exit_status=None)
    ended = one(world, routes.RECORD_OBSERVATIONS, RecordObservations(lease, seen)).ended
    assert sorted(ended) == sorted(set(tokens) - {tokens[3]})
    states = counted(world, "SELECT state, count(*) FROM job_instance GROUP BY state ORDER BY 1")
    assert states == [("DONE", N_JOBS - 3), ("ERROR", 1), ("RUNNING", 1), ("UNKNOWN_ERROR", 1)]
    wrong = "SELECT count(*) FROM job_instance WHERE executor_job_id IS NOT 'id-' || token"
    assert counted(world, wrong) == [(0,)]
    again = "SELECT charged, uncharged, state FROM job WHERE state = 'QUEUED_FOR_INSTANTIATION' ORDER BY charged"
    assert counted(world, again) == [(0, 1, "QUEUED_FOR_INSTANTIATION"), (1, 0, "QUEUED_FOR_INSTANTIATION")]
    rows = "SELECT events, json_array_length(entities) FROM history_group WHERE kind = 'instance' ORDER BY 2"
    assert counted(world, rows)[-2:] == [("Accepted,Ended", N_JOBS - 3), ("Claimed,SubmissionBegan", N_JOBS)]


def test_an_attempt_that_is_told_of_twice_in_a_message_hears_both_in_order(
    world: World, opened: RunOpened, lease: Lease
) -> None:
    one(world, routes.QUEUE_JOBS, queue(opened))
    [claim] = one(world, routes.CLAIM_JOBS, ClaimJobs(lease, 1)).claims
    running = Observation(claim.token, Sighting.RUNNING, executor_job_id="7")
    ended = Observation(claim.token, Sighting.EXITED, exit_status=0, executor_job_id="7")
    assert one(world, routes.RECORD_OBSERVATIONS, RecordObservations(lease, [running, ended])).ended
    [(state, job_id)] = counted(world, "SELECT state, executor_job_id FROM job_instance")
    assert (state, job_id) == ("DONE", "7")
    [(events,)] = counted(world, "SELECT events FROM history WHERE kind = 'instance' ORDER BY seq DESC LIMIT 1")
    assert events == "Accepted,(Accepted),Started,Ended"
