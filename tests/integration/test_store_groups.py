"""Messages that share a transaction: a lease that changes hands in the midst of it, and what is told after it."""

from collections.abc import Iterator

import pytest
from messages import ELSEWHERE, EXECUTOR, open_run, registration, specs
from world import World, full_disk, poisoned

from jobmon.errors import StoreError, Superseded
from jobmon.wire import routes
from jobmon.wire.leases import AcquireLease, ClaimJobs, Lease, ReleaseLease
from jobmon.wire.runs import BeginRun, BindJobs, QueueJobs


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def one(world: World, route, message):
    [outcome] = world.together(world.operation(route, message))
    assert outcome.error is None
    return outcome.value


@pytest.fixture
def old(world: World) -> Lease:
    """The lease of the only manager, with two jobs to claim."""
    opened = one(world, routes.OPEN_RUN, open_run(2))
    one(world, routes.BIND_JOBS, BindJobs(opened.run_id, specs(opened, 2)))
    one(world, routes.BEGIN_RUN, BeginRun(opened.run_id))
    one(world, routes.QUEUE_JOBS, QueueJobs(opened.run_id, [opened.first_job_id, opened.first_job_id + 1]))
    return one(world, routes.ACQUIRE_LEASE, acquire(opened.workflow_id)).lease


def acquire(workflow_id: int) -> AcquireLease:
    return AcquireLease(workflow_id, EXECUTOR, ELSEWHERE, registration())


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("route", [routes.ACQUIRE_LEASE, routes.RELEASE_LEASE])
def test_a_lease_that_ends_in_a_group_is_over_for_the_rest_of_it(world: World, old: Lease, known: bool, route) -> None:
    if not known:
        world.restart()
    ending = acquire(old.workflow_id) if route is routes.ACQUIRE_LEASE else ReleaseLease(old)
    claim = world.operation(routes.CLAIM_JOBS, ClaimJobs(old, 1))
    first, _, second = world.together(claim, world.operation(route, ending), claim)
    assert len(first.value.claims) == 1
    assert isinstance(second.error, Superseded)
    [third] = world.together(claim)
    assert isinstance(third.error, Superseded)


@pytest.mark.parametrize("lost", [False, True])
def test_a_lease_that_was_not_granted_after_all_leaves_the_old_one_in_force(
    world: World, old: Lease, lost: bool
) -> None:
    granting = world.operation(routes.ACQUIRE_LEASE, acquire(old.workflow_id))
    claim = world.operation(routes.CLAIM_JOBS, ClaimJobs(old, 1))
    if lost:
        outcomes = world.together(granting, full_disk)
        assert all(isinstance(outcome.error, StoreError) for outcome in outcomes)
        [claimed] = world.together(claim)
    else:
        _, claimed = world.together(poisoned(granting), claim)
    assert len(claimed.value.claims) == 1
    assert one(world, routes.ACQUIRE_LEASE, acquire(old.workflow_id)).lease.epoch == old.epoch + 1


def test_nobody_is_woken_for_what_was_not_kept(world: World, old: Lease) -> None:
    world.published.clear()
    claim = world.operation(routes.CLAIM_JOBS, ClaimJobs(old, 1))
    world.together(poisoned(claim))
    world.together(claim, full_disk)
    assert world.published == []
    world.together(claim)
    assert world.published == [{("changes", old.workflow_id)}]


def test_two_claims_of_one_group_share_no_job(world: World, old: Lease) -> None:
    claim = world.operation(routes.CLAIM_JOBS, ClaimJobs(old, 1))
    outcomes = world.together(claim, claim, claim)
    claimed = [c for outcome in outcomes for c in outcome.value.claims]
    assert len({c.job_id for c in claimed}) == len({c.token for c in claimed}) == len(claimed) == 2
