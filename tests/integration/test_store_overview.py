"""What people ask of the store: in pages that miss and repeat nothing, in as many statements for many as for one."""

import subprocess
import sys
from collections.abc import Iterator

import attrs
import pytest
from messages import ELSEWHERE, EXECUTOR, open_run, specs
from world import World

from jobmon.errors import DatabaseGone, StoreError
from jobmon.processes import identify
from jobmon.server.job_query_server import JobQueryServer
from jobmon.states.names import JobState
from jobmon.store import overview
from jobmon.wire import routes
from jobmon.wire.runs import BeginRun, BindJobs, FinishRun, QueueJobs, ReadWorkflow, ReadWorkflows, StopRun

N_WORKFLOWS, N_JOBS = 12, 5


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Workflows of five jobs, of which as many are queued as the workflow's number; every third was run twice."""
    world = World()

    def one(route, message):
        [outcome] = world.together(world.operation(route, message))
        assert outcome.error is None, outcome
        return outcome.value

    for number in range(N_WORKFLOWS):
        opened = one(routes.OPEN_RUN, open_run(N_JOBS, name=f"w{number % 2}", args=str(number)))
        one(routes.BIND_JOBS, BindJobs(opened.run_id, specs(opened, N_JOBS, tags=["all"])))
        one(routes.BEGIN_RUN, BeginRun(opened.run_id))
        queued = range(opened.first_job_id, opened.first_job_id + number % (N_JOBS + 1))
        one(routes.QUEUE_JOBS, QueueJobs(opened.run_id, list(queued)))
        if number % 3 == 0:
            one(routes.STOP_RUN, StopRun(opened.run_id))
            again = open_run(N_JOBS, name=f"w{number % 2}", args=str(number), resume=True, take_over=True)
            one(routes.OPEN_RUN, again)
    yield world
    world.close()


def test_a_list_of_workflows_says_of_each_what_it_says_alone(world: World) -> None:
    queries = JobQueryServer(world.database, world.signs)
    found = queries.read(routes.WORKFLOWS, ReadWorkflows()).workflows
    assert [w.workflow_id for w in found] == list(range(N_WORKFLOWS, 0, -1))
    assert found == [queries.read(routes.WORKFLOW, ReadWorkflow(w.workflow_id)) for w in found]
    assert [w.run_number for w in found if w.workflow_args in ("0", "1")] == [1, 2]
    assert found[-3].executors[0].states == {"REGISTERED": 3, "QUEUED_FOR_INSTANTIATION": 2}
    assert found[-3].executors[0].executor == EXECUTOR


@pytest.mark.parametrize("size", [1, 5, 12, 100])
@pytest.mark.parametrize("name", [None, "w1", "no such"])
def test_pages_of_workflows_make_up_the_whole(world: World, size: int, name: str | None) -> None:
    queries = JobQueryServer(world.database, world.signs)
    whole = queries.read(routes.WORKFLOWS, ReadWorkflows(name)).workflows
    paged, before = [], None
    while page := queries.read(routes.WORKFLOWS, ReadWorkflows(name, size, before)).workflows:
        paged += page
        before = page[-1].workflow_id
    assert paged == whole


def test_many_workflows_take_as_many_statements_as_one(world: World) -> None:
    queries = JobQueryServer(world.database, world.signs)

    def statements(limit: int) -> int:
        seen: list[str] = []
        with world.database.reading.connect() as connection:
            driver = connection.driver
        driver.set_trace_callback(seen.append)
        try:
            assert len(queries.read(routes.WORKFLOWS, ReadWorkflows(limit=limit)).workflows) == limit
        finally:
            driver.set_trace_callback(None)
        return len(seen)

    assert statements(1) == statements(N_WORKFLOWS) > 2


