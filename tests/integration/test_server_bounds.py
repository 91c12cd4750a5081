"""What a real server takes, and what strangers on its port can do to it."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import requests
from messages import CONTEXT, begin, claim, open_run, specs
from msgspec.structs import replace
from serving import embedded

from jobmon.errors import ConfigurationError, InvalidRequest, MessageTooLarge, NotAuthorised
from jobmon.processes import identify
from jobmon.requester import Requester
from jobmon.wire import routes
from jobmon.wire.bounds import MOST_BYTES
from jobmon.wire.health import Listen, ReadHealth
from jobmon.wire.jobs import Call
from jobmon.wire.leases import ClaimJobs
from jobmon.wire.runs import BindJobs, OpenRun, ReadWorkflow, RunContext
from jobmon.wire.workers import FinishAttempts, FinishReport, StartAttempts


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Requester]:
    with embedded(tmp_path_factory.mktemp("data")) as requester:
        yield requester
        assert requester.data_folder is not None
        assert "Traceback" not in (requester.data_folder / "server.log").read_text()


def post(
    server: Requester, path: str, body: bytes, *, authorization: str = "", request_id: str = ""
) -> requests.Response:
    headers = {"Authorization": authorization or f"Bearer {server.token}", "Jobmon-Api": "0.1"}
    headers |= {"Jobmon-Request-Id": request_id} if request_id else {}
    return requests.post(server.url + path, data=body, headers=headers, timeout=30, proxies={"http": ""})


def open_with(**fields: object) -> bytes:
    good = msgspec.to_builtins(OpenRun("w", None, 1, CONTEXT, identify()))
    return msgspec.json.encode(good | fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"n_jobs": 2**53},
        {"n_jobs": 2**63 - 1},
        {"n_jobs": -1},
        {"gone_run": -1},
        {"name": "n" * 1001},
        {"client": {"host": "h", "boot_id": "b", "pid": 2**40, "started": 1}},
    ],
)
def test_a_run_with_numbers_or_names_out_of_bounds_is_refused_and_the_next_one_is_opened(
    server: Requester, fields: dict[str, object]
) -> None:
    refused = post(server, "/runs/open", open_with(**fields))
    assert (refused.status_code, refused.json()["type"]) == (400, "InvalidRequest")
    assert server.call(routes.OPEN_RUN, open_run(3)).run_number == 1


@pytest.mark.parametrize("max_attempts", [-5, 0, 2**31])
def test_a_number_of_attempts_out_of_bounds_is_refused(server: Requester, max_attempts: int) -> None:
    opened = server.call(routes.OPEN_RUN, open_run(1))
    with pytest.raises(InvalidRequest, match="max_attempts"):
        server.call(routes.BIND_JOBS, BindJobs(opened.run_id, specs(opened, 1, max_attempts=max_attempts)))


@pytest.mark.parametrize("reference", [2**53, 2**63 - 1, 2**63, -1, 0, True])
def test_a_reference_to_a_job_that_cannot_be_is_no_failure_of_the_server(server: Requester, reference: int) -> None:
    call = Call("m", "f", [{"$output": reference}])
    begun = begin(server, 1, call=call, needs_outputs=True)
    [claimed] = claim(server, begun)
    [start] = server.call(routes.START_ATTEMPTS, StartAttempts("h:1:x", "h", [claimed.token])).starts
    assert start.work is not None


def test_arguments_that_are_nested_too_deep_are_refused_when_they_are_bound(server: Requester) -> None:
    deep: list[object] = []
    for _ in range(300):
        deep = [deep]
    opened = server.call(routes.OPEN_RUN, open_run(1))
    spec = replace(specs(opened, 1)[0], command=None, call=Call("m", "f", deep))
    with pytest.raises(InvalidRequest, match="nested"):
        server.call(routes.BIND_JOBS, BindJobs(opened.run_id, [spec]))


@pytest.mark.parametrize("host", ["\0", "a" * 64, "a..b", "é" * 300])
def test_what_is_no_name_of_a_host_is_refused_as_an_address_to_listen_at(server: Requester, host: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot listen"):
        server.call(routes.LISTEN, Listen(host))


def test_an_answer_is_kept_for_its_own_route_message_and_caller(server: Requester) -> None:
    begun = begin(server, 4)
    first = post(server, "/instances/claim", msgspec.json.encode(ClaimJobs(begun.lease, 1)), request_id="one")
    again = post(server, "/instances/claim", msgspec.json.encode(ClaimJobs(begun.lease, 1)), request_id="one")
    other = post(server, "/instances/claim", msgspec.json.encode(ClaimJobs(begun.lease, 2)), request_id="one")
    opened = post(server, "/runs/open", open_with(), request_id="one")
    assert first.content == again.content
    tokens = [[one["token"] for one in answer.json()["claims"]] for answer in (first, other)]
    assert len({*tokens[0], *tokens[1]}) == 3
    assert opened.json()["run_number"] == 1


def test_a_worker_cannot_fetch_by_its_request_id_what_another_was_answered(server: Requester) -> None:
    begun = begin(server, 2)
    mine, other = claim(server, begun, with_credentials=True)
    body = msgspec.json.encode(StartAttempts("h:1:x", "h", [mine.token]))
    told = post(server, "/attempts/start", body, authorization=f"Worker {mine.credential}", request_id="same")
    assert told.json()["starts"][0]["work"] is not None
    theirs = post(server, "/attempts/start", body, authorization=f"Worker {other.credential}", request_id="same")
    assert theirs.status_code == 401
    by_user = post(server, "/attempts/start", body.replace(b"h:1:x", b"h:2:y"), request_id="same")
    assert by_user.json()["starts"][0]["work"] is None


def test_a_workers_credential_bounds_what_it_may_store(server: Requester) -> None:
    [claimed] = claim(server, begin(server, 1), with_credentials=True)
    server.call(routes.START_ATTEMPTS, StartAttempts("h:1:x", "h", [claimed.token]))
    credential = f"Worker {claimed.credential}"
    for report in (
        FinishReport(claimed.token, result='"' + "x" * (2 << 20) + '"'),
        FinishReport(claimed.token, stdout_tail="x" * 200_000),
        FinishReport(claimed.token, usage={str(n): 1.0 for n in range(1_000)}),
        FinishReport(claimed.token, exit_status=2**40),
    ):
        body = msgspec.json.encode(FinishAttempts("h:1:x", [report]))
        assert post(server, "/attempts/finish", body, authorization=credential).status_code in (400, 413)
    body = msgspec.json.encode(FinishAttempts("h:1:x", [FinishReport(claimed.token)]))
    assert post(server, "/attempts/finish", body, authorization=credential).status_code == 200


def test_a_workers_credential_bounds_how_often_it_may_write_but_not_how_often_it_may_repeat(server: Requester) -> None:
    mine, other = claim(server, begin(server, 2), with_credentials=True)
    body = msgspec.json.encode(StartAttempts("h:1:x", "h", [mine.token]))

    def start(request_id: str) -> int:
        return post(
            server, "/attempts/start", body, authorization=f"Worker {mine.credential}", request_id=request_id
        ).status_code

    assert {start("again") for _ in range(100)} == {200}
    assert [start(f"id{n}") for n in range(60)] == [200] * 49 + [400] * 11
    assert start("again") == 200
    theirs = msgspec.json.encode(StartAttempts("h:1:x", "h", [other.token]))
    assert post(server, "/attempts/start", theirs, authorization=f"Worker {other.credential}").status_code == 200


def test_a_message_that_is_too_large_is_refused_before_it_is_sent(server: Requester) -> None:
    context = RunContext("/", {"LARGE": "x" * MOST_BYTES}, "/logs")
    with pytest.raises(MessageTooLarge, match="/runs/open"):
        server.call(routes.OPEN_RUN, OpenRun("w", None, 1, context, identify()))


def test_a_stranger_who_sends_much_is_told_so_and_waits_for_nobody(server: Requester) -> None:
    body = b'{"worker_id":"w","host":"h","tokens":[' + b'"' + b"x" * 20 + b'",' * 180_000 + b'""]}'
    for authorization in ("Bearer wrong", f"Worker {'j' * 27}.00", "Worker"):
        answer = post(server, "/attempts/start", body, authorization=authorization)
        assert (answer.status_code, answer.json()["type"]) == (401, "NotAuthorised")


def test_many_strangers_with_large_messages_and_garbage_hold_up_no_call_of_the_user(server: Requester) -> None:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    stop = threading.Event()
    sendings = [
        b"POST /attempts/start HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n" + b"[" * 200_000,
        b"POST /health HTTP/1.1\r\n" + b"X: y\r\n" * 10_000,
        b"\xff" * 100_000,
        b"POST /attempts/finish HTTP/1.1\r\nAuthorization: Worker x.y\r\nContent-Length: 10\r\n\r\n",
        b"POST /heal",
    ]

    def disturb(number: int) -> None:
        while not stop.is_set():
            try:
                with socket.create_connection((host, int(port)), 10) as connection:
                    connection.settimeout(0.05 if number % 5 == 4 else 10)
                    connection.sendall(sendings[number % 5])
                    connection.recv(1 << 16)
            except OSError:
                continue  # that is what it is for

    with ThreadPoolExecutor(20) as strangers:
        for number in range(20):
            strangers.submit(disturb, number)
        try:
            opened = server.call(routes.OPEN_RUN, open_run(1))
            took = []
            for _ in range(50):
                began = time.monotonic()
                server.call(routes.HEALTH, ReadHealth())
                server.call(routes.WORKFLOW, ReadWorkflow(opened.workflow_id))
                took.append(time.monotonic() - began)
        finally:
            stop.set()
    assert sorted(took)[len(took) // 2] < 2.0  # it is milliseconds; the strangers' threads are this process's own
    with pytest.raises(NotAuthorised):
        Requester(server.url, "wrong").call(routes.WORKFLOW, ReadWorkflow(opened.workflow_id))
