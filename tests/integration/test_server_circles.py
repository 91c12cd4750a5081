"""A workflow inside a task that would wait for what the task itself holds is refused before it begins."""

from collections.abc import Iterator
from typing import Any

import pytest
from messages import CONTEXT, ELSEWHERE, EXECUTOR, registration
from world import World

from jobmon.errors import InvalidWorkflow
from jobmon.states.evidence import Reporting
from jobmon.wire import routes
from jobmon.wire.jobs import Command, JobSpec
from jobmon.wire.leases import AcquireLease, ClaimJobs
from jobmon.wire.routes import Route
from jobmon.wire.runs import BeginRun, BindJobs, OpenRun, QueueJobs
from jobmon.wire.workers import FinishAttempts, FinishReport, StartAttempts


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def call(world: World, route: Route[Any, Any], message: Any) -> Any:
    [outcome] = world.together(world.operation(route, message))
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def running(world: World) -> str:
    """The token of an attempt that runs on the executor."""
    opened = call(world, routes.OPEN_RUN, OpenRun("outer", None, 1, CONTEXT, ELSEWHERE))
    spec = JobSpec(opened.first_job_id, "t", EXECUTOR, "d", command=Command("true"))
    call(world, routes.BIND_JOBS, BindJobs(opened.run_id, [spec]))
    call(world, routes.BEGIN_RUN, BeginRun(opened.run_id))
    message = AcquireLease(opened.workflow_id, EXECUTOR, ELSEWHERE, registration(Reporting.WORKER))
    lease = call(world, routes.ACQUIRE_LEASE, message).lease
    call(world, routes.QUEUE_JOBS, QueueJobs(opened.run_id, [opened.first_job_id]))
    token: str = call(world, routes.CLAIM_JOBS, ClaimJobs(lease, 1)).claims[0].token
    call(world, routes.START_ATTEMPTS, StartAttempts("w", "node1", [token]))
    return token


def inner(token: str | None, *exclusive: str) -> OpenRun:
    return OpenRun("inner", None, 1, CONTEXT, ELSEWHERE, inside=token, exclusive=list(exclusive))


def test_a_workflow_that_waits_for_the_executor_of_its_own_task_is_refused(world: World) -> None:
    token = running(world)
    with pytest.raises(InvalidWorkflow, match="each would wait for the other for ever") as caught:
        call(world, routes.OPEN_RUN, inner(token, "another", EXECUTOR))
    assert "'inner' runs inside a task of workflow 1 (job 1)" in str(caught.value)


def test_a_workflow_inside_a_task_on_another_executor_or_a_shared_one_is_not(world: World) -> None:
    token = running(world)
    for message in (inner(token, "another"), inner(token), inner(None, EXECUTOR), inner("j" + "0" * 26, EXECUTOR)):
        assert call(world, routes.OPEN_RUN, message).run_number == 1


def test_a_workflow_inside_a_task_that_has_ended_is_not(world: World) -> None:
    token = running(world)
    call(world, routes.FINISH_ATTEMPTS, FinishAttempts("w", [FinishReport(token, None, 0)]))
    assert call(world, routes.OPEN_RUN, inner(token, EXECUTOR)).run_number == 1
