"""No element of a batch fails another one: on every route that takes a batch, what is good goes through."""

import itertools
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messages import CONTEXT, ELSEWHERE, EXECUTOR, registration
from world import World

from jobmon.errors import JobmonError
from jobmon.server.batches import Reader
from jobmon.states.evidence import Reporting
from jobmon.wire import routes
from jobmon.wire.jobs import JobSpec
from jobmon.wire.leases import AcquireLease, ClaimJobs
from jobmon.wire.routes import ROUTES, Route
from jobmon.wire.runs import BeginRun, BindJobs, OpenRun, QueueJobs
from jobmon.wire.workers import StartAttempts

N = 6
WORKER = "node1:1:a"
CALL = {"module": "m", "function": "f"}
_names = itertools.count()

#: What is no element of any batch here, as JSON.
unreadable = st.sampled_from(
    [b"null", b"1.5", b"[]", b'{"token": 5}', b'{"token": "j1", "kind": "nonsense"}', b'"\\ud800"', b"-1", b"1e999",
     b'{"token": "j1", "exit_status": 99999999999, "sighting": "exited"}', b'{"job_id": "x"}', b"true", b'{}',
     b'{"token": "j1", "detail": "\\udcff"}', b"18446744073709551616"]
)  # fmt: skip


class Flow:
    """A workflow whose attempts are as far as a route needs them."""

    def __init__(self, world: World, upto: str, reporting: Reporting = Reporting.WORKER) -> None:
        self.world = world
        self.opened = self.call(routes.OPEN_RUN, OpenRun(f"w{next(_names)}", None, N, CONTEXT, ELSEWHERE))
        self.ids = [self.opened.first_job_id + i for i in range(N)]
        self.run = self.opened.run_id
        if upto == "bind":
            return
        specs = msgspec.convert([self.spec(i) for i in self.ids], list[JobSpec])
        self.call(routes.BIND_JOBS, BindJobs(self.run, specs))
        self.call(routes.BEGIN_RUN, BeginRun(self.run))
        message = AcquireLease(self.opened.workflow_id, EXECUTOR, ELSEWHERE, registration(reporting))
        self.lease = self.call(routes.ACQUIRE_LEASE, message).lease
        if upto == "queue":
            return
        self.call(routes.QUEUE_JOBS, QueueJobs(self.run, self.ids))
        self.tokens = [c.token for c in self.call(routes.CLAIM_JOBS, ClaimJobs(self.lease, N)).claims]
        if upto == "won":
            self.call(routes.START_ATTEMPTS, StartAttempts(WORKER, "node1", self.tokens))

    def spec(self, job_id: int, **more: Any) -> dict[str, Any]:
        return {"job_id": job_id, "name": f"t{job_id}", "executor": EXECUTOR, "digest": "d", "call": CALL} | more

    def call(self, route: Route[Any, Any], message: Any) -> Any:
        [outcome] = self.world.together(self.world.operation(route, message))
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def states(self, table: str) -> list[str]:
        with self.world.database.reading.connect() as connection:
            return [row[0] for row in connection.run(f"SELECT state FROM {table} WHERE workflow_id = ? ORDER BY id",
                                                     (self.opened.workflow_id,))]  # fmt: skip


@attrs.frozen
class Case:
    """A route with a batch: how far a flow must be, the message around the batch, good and bad elements, and what
    tells that the good ones went through.
    """

    upto: str
    field: str
    around: Any
    good: Any
    bad: Any
    through: Any


def lease(flow: Flow) -> dict[str, Any]:
    return {"lease": msgspec.to_builtins(flow.lease)}


def worker(_: Flow) -> dict[str, Any]:
    return {"worker_id": WORKER}


def attempts(state: str) -> Any:
    return lambda flow, good: all(flow.states("job_instance")[i] == state for i in good)