def test_a_run_is_told_from_one_whose_client_is_dead_or_silent() -> None:
    world = World()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    dead = identify(child.pid)
    child.communicate()
    for client in (identify(), dead, ELSEWHERE):
        message = attrs.evolve(open_run(0, args=str(client.pid)), client=client)
        world.together(world.operation(routes.OPEN_RUN, message))
    queries = JobQueryServer(world.database, world.signs)

    def clients() -> list[str | None]:
        return [w.client for w in reversed(queries.read(routes.WORKFLOWS, ReadWorkflows()).workflows)]

    assert clients() == ["alive"] * 3  # it may have been heard of just before it died
    world.clock.seconds += 10
    assert clients() == ["alive", "gone", "alive"]
    world.clock.seconds += 60
    assert clients() == ["silent", "gone", "silent"]
    world.close()


def test_what_is_over_is_counted_once_until_something_happens_to_it() -> None:
    world = World()

    def one(route, message):
        [outcome] = world.together(world.operation(route, message))
        assert outcome.error is None, outcome
        return outcome.value

    opened = one(routes.OPEN_RUN, open_run(N_JOBS, args="1"))
    one(routes.BIND_JOBS, BindJobs(opened.run_id, specs(opened, N_JOBS)))
    one(routes.BEGIN_RUN, BeginRun(opened.run_id))
    one(routes.QUEUE_JOBS, QueueJobs(opened.run_id, [opened.first_job_id]))
    queries, counted = JobQueryServer(world.database, world.signs), []

    def states() -> dict[str, int]:
        with world.database.reading.connect() as connection:
            connection.driver.set_trace_callback(lambda text: counted.append(text) if "count(" in text else None)
        [workflow] = queries.read(routes.WORKFLOWS, ReadWorkflows()).workflows
        return workflow.executors[0].states

    assert [states(), states()] == [{"QUEUED_FOR_INSTANTIATION": 1, "REGISTERED": 4}] * 2
    assert len(counted) == 2
    one(routes.STOP_RUN, StopRun(opened.run_id))
    one(routes.FINISH_RUN, FinishRun(opened.run_id))
    assert [states(), states()] == [{"CANCELLED": 1, "REGISTERED": 4}] * 2
    assert len(counted) == 3
    again = one(routes.OPEN_RUN, open_run(N_JOBS, args="1", resume=True))
    one(routes.BEGIN_RUN, BeginRun(again.run_id))
    assert states() == {"REGISTERED": 5}
    world.close()


def test_a_read_of_a_database_that_is_gone_or_damaged_says_so() -> None:
    world = World()
    queries = JobQueryServer(world.database, world.signs)
    with world.database.writing.connect() as connection:
        connection.run("DROP TABLE lease")
    world.together(world.operation(routes.OPEN_RUN, open_run(0)))
    with pytest.raises(StoreError, match="no such table: lease"):
        queries.read(routes.WORKFLOWS, ReadWorkflows())
    world.path.rename(world.path.with_name("elsewhere"))
    world.database.reading.dispose()
    with pytest.raises(DatabaseGone):
        queries.read(routes.WORKFLOWS, ReadWorkflows())
    world.close()


def test_an_answer_has_a_bound_whatever_is_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "_MOST", 3)
    with world.database.reading.connect() as connection:
        assert len(overview.newest(connection, None, None, 2**62)) == 3
        assert len(overview.job_rows(connection, 1, limit=2**62)) == 3
        assert overview.newest(connection, None, None, -1) == []
        assert overview.job_rows(connection, 1, limit=-1) == []


def test_jobs_in_some_states_are_found_page_by_page(world: World) -> None:
    with world.database.reading.connect() as connection:
        states = [JobState.QUEUED_FOR_INSTANTIATION, JobState.DONE]
        first = overview.job_rows(connection, 5, states=states, limit=3, detailed=True)
        rest = overview.job_rows(connection, 5, states=states, limit=3, after=first[-1].job_id)
        assert [row.name for row in [*first, *rest]] == ["t0", "t1", "t2", "t3"]
        assert first[0].tags == ["all"]
        assert rest[0].tags is None
