"""Every route of a real server: answered, guarded, and repeated without harm."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import attrs
import msgspec
import pytest
import requests
from messages import EXECUTOR, Begun, acquire, begin, claim, open_run, registration, specs
from msgspec.structs import replace
from serving import embedded

from jobmon.errors import ConfigurationError, InvalidRequest, NotAuthorised, Superseded, WorkflowChanged
from jobmon.processes import identify
from jobmon.requester import Requester
from jobmon.states.evidence import Reporting, Sighting
from jobmon.states.names import InstanceState, JobState, RunState
from jobmon.wire import routes
from jobmon.wire.health import Listen, ReadHealth
from jobmon.wire.jobs import Call
from jobmon.wire.leases import (
    ClaimJobs,
    JobsClaimed,
    Observation,
    Outcome,
    OutcomeKind,
    ReadExecutors,
    ReadInstanceChanges,
    ReadLiveInstances,
    RecordObservations,
    RecordOutcomes,
    ReleaseLease,
    RenewLeases,
    ServeExecutors,
)
from jobmon.wire.problems import Problem
from jobmon.wire.routes import API_HEADER, ROUTES, Access, Route
from jobmon.wire.runs import (
    BeginRun,
    BindJobs,
    FinishRun,
    QueueJobs,
    ReadAttempts,
    ReadBoundJobs,
    ReadChanges,
    ReadHistory,
    ReadJobs,
    ReadResult,
    ReadWorkflow,
    ReadWorkflows,
    StopRun,
)
from jobmon.wire.workers import FinishAttempts, FinishReport, GiveBackAttempts, Heartbeat, StartAttempts

LONG_S = 25.0
WORKER = "node1:1:a"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Requester]:
    with embedded(tmp_path_factory.mktemp("data")) as requester:
        yield requester


@attrs.frozen
class Raw:
    """A request as it stands on the wire."""

    server: Requester

    def post(self, path: str, body: bytes, **headers: str) -> requests.Response:
        given = {"Authorization": f"Bearer {self.server.token}", API_HEADER: "0.1"}
        for name, value in headers.items():
            given[name.replace("_", "-")] = value
        sent = {name: value.encode() for name, value in given.items() if value}
        with requests.Session() as session:
            session.trust_env = False
            return session.post(self.server.url + path, data=body, headers=sent, timeout=30)

    def refused(self, path: str, body: bytes = b"{}", **headers: str) -> Problem:
        response = self.post(path, body, **headers)
        problem = msgspec.json.decode(response.content, type=Problem)
        assert response.status_code == problem.status >= 400
        assert response.headers["content-type"] == "application/problem+json"
        return problem


@pytest.fixture
def raw(server: Requester) -> Raw:
    return Raw(server)


def states(server: Requester, begun: Begun) -> list[JobState]:
    return [row.state for row in server.call(routes.JOBS, ReadJobs(begun.opened.workflow_id)).jobs]


def test_every_route_answers_in_the_life_of_a_workflow(server: Requester) -> None:
    called: set[str] = set()

    class Counting:
        token, url = server.token, server.url

        def call(self, route, message):
            called.add(route.path)
            return server.call(route, message)

    counting = Counting()
    health = counting.call(routes.HEALTH, ReadHealth())
    assert (health.database_id, health.api_version) == (server.database_id, (0, 1))
    with pytest.raises(ConfigurationError, match=r"203\.0\.113\.1 port \d+: Cannot assign requested address"):
        counting.call(routes.LISTEN, Listen("203.0.113.1"))  # no address of this host
    begun = begin(counting, 4, max_attempts=2)
    workflow_id, run_id, ids = begun.opened.workflow_id, begun.opened.run_id, begun.job_ids
    claims = claim(counting, begun, with_credentials=True)
    tokens = [c.token for c in claims]
    assert [(c.job_id, c.name, c.attempt) for c in claims] == [(i, f"t{n}", 1) for n, i in enumerate(ids)]
    renewed = counting.call(routes.RENEW_LEASES, RenewLeases(workflow_id, [begun.lease], {EXECUTOR: "two wait"}))
    assert (renewed.superseded, renewed.needed) == ([], True)
    outcomes = [Outcome(token, OutcomeKind.ACCEPTED, f"p{i}") for i, token in enumerate(tokens)]
    assert counting.call(routes.RECORD_OUTCOMES, RecordOutcomes(begun.lease, outcomes)).ended == []
    live = counting.call(routes.LIVE_INSTANCES, ReadLiveInstances(workflow_id, EXECUTOR)).instances
    assert [(i.token, i.executor_job_id) for i in live] == [(token, f"p{i}") for i, token in enumerate(tokens)]
    starts = counting.call(routes.START_ATTEMPTS, StartAttempts(WORKER, "node1", tokens[:3])).starts
    assert [start.work.env["FROM"] for start in starts if start.work] == ["context"] * 3
    assert counting.call(routes.HEARTBEAT, Heartbeat(WORKER, tokens)).end == [tokens[3]]
    counting.call(routes.GIVE_BACK_ATTEMPTS, GiveBackAttempts(WORKER, tokens[2:3], "the agent ends"))
    reports = [FinishReport(tokens[0], exit_status=0, stdout_tail="hello"), FinishReport(tokens[1], result="[1]")]
    assert counting.call(routes.FINISH_ATTEMPTS, FinishAttempts(WORKER, reports)).superseded == []
    seen = [Observation(tokens[3], Sighting.RUNNING)]
    assert counting.call(routes.RECORD_OBSERVATIONS, RecordObservations(begun.lease, seen)).ended == []
    changes = counting.call(routes.INSTANCE_CHANGES, ReadInstanceChanges(workflow_id, EXECUTOR, 0, server.database_id))
    assert {token: c.state for c in changes.instances for token in c.tokens} == {
        tokens[0]: InstanceState.DONE, tokens[1]: InstanceState.DONE, tokens[2]: InstanceState.RETURNED,
    }  # fmt: skip
    jobs = counting.call(routes.CHANGES, ReadChanges(run_id, workflow_id, 0, server.database_id))
    assert jobs.notes == [f"{EXECUTOR}: two wait"]
    assert {job_id: c.state for c in jobs.jobs for job_id in c.job_ids}[ids[2]] is JobState.QUEUED_FOR_INSTANTIATION
    assert counting.call(routes.RESULT, ReadResult(ids[1])).value == "[1]"
    [attempt] = counting.call(routes.ATTEMPTS, ReadAttempts(ids[0])).attempts
    assert (attempt.stdout_tail, attempt.host, attempt.exit_status) == ("hello", "node1", 0)
    assert [job.digest for job in counting.call(routes.BOUND_JOBS, ReadBoundJobs(workflow_id)).jobs][:2] == ["d0", "d1"]
    counting.call(routes.JOBS, ReadJobs(workflow_id, [JobState.DONE]))
    assert counting.call(routes.STOP_RUN, StopRun(run_id)).state is RunState.STOPPING
    gone = [Observation(tokens[3], Sighting.ABSENT)]
    assert counting.call(routes.RECORD_OBSERVATIONS, RecordObservations(begun.lease, gone)).ended == [tokens[3]]
    assert counting.call(routes.FINISH_RUN, FinishRun(run_id)).state is RunState.STOPPED
    counting.call(routes.RELEASE_LEASE, ReleaseLease(begun.lease))
    assert counting.call(routes.SERVE_EXECUTORS, ServeExecutors(identify(), {"far": registration()})).superseded == []
    assert set(counting.call(routes.EXECUTORS, ReadExecutors()).executors) == {"far"}
    status = counting.call(routes.WORKFLOW, ReadWorkflow(workflow_id))
    assert status.executors[0].states == {"DONE": 2, "CANCELLED": 2}
    assert workflow_id in [w.workflow_id for w in counting.call(routes.WORKFLOWS, ReadWorkflows()).workflows]
    rows = counting.call(routes.HISTORY, ReadHistory(workflow_id)).rows
    assert sorted({row.seq for row in rows}) == list(range(1, rows[-1].seq + 1))
    assert called == set(ROUTES), "this test calls every route there is"


@pytest.mark.parametrize("path", [path for path, route in ROUTES.items() if route.access is not Access.ANYONE])
@pytest.mark.parametrize("given", ["", "Bearer wrong", "Worker 00", "Worker größer", "Bearer"])
def test_no_route_answers_without_the_token(raw: Raw, path: str, given: str) -> None:
    empty = {"tokens": [], "reports": [], "worker_id": "w", "host": "h", "why": ""}
    problem = raw.refused(path, msgspec.json.encode(empty), Authorization=given)
    assert (problem.type, problem.status) == ("NotAuthorised", 401)


def test_health_alone_is_told_to_anyone(raw: Raw) -> None:
    assert raw.post("/health", b"{}", Authorization="", Jobmon_Api="").status_code == 200


def test_the_credential_of_a_worker_covers_its_own_attempt_and_nothing_else(server: Requester, raw: Raw) -> None:
    begun = begin(server, 2)
    mine, other = claim(server, begun, with_credentials=True)
    credential = f"Worker {mine.credential}"

    def body(*tokens: str) -> bytes:
        return msgspec.json.encode(StartAttempts(WORKER, "node1", list(tokens)))

    for tokens in ([other.token], [mine.token, other.token], ["j" + "0" * 26]):
        assert raw.refused("/attempts/start", body(*tokens), Authorization=credential).type == "NotAuthorised"
    for path, route in ROUTES.items():
        if route.access is Access.USER:
            assert raw.refused(path, Authorization=credential).type == "NotAuthorised", path
    assert states(server, begun) == [JobState.INSTANTIATED] * 2
    assert raw.post("/attempts/start", body(mine.token), Authorization=credential).status_code == 200
    assert states(server, begun) == [JobState.RUNNING, JobState.INSTANTIATED]


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("0.1", None),
        ("0.0", None),
        ("0.2", "ServerIncompatible"),
        ("1.0", "ServerIncompatible"),
        ("new", "InvalidRequest"),
        ("", "InvalidRequest"),
    ],
)
def test_another_version_of_the_api_is_told_so(raw: Raw, version: str, kind: str | None) -> None:
    if kind is None:
        assert raw.post("/workflows", b"{}", Jobmon_Api=version).status_code == 200
    else:
        assert raw.refused("/workflows", Jobmon_Api=version).type == kind


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "cannot be read"),
        (b"{", "cannot be read"),
        (b"[]", "Expected `object`"),
        (b"{}", "missing required field `run_id`"),
        (b'{"run_id": "1", "job_ids": []}', "Expected `int`"),
        (b'{"run_id": 1, "job_ids": [1.5]}', "$.job_ids[0]"),
        (b'{"run_id": 999999, "job_ids": []}', "there is no run 999999"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_malformed_message_is_refused_with_what_is_wrong(raw: Raw, body: bytes, words: str) -> None:
    problem = raw.refused("/runs/queue", body)
    assert problem.type == "InvalidRequest"
    assert words in problem.detail


def test_a_number_that_no_database_takes_fails_alone_and_writes_go_on(server: Requester, raw: Raw) -> None:
    for number in (2**63, 2**70):
        body = msgspec.json.encode({"run_id": "N", "job_ids": []}).replace(b'"N"', str(number).encode())
        assert raw.post("/runs/queue", body).status_code >= 400
    assert server.call(routes.OPEN_RUN, open_run()).run_number == 1


def test_a_route_that_is_not_there_and_a_wrong_verb_are_refused(server: Requester, raw: Raw) -> None:
    assert raw.post("/nothing", b"{}").status_code == 404
    with pytest.raises(Exception, match="as no Jobmon server would"):
        server.call(Route("/nothing", ReadHealth, ReadHealth, writes=False), ReadHealth())


def test_a_repeated_request_gets_the_same_answer_and_changes_nothing(server: Requester, raw: Raw) -> None:
    begun = begin(server, 3)
    body = msgspec.json.encode(ClaimJobs(begun.lease, 2))
    first = raw.post("/instances/claim", body, Jobmon_Request_Id="claim-1")
    length = len(server.call(routes.HISTORY, ReadHistory(begun.opened.workflow_id)).rows)
    again = raw.post("/instances/claim", body, Jobmon_Request_Id="claim-1")
    assert again.content == first.content
    assert len(server.call(routes.HISTORY, ReadHistory(begun.opened.workflow_id)).rows) == length
    other = raw.post("/instances/claim", body, Jobmon_Request_Id="claim-2")
    assert msgspec.json.decode(first.content)["claims"][0]["job_id"] == begun.job_ids[0]
    assert [c["job_id"] for c in msgspec.json.decode(other.content)["claims"]] == begun.job_ids[2:]


def test_a_repeated_request_that_found_nothing_at_first_may_find_something(server: Requester, raw: Raw) -> None:
    begun = begin(server, 1)
    assert len(claim(server, begun)) == 1
    body = msgspec.json.encode(ClaimJobs(begun.lease, 1))
    nothing = raw.post("/instances/claim", body, Jobmon_Request_Id="claim-3").content
    assert msgspec.json.decode(nothing, type=JobsClaimed).claims == []
    [live] = server.call(routes.LIVE_INSTANCES, ReadLiveInstances(begun.opened.workflow_id, EXECUTOR)).instances
    server.call(routes.RECORD_OUTCOMES, RecordOutcomes(begun.lease, [Outcome(live.token, OutcomeKind.DEFERRED)]))
    assert raw.post("/instances/claim", body, Jobmon_Request_Id="claim-3").content != b'{"claims":[]}'


def test_attempts_that_ask_for_the_same_are_claimed_as_arrays_and_keep_their_places(server: Requester) -> None:
    begun = begin(server, 5, args="arrays")
    claims = claim(server, begun, array_limit=3)
    places = [one.array for one in claims]
    assert [place and place.index for place in places] == [1, 2, 3, 1, 2]
    assert len({place.token for place in places if place}) == 2
    live = server.call(routes.LIVE_INSTANCES, ReadLiveInstances(begun.opened.workflow_id, EXECUTOR)).instances
    assert [(i.token, i.array) for i in live] == [(one.token, one.array) for one in claims]
    starts = server.call(routes.START_ATTEMPTS, StartAttempts(WORKER, "node1", [claims[0].token])).starts
    assert [start.work is not None for start in starts] == [True]


def test_the_request_id_of_a_refused_message_may_be_used_again(server: Requester, raw: Raw) -> None:
    opened = server.call(routes.OPEN_RUN, open_run())
    body = msgspec.json.encode(BeginRun(opened.run_id))
    assert "0 of its 1 jobs bound" in raw.refused("/runs/begin", body, Jobmon_Request_Id="begin-1").detail
    server.call(routes.BIND_JOBS, BindJobs(opened.run_id, specs(opened, 1)))
    assert raw.post("/runs/begin", body, Jobmon_Request_Id="begin-1").status_code == 200


def test_writes_that_arrive_together_succeed_and_fail_each_by_itself(server: Requester) -> None:
    opened = [server.call(routes.OPEN_RUN, open_run(name=f"g{i}")) for i in range(12)]
    gate = threading.Barrier(12)

    def bind(i: int) -> type:
        gate.wait(30)
        jobs = specs(opened[i], 1) if i % 3 else [replace(specs(opened[i], 1)[0], job_id=10**6)]
        try:
            return type(server.call(routes.BIND_JOBS, BindJobs(opened[i].run_id, jobs)))
        except InvalidRequest as error:
            return type(error)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(bind, range(12)))
    assert [answer is InvalidRequest for answer in answers] == [i % 3 == 0 for i in range(12)]
    for i, run in enumerate(opened):
        assert len(server.call(routes.BOUND_JOBS, ReadBoundJobs(run.workflow_id)).jobs) == (1 if i % 3 else 0)


def test_a_long_poll_for_changes_answers_as_soon_as_something_is_committed(server: Requester) -> None:
    begun = begin(server, 1)
    workflow_id, run_id = begun.opened.workflow_id, begun.opened.run_id
    seq = server.call(routes.HISTORY, ReadHistory(workflow_id)).rows[-1].seq
    with ThreadPoolExecutor(3) as pool:
        waiting = pool.submit(
            server.call, routes.CHANGES, ReadChanges(run_id, workflow_id, seq, server.database_id, LONG_S)
        )
        told = pool.submit(
            server.call,
            routes.INSTANCE_CHANGES,
            ReadInstanceChanges(workflow_id, EXECUTOR, seq, server.database_id, LONG_S),
        )
        [claimed] = claim(server, begun)
        assert [c.state for c in waiting.result(10).jobs] == [JobState.INSTANTIATED]
        server.call(routes.START_ATTEMPTS, StartAttempts(WORKER, "node1", [claimed.token]))
        assert [(c.tokens, c.state) for c in told.result(10).instances] == [([claimed.token], InstanceState.RUNNING)]


def test_a_claim_that_waits_answers_as_soon_as_a_job_is_queued(server: Requester) -> None:
    opened = server.call(routes.OPEN_RUN, open_run(1))
    server.call(routes.BIND_JOBS, BindJobs(opened.run_id, specs(opened, 1)))
    server.call(routes.BEGIN_RUN, BeginRun(opened.run_id))
    lease = acquire(server, opened.workflow_id)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(server.call, routes.CLAIM_JOBS, ClaimJobs(lease, 5, LONG_S))
        server.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, [opened.first_job_id]))
        assert [c.job_id for c in waiting.result(10).claims] == [opened.first_job_id]


def test_the_history_is_read_page_by_page_and_none_of_what_happened_together_is_left_out(server: Requester) -> None:
    begun = begin(server, 5)
    claim(server, begun)
    workflow_id = begun.opened.workflow_id
    whole = server.call(routes.HISTORY, ReadHistory(workflow_id)).rows
    for limit in (1, 3, 6, len(whole), len(whole) + 1):
        rows, since = [], 0
        while page := server.call(routes.HISTORY, ReadHistory(workflow_id, since, limit=limit)).rows:
            rows += page
            since = page[-1].seq
        assert rows == whole
    assert [row.entity_id for row in whole if "Ready" in row.events] == begun.job_ids


def test_a_run_that_is_being_stopped_queues_nothing_more(server: Requester) -> None:
    opened = server.call(routes.OPEN_RUN, open_run(2))
    server.call(routes.BIND_JOBS, BindJobs(opened.run_id, specs(opened, 2)))
    server.call(routes.BEGIN_RUN, BeginRun(opened.run_id))
    server.call(routes.STOP_RUN, StopRun(opened.run_id))
    queued = server.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, [opened.first_job_id]))
    assert queued.state is RunState.STOPPING
    rows = server.call(routes.JOBS, ReadJobs(opened.workflow_id)).jobs
    assert [row.state for row in rows] == [JobState.REGISTERED] * 2


def test_a_cursor_of_another_database_or_ahead_of_this_one_is_told_to_read_all_again(server: Requester) -> None:
    begun = begin(server, 1)
    workflow_id, run_id = begun.opened.workflow_id, begun.opened.run_id
    for since, database in ((0, "another"), (10**6, server.database_id)):
        assert server.call(routes.CHANGES, ReadChanges(run_id, workflow_id, since, database, LONG_S)).reset
        message = ReadInstanceChanges(workflow_id, EXECUTOR, since, database, LONG_S)
        assert server.call(routes.INSTANCE_CHANGES, message).reset


def test_a_superseded_manager_is_refused_and_changes_nothing(server: Requester) -> None:
    begun = begin(server, 1)
    newer = acquire(server, begun.opened.workflow_id)
    assert newer.epoch == begun.lease.epoch + 1
    with pytest.raises(Superseded, match="served by another manager"):
        claim(server, begun)
    renewed = server.call(routes.RENEW_LEASES, RenewLeases(begun.opened.workflow_id, [begun.lease]))
    assert renewed.superseded == [EXECUTOR]
    server.call(routes.RELEASE_LEASE, ReleaseLease(begun.lease))  # of the old one: the new one keeps its own
    assert len(server.call(routes.CLAIM_JOBS, ClaimJobs(newer, 1)).claims) == 1


def test_a_manager_may_not_speak_of_attempts_of_another_executor(server: Requester) -> None:
    begun, other = begin(server, 1), begin(server, 1)
    [claimed] = claim(server, begun)
    outcome = Outcome(claimed.token, OutcomeKind.REJECTED, why="no")
    with pytest.raises(InvalidRequest, match="is no attempt on"):
        server.call(routes.RECORD_OUTCOMES, RecordOutcomes(other.lease, [outcome]))
    assert states(server, begun) == [JobState.INSTANTIATED]


def test_what_a_manager_last_said_of_its_waiting_is_told_until_it_says_something_else(server: Requester) -> None:
    begun = begin(server, 1)
    workflow_id = begun.opened.workflow_id
    server.call(routes.RENEW_LEASES, RenewLeases(workflow_id, [begun.lease], {EXECUTOR: "the queue is closed"}))
    claim(server, begun)
    assert server.call(routes.WORKFLOW, ReadWorkflow(workflow_id)).notes == [f"{EXECUTOR}: the queue is closed"]
    server.call(routes.RENEW_LEASES, RenewLeases(workflow_id, [begun.lease]))
    assert server.call(routes.WORKFLOW, ReadWorkflow(workflow_id)).notes == []


def test_the_platforms_result_of_a_job_that_did_not_succeed_is_not_kept(server: Requester) -> None:
    begun = begin(server, 1, reporting=Reporting.PLATFORM, call=Call("m", "f"))
    [claimed] = claim(server, begun)
    seen = [
        Observation(claimed.token, Sighting.EXITED, "EXIT_NONZERO", executor_job_id="1"),
        Observation(claimed.token, Sighting.EXITED, result="1", executor_job_id="1"),
    ]
    server.call(routes.RECORD_OBSERVATIONS, RecordObservations(begun.lease, seen))
    assert states(server, begun) == [JobState.ERROR_FATAL]
    assert server.call(routes.RESULT, ReadResult(begun.job_ids[0])).value is None


def test_a_result_takes_its_place_among_the_arguments_of_what_lies_downstream(server: Requester) -> None:
    opened = server.call(routes.OPEN_RUN, open_run(2))
    first, second = opened.first_job_id, opened.first_job_id + 1
    calls = [Call("m", "f"), Call("m", "g", [[{"$output": first}]], {"x": {"$output": first}})]
    jobs = [
        replace(spec, command=None, call=call, needs_outputs=i == 1)
        for i, (spec, call) in enumerate(zip(specs(opened, 2), calls, strict=True))
    ]
    server.call(routes.BIND_JOBS, BindJobs(opened.run_id, jobs))
    server.call(routes.BEGIN_RUN, BeginRun(opened.run_id))
    lease = acquire(server, opened.workflow_id)
    for job_id in (first, second):
        server.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, [job_id]))
        [claimed] = server.call(routes.CLAIM_JOBS, ClaimJobs(lease, 1)).claims
        [start] = server.call(routes.START_ATTEMPTS, StartAttempts(WORKER, "node1", [claimed.token])).starts
        server.call(
            routes.FINISH_ATTEMPTS, FinishAttempts(WORKER, [FinishReport(claimed.token, result='{"y": [1, "é"]}')])
        )
    assert start.work is not None
    assert start.work.call == Call("m", "g", [[{"y": [1, "é"]}]], {"x": {"y": [1, "é"]}})


def test_a_resumed_workflow_must_be_the_same_and_takes_up_what_was_being_ended(server: Requester) -> None:
    begun = begin(server, 2, name="resumed", args="1")
    opened = begun.opened
    [claimed, other] = claim(server, begun)
    server.call(routes.START_ATTEMPTS, StartAttempts(WORKER, "node1", [claimed.token]))
    server.call(routes.STOP_RUN, StopRun(opened.run_id))
    message = open_run(2, name="resumed", args="1", resume=True, gone_run=opened.run_id)
    with pytest.raises(WorkflowChanged, match="2 tasks on the server and 3 now"):
        server.call(routes.OPEN_RUN, attrs.evolve(message, n_jobs=3))
    again = server.call(routes.OPEN_RUN, message)
    assert (again.run_number, again.n_bound, again.first_job_id) == (2, 2, opened.first_job_id)
    changed = [replace(spec, digest="other") for spec in specs(again, 2)]
    with pytest.raises(WorkflowChanged, match=r"t0.*t1"):
        server.call(routes.BIND_JOBS, BindJobs(again.run_id, changed))
    server.call(routes.BIND_JOBS, BindJobs(again.run_id, specs(again, 2)))
    server.call(routes.BEGIN_RUN, BeginRun(again.run_id))
    with pytest.raises(Superseded):
        server.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, begun.job_ids))
    gone = [Observation(token, Sighting.ABSENT) for token in (claimed.token, other.token)]
    server.call(routes.RECORD_OBSERVATIONS, RecordObservations(begun.lease, gone))
    assert states(server, begun) == [JobState.QUEUED_FOR_INSTANTIATION] * 2


def test_errors_of_the_server_arrive_as_their_classes(server: Requester) -> None:
    stranger = Requester(server.url, "wrong")
    with pytest.raises(NotAuthorised, match=server.url):
        stranger.call(routes.WORKFLOWS, ReadWorkflows())


def test_a_broken_connection_in_the_middle_of_a_request_harms_nobody(server: Requester) -> None:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(b"POST /runs/open HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    assert server.call(routes.HEALTH, ReadHealth()).database_id == server.database_id


def test_the_identity_of_the_client_is_told_to_whoever_is_refused(server: Requester, raw: Raw) -> None:
    opened = server.call(routes.OPEN_RUN, open_run(1, name="mine", args="x"))
    problem = raw.refused("/runs/open", msgspec.json.encode(open_run(1, name="mine", args="x", resume=True)))
    assert problem.type == "WorkflowActive"
    assert problem.data["run_id"] == opened.run_id
    assert problem.data["client"] == attrs.asdict(identify())
    assert 0 < problem.data["seconds_left"] <= 60