CASES: dict[str, Case] = {
    "/runs/bind": Case(
        "bind", "jobs", lambda f: {"run_id": f.run}, lambda f, i: f.spec(f.ids[i]),
        lambda f: [f.spec(f.ids[0] - 1), f.spec(f.ids[-1] + 1), f.spec(10**6), f.spec(2**53 + 1),
                   f.spec(f.ids[0], max_attempts=0), f.spec(f.ids[0], call=None),
                   f.spec(f.ids[0], command={"shell": "x"}),
                   f.spec(f.ids[0], call=None, command={}), f.spec(f.ids[0], call=None, command={"argv": []}),
                   f.spec(f.ids[0], call=CALL | {"args": nested(300)}), f.spec(f.ids[0], resources={"a": nested(300)})],
        lambda f, good: len(f.states("job")) == len(good),
    ),
    "/runs/queue": Case(
        "queue", "job_ids", lambda f: {"run_id": f.run}, lambda f, i: f.ids[i],
        lambda f: [f.ids[0] - 1, f.ids[-1] + 1, 0, 2**53],
        lambda f, good: all(f.states("job")[i] == "QUEUED_FOR_INSTANTIATION" for i in good),
    ),
    "/instances/outcomes": Case(
        "claimed", "outcomes", lease,
        lambda f, i: {"token": f.tokens[i], "kind": "accepted", "executor_job_id": str(i)},
        lambda f: [{"token": "j0", "kind": "deferred"}, {"token": f.tokens[0], "kind": "accepted"},
                   {"token": f.tokens[0], "kind": "cancel_confirmed"}, {"token": "x" * 65, "kind": "revoked"}],
        attempts("SUBMITTED_TO_BATCH_EXECUTOR"),
    ),
    "/instances/observations": Case(
        "claimed", "observations", lease,
        lambda f, i: {"token": f.tokens[i], "sighting": "exited", "exit_status": 0, "result": "1",
                      "executor_job_id": "7"},
        lambda f: [{"token": "j0", "sighting": "exited"}, {"token": "j1", "sighting": "absent", "result": "{"}],
        attempts("DONE"),
    ),
    "/leases/renew": Case(
        "claimed", "leases", lambda f: {"workflow_id": f.opened.workflow_id},
        lambda f, _: msgspec.to_builtins(f.lease),
        lambda f: [lease(f)["lease"] | {"epoch": -1}, lease(f)["lease"] | {"executor": "x" * 2000}],
        lambda f, _: f.world.signs.manager_alive(f.opened.workflow_id, EXECUTOR),
    ),
    "/attempts/start": Case(
        "claimed", "tokens", lambda f: worker(f) | {"host": "node1"}, lambda f, i: f.tokens[i],
        lambda _: ["j0", "", "x" * 65], attempts("RUNNING"),
    ),
    "/attempts/heartbeat": Case(
        "won", "tokens", worker, lambda f, i: f.tokens[i], lambda _: ["j0", "", "x" * 65],
        lambda f, good: not any(f.world.signs.silent(f.tokens[i]) for i in good),
    ),
    "/attempts/finish": Case(
        "won", "reports", worker, lambda f, i: {"token": f.tokens[i], "result": "1"},
        lambda f: [{"token": "j0"}, {"token": f.tokens[0], "exit_status": 2**40}, {"token": "j0", "result": "{"},
                   {"token": f.tokens[0], "stdout_tail": "x" * 200_000}],
        attempts("DONE"),
    ),
    "/attempts/give-back": Case(
        "won", "tokens", lambda f: worker(f) | {"why": "it ends"}, lambda f, i: f.tokens[i],
        lambda _: ["j0", "", "x" * 65], attempts("RETURNED"),
    ),
}  # fmt: skip


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def test_every_route_that_takes_a_batch_is_tried() -> None:
    batches = {path for path, route in ROUTES.items() if Reader(route).takes_batches}
    assert batches == set(CASES)


@pytest.fixture(scope="module")
def world() -> Any:
    world = World()
    yield world
    world.close()


@pytest.mark.parametrize("path", CASES)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_good_elements_go_through_whatever_stands_among_them(world: World, path: str, data: Any) -> None:
    case, route = CASES[path], ROUTES[path]
    reporting = Reporting.PLATFORM if case.field == "observations" else Reporting.WORKER
    flow = Flow(world, case.upto, reporting)
    good = data.draw(st.lists(st.integers(1, N - 1), min_size=1, unique=True), label="good")
    elements = [(i, msgspec.json.encode(case.good(flow, i))) for i in good]
    wrong = st.sampled_from([msgspec.json.encode(bad) for bad in case.bad(flow)]) | unreadable
    elements += [(None, bad) for bad in data.draw(st.lists(wrong, min_size=1, max_size=5), label="bad")]
    elements = data.draw(st.permutations(elements), label="batch")
    around = msgspec.json.encode(case.around(flow))
    body = around[:-1] + b',"%s":[%s]}' % (case.field.encode(), b",".join(raw for _, raw in elements))
    world.clock.seconds += 100.0
    reader = Reader(route)
    message, unread = reader.read(body)
    answer = msgspec.json.decode(reader.with_refused(msgspec.json.encode(flow.call(route, message)), unread))
    assert case.through(flow, good), (answer, flow.states("job"))
    said = [problem["detail"] for problem in answer["refused"]]
    assert all(problem["data"] and problem["detail"] for problem in answer["refused"]), said
    by_itself = {"/attempts/start", "/attempts/heartbeat", "/leases/renew"}  # these say of each element what it is
    assert path in by_itself or len(said) == len(elements) - len(good), said


@pytest.mark.parametrize("path", CASES)
def test_a_batch_of_which_nothing_can_be_read_is_refused_as_a_whole(world: World, path: str) -> None:
    case, route = CASES[path], ROUTES[path]
    flow = Flow(world, case.upto)
    around = msgspec.json.encode(case.around(flow))
    with pytest.raises(JobmonError, match="cannot be read"):
        Reader(route).read(around[:-1] + b',"%s":[null,1.5]}' % case.field.encode())
    for body in (b"", b"{", b"[]", b'{"%s": 5}' % case.field.encode(), b"\xff"):
        with pytest.raises(JobmonError, match="cannot be read"):
            Reader(route).read(body)
