"""Results are looked at when they arrive, and before they are handed on: whom one cannot serve fails, nobody else."""

import sqlite3
from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from messages import CONTEXT, ELSEWHERE, EXECUTOR, registration
from world import World

from jobmon.server import payloads
from jobmon.states.evidence import Reporting, Sighting
from jobmon.wire import routes
from jobmon.wire.jobs import Call, Command, JobSpec
from jobmon.wire.leases import AcquireLease, Claim, ClaimJobs, Lease, Observation, RecordObservations
from jobmon.wire.routes import Route
from jobmon.wire.runs import BeginRun, BindJobs, OpenRun, QueueJobs
from jobmon.wire.workers import FinishAttempts, FinishReport, StartAttempts

WORKER = "node1:1:a"
BAD = {
    "nested 985 deep": "[" * 985 + "]" * 985,
    "nested 990 deep": "[" * 990 + "]" * 990,
    "nested 5000 deep": "[" * 5000 + "]" * 5000,
    "no JSON": "{oops",
    "not finite": "NaN",
    "too large": '"' + "x" * 70_000 + '"',
}


@attrs.frozen
class Flow:
    """Calls that run one after the other: `n` that return something, and takers of the results of some of them."""

    world: World
    workflow_id: int
    ids: list[int]
    run_id: int
    lease: Lease

    def call(self, route: Route[Any, Any], message: Any) -> Any:
        return _call(self.world, route, message)

    def claim(self, **more: Any) -> list[Claim]:
        claims: list[Claim] = self.call(routes.CLAIM_JOBS, ClaimJobs(self.lease, 100, **more)).claims
        return claims

    def start(self, tokens: list[str]) -> Any:
        return self.call(routes.START_ATTEMPTS, StartAttempts(WORKER, "node1", tokens)).starts

    def finish(self, results: dict[str, str | None]) -> Any:
        reports = [FinishReport(token, None, 0, result=result) for token, result in results.items()]
        return self.call(routes.FINISH_ATTEMPTS, FinishAttempts(WORKER, reports))

    def queue(self, *positions: int) -> None:
        self.call(routes.QUEUE_JOBS, QueueJobs(self.run_id, [self.ids[i] for i in positions]))

    def done(self, n: int, result: str = '"x"') -> None:
        """The first `n` have ended with this result."""
        self.queue(*range(n))
        tokens = [claim.token for claim in self.claim()]
        self.start(tokens)
        self.finish(dict.fromkeys(tokens, result))

    def stored(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        with self.world.database.reading.connect() as connection:
            return connection.run(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1").all()


def _call(world: World, route: Route[Any, Any], message: Any) -> Any:
    [outcome] = world.together(world.operation(route, message))
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def begin(world: World, n: int, takers: list[list[int]], reporting: Reporting = Reporting.WORKER) -> Flow:
    opened = _call(world, routes.OPEN_RUN, OpenRun("w", None, n + len(takers), CONTEXT, ELSEWHERE))
    ids = [opened.first_job_id + i for i in range(n + len(takers))]
    specs = [JobSpec(ids[i], f"t{i}", EXECUTOR, "d", call=Call("m", "f")) for i in range(n)]
    for i, taken in enumerate(takers, n):
        call = Call("m", "f", [[{"$output": ids[above]} for above in taken]])
        specs.append(JobSpec(ids[i], f"t{i}", EXECUTOR, "d", call=call, needs_outputs=True))
    _call(world, routes.BIND_JOBS, BindJobs(opened.run_id, specs))
    _call(world, routes.BEGIN_RUN, BeginRun(opened.run_id))
    message = AcquireLease(opened.workflow_id, EXECUTOR, ELSEWHERE, registration(reporting))
    lease = _call(world, routes.ACQUIRE_LEASE, message).lease
    return Flow(world, opened.workflow_id, ids, opened.run_id, lease)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_result_that_cannot_be_kept_fails_its_own_task_alone(world: World, text: str) -> None:
    flow = begin(world, 3, [])
    flow.queue(0, 1, 2)
    tokens = [claim.token for claim in flow.claim()]
    flow.start(tokens)
    answer = flow.finish({tokens[0]: "1", tokens[1]: text, tokens[2]: '["ä"]'})
    assert answer.refused == answer.superseded == []
    states = flow.stored("job_instance", "id", "state", "reason", "detail")
    assert [state for _, state, _, _ in states] == ["DONE", "ERROR", "DONE"]
    assert (states[1][2], states[1][3][:11]) == ("EXIT_NONZERO", "its result ")
    assert [value for (value,) in flow.stored("job_result", "value")] == ["1", '["ä"]']


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_the_same_holds_for_what_a_platform_reports(world: World, text: str) -> None:
    flow = begin(world, 2, [], Reporting.PLATFORM)
    flow.queue(0, 1)
    seen = [Observation(claim.token, Sighting.EXITED, None, 0, result=result, executor_job_id="7")
            for claim, result in zip(flow.claim(), [text, "1"], strict=True)]  # fmt: skip
    flow.call(routes.RECORD_OBSERVATIONS, RecordObservations(flow.lease, seen))
    assert [state for _, state in flow.stored("job_instance", "id", "state")] == ["ERROR", "DONE"]


def spoil(flow: Flow, position: int, text: str) -> None:
    """As an older server has stored it, or a damaged disk."""
    with sqlite3.connect(flow.world.path) as connection:
        connection.execute("UPDATE job_result SET value = ? WHERE job_id = ?", (text, flow.ids[position]))


@pytest.mark.parametrize("with_payload", [False, True])
@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_whoever_takes_a_bad_result_is_refused_and_the_others_are_claimed(
    world: World, text: str, with_payload: bool
) -> None:
    flow = begin(world, 2, [[0], [1], [0, 1], [1, 1]])
    flow.done(2)
    spoil(flow, 0, text)
    flow.queue(2, 3, 4, 5)
    claims = flow.claim(with_payload=with_payload)
    assert [claim.job_id for claim in claims] == [flow.ids[3], flow.ids[5]]
    if with_payload:
        assert claims[1].call == Call("m", "f", [["x", "x"]])
    states = dict(flow.stored("job", "id", "state"))
    assert [states[flow.ids[i]] for i in (2, 4)] == ["ERROR_FATAL", "ERROR_FATAL"]
    [detail, _] = [d for _, r, d in flow.stored("job_instance", "id", "reason", "detail") if r == "SUBMIT_REJECTED"]
    assert detail.startswith(f"the result of its upstream job {flow.ids[0]} ")


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_result_that_went_bad_after_its_taker_was_claimed_fails_that_start_alone(world: World, text: str) -> None:
    flow = begin(world, 2, [[0], [1]])
    flow.done(2)
    flow.queue(2, 3)
    tokens = [claim.token for claim in flow.claim()]
    spoil(flow, 0, text)
    refused, won = flow.start(tokens)
    assert refused.work is None
    assert "the result of its upstream job" in refused.why
    assert won.work.call == Call("m", "f", [["x"]])
    assert flow.claim() == []  # it was tried again, and then refused for good
    assert dict(flow.stored("job", "id", "state"))[flow.ids[2]] == "ERROR_FATAL"


@pytest.mark.parametrize("with_payload", [False, True])
def test_results_that_are_too_much_for_one_call_are_told_when_it_would_begin(
    world: World, with_payload: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payloads, "MOST_INPUT_BYTES", 3000)
    flow = begin(world, 3, [[0, 1, 2], [0, 1, 1, 1], [0, 1]])
    flow.done(3, '"' + "x" * 998 + '"')
    flow.queue(3, 4, 5)
    claims = flow.claim(with_payload=with_payload)
    assert [claim.job_id for claim in claims][:1] == [flow.ids[3]]
    [(_, reason, detail)] = [row for row in flow.stored("job_instance", "id", "reason", "detail") if row[1]]
    assert reason == "SUBMIT_REJECTED"
    assert "come to 4,000 bytes; at most 3,000 bytes fit. Let the tasks above it write files" in detail


def test_what_does_not_fit_into_one_answer_comes_with_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "MOST_INPUT_BYTES", 2500)
    flow = begin(world, 2, [[0, 1]] * 3)
    flow.done(2, '"' + "x" * 998 + '"')
    flow.queue(2, 3, 4)
    tokens = [claim.token for claim in flow.claim()]
    assert len(tokens) == 3
    while tokens:
        [start] = flow.start(tokens)
        assert start.token == tokens.pop(0)
        assert len(start.work.call.args[0]) == 2
    again = begin(world, 2, [[0, 1]] * 2)
    again.done(2, '"' + "x" * 998 + '"')
    again.queue(2, 3)
    assert [[claim.job_id for claim in again.claim(with_payload=True)] for _ in range(3)] == [
        [again.ids[2]], [again.ids[3]], [],
    ]  # fmt: skip


def test_a_claim_of_which_all_is_refused_looks_further(world: World) -> None:
    flow = begin(world, 1, [[0], [0]])
    flow.done(1)
    spoil(flow, 0, "{")
    flow.queue(1, 2)
    assert flow.call(routes.CLAIM_JOBS, ClaimJobs(flow.lease, 1)).claims == []
    assert [state for _, state in flow.stored("job", "id", "state")] == ["DONE", "ERROR_FATAL", "ERROR_FATAL"]


def test_a_job_that_runs_nothing_is_refused_by_itself(world: World) -> None:
    opened = _call(world, routes.OPEN_RUN, OpenRun("w", None, 3, CONTEXT, ELSEWHERE))
    names = [("a", Command("true")), ("b", None), ("a", Command("true"))]
    specs = [JobSpec(opened.first_job_id + i, name, EXECUTOR, "d", command) for i, (name, command) in enumerate(names)]
    standing = _call(world, routes.BIND_JOBS, BindJobs(opened.run_id, specs))
    assert {problem.data["job_id"]: problem.type for problem in standing.refused} == {
        opened.first_job_id + 1: "InvalidRequest", opened.first_job_id + 2: "InvalidRequest",
    }  # fmt: skip


def test_no_result_takes_the_place_of_all_keyword_arguments(world: World) -> None:
    opened = _call(world, routes.OPEN_RUN, OpenRun("w", None, 2, CONTEXT, ELSEWHERE))
    first = opened.first_job_id
    calls = [Call("m", "f", kwargs={"x": {"$output": first}}), Call("m", "f", kwargs={"$output": first})]
    specs = [JobSpec(first + i, str(i), EXECUTOR, "d", call=call) for i, call in enumerate(calls)]
    standing = _call(world, routes.BIND_JOBS, BindJobs(opened.run_id, specs))
    assert [problem.data["job_id"] for problem in standing.refused] == [first + 1]
