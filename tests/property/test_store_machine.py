"""Clients, managers, workers, platforms and crashes in any order: tables and store together keep every promise."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from invariants import FINAL_INSTANCES, FINAL_JOBS, FINAL_RUNS, check, content
from messages import CONTEXT, ELSEWHERE, registration
from msgspec.structs import asdict
from world import World, full_disk, poisoned

from jobmon.errors import InvalidRequest, InvalidTransition, StoreError, Superseded, WorkflowActive, WorkflowExists
from jobmon.states.evidence import Reporting, Sighting
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.jobs import Call, Command, JobSpec
from jobmon.wire.leases import (
    AcquireLease,
    ClaimJobs,
    Lease,
    Observation,
    Outcome,
    OutcomeKind,
    RecordObservations,
    RecordOutcomes,
    ReleaseLease,
)
from jobmon.wire.runs import BeginRun, BindJobs, FinishRun, OpenRun, QueueJobs, StopRun
from jobmon.wire.workers import FinishAttempts, FinishReport, GiveBackAttempts, StartAttempts

N_JOBS = 3
EXECUTORS = {"compute": Reporting.WORKER, "pool": Reporting.AGENT, "sim": Reporting.PLATFORM}
WORKERS = ["node1:1:a", "node1:2:b", "node2:1:c"]
OWN_FAULTS = {"EXIT_NONZERO", "SIGNALLED", "OUT_OF_MEMORY", "TIMEOUT"}
REFUSALS = (InvalidRequest, InvalidTransition, Superseded, WorkflowActive, WorkflowExists)
LIVE = ["SUBMITTING", "SUBMITTED_TO_BATCH_EXECUTOR", "RUNNING", "CANCELLING"]
RUN_LEASE_S = 60.0
reasons = st.one_of(st.none(), st.sampled_from(Reason))


@attrs.define
class Flow:
    """What the model knows of a workflow."""

    args: str
    workflow_id: int = 0
    first_job_id: int = 0
    runs: list[int] = attrs.field(factory=list)
    newest: dict[str, Lease] = attrs.field(factory=dict)  #: the lease that counts, by executor

    @property
    def jobs(self) -> range:
        return range(self.first_job_id, self.first_job_id + N_JOBS)


class TablesAndStore(RuleBasedStateMachine):
    """Every rule is one message, perhaps beside one that fails; the model says what must come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.flows = [Flow("a"), Flow("b")]
        self.leases: list[Lease] = []
        self.started_by: dict[str, str] = {}  #: who was given the work of an attempt
        self.heard: dict[int, float] = {}  #: when the client of a run spoke last
        self.up_since = 0.0
        self.charged: Counter[int] = Counter()
        self.succeeding: set[str] = set()  #: attempts of whose success the last message spoke
        self.before = self.now = content(self.world.path)

    def teardown(self) -> None:
        self.world.close()

    # What the rules share.

    def call(self, route: Any, message: Any, disturbance: str = "") -> Any:
        """The answer, or the refusal, which must have changed nothing."""
        operation = self.world.operation(route, message)
        if disturbance == "lost":
            for outcome in self.world.together(operation, full_disk):
                assert isinstance(outcome.error, StoreError), outcome
            assert content(self.world.path) == self.now, "part of a lost group was kept"
        group = [poisoned(operation), operation] if disturbance == "poisoned" else [operation]
        *others, outcome = self.world.together(*group)
        assert all(isinstance(other.error, (AttributeError, *REFUSALS)) for other in others), others
        self.before, self.now = self.now, content(self.world.path)
        if outcome.error is not None:
            assert isinstance(outcome.error, REFUSALS), repr(outcome.error)
            assert self.now == self.before, f"{message} was refused ({outcome.error}) and changed something"
            return outcome.error
        return outcome.value

    def rows(self, table: str, **where: Any) -> list[Any]:
        return [row for row in self.now[table] if all(row[name] == value for name, value in where.items())]

    def state_of(self, token: str) -> str:
        [row] = self.rows("job_instance", token=token)
        return str(row["state"])

    def final_run(self, run_id: int) -> bool:
        [row] = self.rows("workflow_run", id=run_id)
        return row["state"] in FINAL_RUNS

    def run_call(self, route: Any, message: Any, disturbance: str) -> Any:
        """A write of a run's client, which a final run refuses."""
        final = self.final_run(message.run_id)
        if not final:
            self.heard[message.run_id] = self.world.clock.seconds
        answer = self.call(route, message, disturbance)
        assert isinstance(answer, Superseded) == final
        return answer

    def lease_call(self, route: Any, message: Any, disturbance: str) -> Any:
        """A write of a manager, which only the newest may make."""
        current = message.lease in [lease for flow in self.flows for lease in flow.newest.values()]
        answer = self.call(route, message, disturbance)
        assert isinstance(answer, Superseded) != current
        return answer

    disturbances = st.sampled_from(["", "", "", "", "poisoned", "lost"])
    flow = st.integers(0, 1)
    positions = st.sets(st.integers(0, N_JOBS - 1), min_size=1)

    def tokens(self, data: Any, lease: Lease | None = None) -> list[str]:
        rows = self.now["job_instance"]
        if lease is not None and data.draw(st.integers(0, 9)):
            rows = self.rows("job_instance", workflow_id=lease.workflow_id, executor=lease.executor)
        return [row["token"] for row in rows]

    def some_tokens(self, data: Any, lease: Lease | None = None, states: Sequence[str] = LIVE) -> list[str]:
        """A few attempts, mostly in such a state, perhaps one of them twice; of a lease's executor, nearly always."""
        tokens = self.tokens(data, lease)
        live = [t for t in tokens if self.state_of(t) in states]
        pool = live if live and data.draw(st.integers(0, 5)) else tokens
        return data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=3)) if pool else []

    @rule(data=st.data(), disturbance=disturbances)
    def something_happens(self, data: Any, disturbance: str) -> None:
        """One rule for all: left to itself Hypothesis turns half of the rules off, and no attempt gets far."""
        weights = {
            self.claim_jobs: 6 * self.any_in("QUEUED_FOR_INSTANTIATION"),
            self.record_outcomes: 3 * self.any_in("SUBMITTING"),
            self.record_observations: 5 * self.any_in(*LIVE),
            self.start_attempts: 5 * self.any_in("SUBMITTING", "SUBMITTED_TO_BATCH_EXECUTOR"),
            self.finish_attempts: 6 * self.any_in("RUNNING", "CANCELLING"),
            self.give_back_attempts: self.any_in("RUNNING"),
            self.a_client_comes: 2 + 2 * self.any_in("QUEUED_FOR_INSTANTIATION"),
            self.a_client_writes: 2,
            self.a_client_stops: 1,
            self.a_client_ends: 1 + 4 * (not self.any_in("QUEUED_FOR_INSTANTIATION", *LIVE)),
            self.a_manager_comes_or_goes: 1,
            self.time_passes: 2,
            self.the_server_is_killed_and_started_again: 1,
        }
        actions = [action for action, weight in weights.items() for _ in range(weight)]
        action = data.draw(st.sampled_from(actions))
        note(action.__name__)
        action(data, disturbance)

    # The client.

    @initialize(number_of_flows=st.integers(1, 2), max_attempts=st.integers(1, 3), queued=positions)
    def begin_workflows(self, number_of_flows: int, max_attempts: int, queued: set[int]) -> None:
        for number in range(number_of_flows):
            self.resume(number, "no", max_attempts, queued, "")
            for executor in EXECUTORS:
                self.acquire_a_lease(number, executor, "")

    def resume(self, number: int, take_over: str, max_attempts: int, queued: set[int], disturbance: str) -> None:
        """A client goes through all that it does at its start, unless it is refused at once."""
        if self.open_a_run(number, take_over == "yes", take_over == "gone", disturbance):
            self.bind_the_jobs(number, max_attempts, disturbance)
            self.begin_the_run(number, disturbance)
            self.queue_jobs(number, queued, disturbance)

    def a_client_comes(self, data: Any, disturbance: str) -> None:
        take_over = data.draw(st.sampled_from(["no", "yes", "gone"]))
        queued = data.draw(self.positions)
        self.resume(data.draw(self.flow), take_over, data.draw(st.integers(1, 3)), queued, disturbance)

    def a_client_stops(self, data: Any, disturbance: str) -> None:
        self.stop_the_run(data.draw(self.flow), not data.draw(st.integers(0, 5)), disturbance)

    def a_client_ends(self, data: Any, disturbance: str) -> None:
        self.finish_the_run(data.draw(self.flow), not data.draw(st.integers(0, 5)), disturbance)

    def a_client_writes(self, data: Any, disturbance: str) -> None:
        """Any of its writes, at any time."""
        number = data.draw(self.flow)
        if not self.flows[number].runs:
            return
        match data.draw(st.sampled_from(["open", "exists", "bind", "begin", "queue", "queue"])):
            case "open":
                self.open_a_run(number, data.draw(st.booleans()), data.draw(st.booleans()), disturbance)
            case "exists":
                self.open_what_exists_without_saying_resume(number, disturbance)
            case "bind":
                self.bind_the_jobs(number, 1, disturbance)
            case "begin":
                self.begin_the_run(number, disturbance)
            case "queue":
                self.queue_jobs(number, data.draw(self.positions), disturbance)

    def open_a_run(self, number: int, take_over: bool, gone: bool, disturbance: str) -> bool:
        flow = self.flows[number]
        active = [run for run in flow.runs if not self.final_run(run)]
        lively = [run for run in active if self.silent_s(run) < RUN_LEASE_S]
        message = OpenRun("w", flow.args, N_JOBS, CONTEXT, ELSEWHERE, resume=bool(flow.runs), take_over=take_over,
                          gone_run=active[0] if gone and active else None)  # fmt: skip
        answer = self.call(routes.OPEN_RUN, message, disturbance)
        assert isinstance(answer, WorkflowActive) == bool(lively and not take_over and not message.gone_run)
        if isinstance(answer, WorkflowActive):
            assert answer.data["run_id"] == active[0]
            return False
        assert all(self.final_run(run) for run in active), "a run was opened beside an active one"
        assert answer.run_number == len(flow.runs) + 1
        flow.workflow_id, flow.first_job_id = answer.workflow_id, answer.first_job_id
        flow.runs.append(answer.run_id)
        self.heard[answer.run_id] = self.world.clock.seconds
        return True

    def silent_s(self, run_id: int) -> float:
        return self.world.clock.seconds - max(self.heard[run_id], self.up_since)

    def open_what_exists_without_saying_resume(self, number: int, disturbance: str) -> None:
        if self.flows[number].runs:
            message = OpenRun("w", self.flows[number].args, N_JOBS, CONTEXT, ELSEWHERE)
            assert isinstance(self.call(routes.OPEN_RUN, message, disturbance), WorkflowActive | WorkflowExists)

    def bind_the_jobs(self, number: int, max_attempts: int, disturbance: str) -> None:
        flow = self.flows[number]
        if not flow.runs:
            return
        bound = {row["id"]: row["max_attempts"] for row in self.rows("job", workflow_id=flow.workflow_id)}
        if bound and self.rows("workflow_run", id=flow.runs[-1])[0]["number"] == 1:
            return  # a client binds once
        payloads: list[dict[str, Any]] = [
            {"command": Command("true")},
            {"call": Call("m", "f")},
            {"command": Command("x")},
        ]
        specs = [
            JobSpec(
                job_id, f"t{i}", executor, f"d{i}", max_attempts=max(bound.get(job_id, 0), max_attempts), **payloads[i]
            )
            for i, (job_id, executor) in enumerate(zip(flow.jobs, EXECUTORS, strict=True))
        ]
        self.run_call(routes.BIND_JOBS, BindJobs(flow.runs[-1], specs), disturbance)

    def some_run(self, number: int, old: bool = False) -> int | None:
        runs = self.flows[number].runs
        return (runs[0] if old else runs[-1]) if runs else None

    def begin_the_run(self, number: int, disturbance: str) -> None:
        run = self.some_run(number)
        if run is None:
            return
        answer = self.run_call(routes.BEGIN_RUN, BeginRun(run), disturbance)
        if not isinstance(answer, Exception) and len(self.flows[number].runs) > 1:
            for row in self.before["job"]:
                if row["id"] in self.flows[number].jobs and row["state"] in ("ERROR_FATAL", "CANCELLED"):
                    self.charged[row["id"]] = 0
                    assert self.rows("job", id=row["id"])[0]["state"] == "REGISTERED"

    def queue_jobs(self, number: int, positions: set[int], disturbance: str) -> None:
        run = self.some_run(number)
        if run is not None:
            chosen = [self.flows[number].first_job_id + i for i in sorted(positions)]
            running = self.rows("workflow_run", id=run)[0]["state"] == "RUNNING"
            self.run_call(routes.QUEUE_JOBS, QueueJobs(run, chosen), disturbance)
            for before, now in zip(self.before["job"], self.now["job"], strict=True):
                ready = running and before["id"] in chosen and before["state"] == "REGISTERED"
                assert now["state"] == ("QUEUED_FOR_INSTANTIATION" if ready else before["state"])

    def stop_the_run(self, number: int, old: bool, disturbance: str) -> None:
        run = self.some_run(number, old)
        if run is not None:
            self.run_call(routes.STOP_RUN, StopRun(run), disturbance)

    def finish_the_run(self, number: int, old: bool, disturbance: str) -> None:
        run = self.some_run(number, old)
        if run is not None:
            answer = self.run_call(routes.FINISH_RUN, FinishRun(run), disturbance)
            states = {row["state"] for row in self.rows("job", workflow_id=self.flows[number].workflow_id)}
            if not isinstance(answer, Exception):
                assert states <= {"REGISTERED", "DONE", "ERROR_FATAL", "CANCELLED"}
                assert (answer.state == "DONE") == (states == {"DONE"})

    # Managers.

    def acquire_a_lease(self, number: int, executor: str, disturbance: str) -> None:
        flow = self.flows[number]
        if flow.runs:
            message = AcquireLease(flow.workflow_id, executor, ELSEWHERE, registration(EXECUTORS[executor]))
            lease = self.call(routes.ACQUIRE_LEASE, message, disturbance).lease
            assert all(lease.epoch > old.epoch for old in self.leases if old.workflow_id == lease.workflow_id
                       and old.executor == executor)  # fmt: skip
            flow.newest[executor] = lease
            self.leases.append(lease)

    def a_manager_comes_or_goes(self, data: Any, disturbance: str) -> None:
        number, executor = data.draw(self.flow), data.draw(st.sampled_from(list(EXECUTORS)))
        if data.draw(st.integers(0, 3)):
            self.acquire_a_lease(number, executor, disturbance)
        else:
            self.release_a_lease(data, disturbance)

    def some_lease(self, data: Any, *states: str) -> Lease:
        """Mostly one that counts and has attempts, or jobs, in such a state."""
        if not data.draw(st.integers(0, 9)):
            return data.draw(st.sampled_from(self.leases))
        rows = [row for row in (*self.now["job_instance"], *self.now["job"]) if row["state"] in states]
        if not rows:
            return data.draw(st.sampled_from(self.leases))
        row = data.draw(st.sampled_from(rows))
        [flow] = [flow for flow in self.flows if flow.workflow_id == row["workflow_id"]]
        if row["executor"] not in flow.newest:
            self.acquire_a_lease(self.flows.index(flow), row["executor"], "")
        return flow.newest[row["executor"]]

    def any_in(self, *states: str) -> bool:
        return any(row["state"] in states for row in (*self.now["job_instance"], *self.now["job"]))

    def release_a_lease(self, data: Any, disturbance: str) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        self.call(routes.RELEASE_LEASE, ReleaseLease(lease), disturbance)
        for flow in self.flows:
            if flow.newest.get(lease.executor) == lease:
                del flow.newest[lease.executor]

    def claim_jobs(self, data: Any, disturbance: str) -> None:
        limit, with_payload = data.draw(st.integers(1, 3)), data.draw(st.booleans())
        lease = self.some_lease(data, "QUEUED_FOR_INSTANTIATION")
        where = {"workflow_id": lease.workflow_id, "executor": lease.executor, "state": "QUEUED_FOR_INSTANTIATION"}
        queued = [row["id"] for row in self.rows("job", **where)]
        answer = self.lease_call(routes.CLAIM_JOBS, ClaimJobs(lease, limit, with_payload=with_payload), disturbance)
        if not isinstance(answer, Exception):
            assert [claim.job_id for claim in answer.claims] == queued[:limit]
            old = {row["token"] for row in self.before["job_instance"]}
            assert {row["token"] for row in self.now["job_instance"]} - old == {c.token for c in answer.claims}
            assert {self.state_of(claim.token) for claim in answer.claims} <= {"SUBMITTING"}

    def record_outcomes(self, data: Any, disturbance: str) -> None:
        kind = data.draw(st.sampled_from([*OutcomeKind, *[OutcomeKind.ACCEPTED] * 3]))
        lease = self.some_lease(data, "SUBMITTING", "CANCELLING")
        tokens = self.some_tokens(data, lease)
        outcomes = [Outcome(t, kind, "77" if kind is OutcomeKind.ACCEPTED else None, "why") for t in tokens]
        self.recorded(
            lease, self.lease_call(routes.RECORD_OUTCOMES, RecordOutcomes(lease, outcomes), disturbance), tokens
        )

    def record_observations(self, data: Any, disturbance: str) -> None:
        kinds = [*Sighting, *[Sighting.EXITED] * 3, Sighting.ABSENT]
        sighting, reason = data.draw(st.sampled_from(kinds)), data.draw(reasons)
        lease = self.some_lease(data, *LIVE)
        tokens = self.some_tokens(data, lease)
        seen = []
        for i, token in enumerate(tokens):
            other_id = data.draw(st.sampled_from([None, "78"]))
            why = reason if i == 0 else None
            seen.append(Observation(token, sighting, why, usage={"wall_s": 1.0}, result="1", executor_job_id=other_id))
        for again in range(data.draw(st.integers(1, 2))):
            self.world.clock.seconds += 31.0 * again  # longer than any grace
            self.succeeding = {o.token for o in seen if o.reason is None and sighting is Sighting.EXITED}
            answer = self.lease_call(routes.RECORD_OBSERVATIONS, RecordObservations(lease, seen), disturbance)
            self.recorded(lease, answer, tokens)
            self.every_promise_holds()

    def recorded(self, lease: Lease, answer: Any, tokens: list[str]) -> None:
        strange = [t for t in tokens if not self.rows("job_instance", token=t, workflow_id=lease.workflow_id,
                                                      executor=lease.executor)]  # fmt: skip
        if not isinstance(answer, Exception):
            assert {problem.data["token"] for problem in answer.refused} >= {*strange}
            theirs = {*tokens} - {*strange}
            assert sorted(answer.ended) == sorted(t for t in theirs if self.state_of(t) in FINAL_INSTANCES)

    # Workers.

    def start_attempts(self, data: Any, disturbance: str) -> None:
        worker, tokens = data.draw(st.sampled_from(WORKERS)), self.some_tokens(data)
        states = {token: self.state_of(token) for token in tokens}
        answer = self.call(routes.START_ATTEMPTS, StartAttempts(worker, "node1", [*tokens, "j-unknown"]), disturbance)
        *starts, unknown = answer.starts
        assert unknown.work is None
        for start in starts:
            free = states[start.token] in ("SUBMITTING", "SUBMITTED_TO_BATCH_EXECUTOR")
            mine = states[start.token] == "RUNNING" and self.started_by.get(start.token) == worker
            assert (start.work is not None) == (free or mine), (start, states)
            assert bool(start.why) == (start.work is None)
            if start.work is not None:
                assert self.started_by.setdefault(start.token, worker) == worker, "two workers start one command"

    def reported(self, tokens: list[str], worker: str) -> dict[str, bool]:
        """Whether each attempt is this worker's and not final."""
        return {t: self.state_of(t) not in FINAL_INSTANCES and self.started_by.get(t) == worker for t in tokens}

    def mostly_the_winner(self, data: Any, tokens: list[str]) -> str:
        winners = [self.started_by[t] for t in tokens if t in self.started_by]
        return data.draw(st.sampled_from(winners * 4 + WORKERS))

    def finish_attempts(self, data: Any, disturbance: str) -> None:
        reason, tokens = data.draw(reasons), self.some_tokens(data, states=("RUNNING", "CANCELLING"))
        worker = self.mostly_the_winner(data, tokens)
        mine = self.reported(tokens, worker)
        self.succeeding = {t for t in tokens if mine[t]} if reason is None else set()
        reports = [FinishReport(t, reason, 0 if reason is None else 1, result="2", stdout_tail="out") for t in tokens]
        answer = self.call(routes.FINISH_ATTEMPTS, FinishAttempts(worker, reports), disturbance)
        assert answer.superseded == [t for t in tokens if not mine[t]]
        assert all(self.state_of(t) in FINAL_INSTANCES for t in tokens if mine[t])
        if reason is None:
            assert all(self.state_of(t) == "DONE" for t in tokens if mine[t])

    def give_back_attempts(self, data: Any, disturbance: str) -> None:
        tokens = self.some_tokens(data, states=("RUNNING",))
        worker = self.mostly_the_winner(data, tokens)
        mine = self.reported(tokens, worker)
        self.call(routes.GIVE_BACK_ATTEMPTS, GiveBackAttempts(worker, tokens, "the agent ends"), disturbance)
        assert all(self.state_of(t) in ("RETURNED", "CANCELLED") for t in tokens if mine[t])

    # Time and crashes.

    def time_passes(self, data: Any, disturbance: str) -> None:
        self.world.clock.seconds += data.draw(st.sampled_from([0.5, 5.0, 11.0, 31.0, 61.0, 91.0]))

    def the_server_is_killed_and_started_again(self, data: Any, disturbance: str) -> None:
        self.world.restart()
        self.up_since = self.world.clock.seconds
        assert content(self.world.path) == self.now

    # What must hold after every step.

    @invariant()
    def what_is_remembered_is_what_is_stored(self) -> None:
        jobs, attempts = self.world.manager.live.known()
        remembered = {"job": list(jobs.values()), "job_instance": list(attempts.values())}
        for table, records in remembered.items():
            stored = {row["id"]: row for row in self.now[table]}
            for record in records:
                fields = asdict(record)
                assert fields == {name: stored[record.id][name] for name in fields}
                assert record.state not in FINAL_INSTANCES | FINAL_JOBS, f"{record} is final and still remembered"
        assert jobs.keys() == {job.id for job in jobs.values()}
        assert attempts.keys() == {attempt.token for attempt in attempts.values()}

    @invariant()
    def every_promise_holds(self) -> None:
        check(self.now)
        known = {row["id"]: row for row in self.before["job_instance"]}
        for row in self.now["job_instance"]:
            before = known.get(row["id"])
            was_final = before is not None and before["state"] in FINAL_INSTANCES
            if was_final:
                assert row == before, "a final instance has changed"
            elif row["state"] in FINAL_INSTANCES:
                self.charged[row["job_id"]] += row["reason"] in OWN_FAULTS
                assert row["state"] != "DONE" or row["token"] in self.succeeding, "success that nobody spoke of"
        for row in self.now["job"]:
            assert row["charged"] == self.charged[row["id"]], "charged for something else than the task's own faults"
        assert all(row in self.now["job_result"] for row in self.before["job_result"]), "a result has changed"
        self.before, self.succeeding = self.now, set()


TestTablesAndStore = TablesAndStore.TestCase
TestTablesAndStore.settings = settings(
    max_examples=20,
    stateful_step_count=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
