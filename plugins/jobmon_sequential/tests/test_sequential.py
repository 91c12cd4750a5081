"""The executor against the process table of this host, with real workers and a stand-in for the server."""

import os
import select
import signal
import sys
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
from jobmon_sequential import executor as module
from jobmon_sequential.executor import Sequential
from jobmon_sequential.identity import from_id, to_id

from jobmon.plugins import (
    Absent,
    Accepted,
    Deferred,
    Exited,
    Found,
    NoSettings,
    Observation,
    Reason,
    Resources,
    Running,
    Submission,
    SubmitRequest,
    Submitted,
    Unknown,
    identify,
    kill_marked,
    marked,
)
from jobmon.testing.worker_server import WorkerServer, worker_server
from jobmon.worker.build import build_worker

TOKEN = "j" + uuid.uuid4().hex[:26]  # what carries its mark is killed: not that of a parallel run
BEAT = "/attempts/heartbeat"


@attrs.define
class Context:
    """A host of the executor."""

    log_folder: Path
    in_process: bool = False
    executor: str = "uploads"
    workflow_id: int = 1
    ran: list[SubmitRequest] = attrs.field(factory=list)

    @property
    def state_folder(self) -> Path:
        return self.log_folder

    def output_path(self, *, token: str, index: str = "") -> Path:
        return self.log_folder / f"{token}.out"

    def report(self, *, observations: Mapping[str, Observation]) -> None:
        raise AssertionError("the workers report")

    def agent_argv(self, *, workers: int) -> tuple[str, ...]:
        raise AssertionError("it needs no agent")

    def run_here(self, *, request: SubmitRequest) -> None:
        self.ran.append(request)


class Host:
    """An executor and the work that it is given."""

    def __init__(self, server: WorkerServer, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.context = Context(folder)
        self.archive = build_worker(folder)
        os.mkfifo(folder / "fifo")
        self._told = os.open(folder / "fifo", os.O_RDWR)
        self.executor = self.new_executor()

    def new_executor(self) -> Sequential:
        """As after a restart of the manager."""
        executor = Sequential(NoSettings())
        executor.start(self.context)
        return executor

    def request(self, shell: str) -> SubmitRequest:
        self.server.give(TOKEN, self.folder, shell=shell)
        file = self.server.start_file(TOKEN, self.folder)
        argv = (sys.executable, "-I", "-S", str(self.archive), "run", str(file))
        return SubmitRequest(TOKEN, f"{TOKEN}-upload", "upload", Resources(), argv)

    def submit(self, shell: str) -> Submitted:
        [(token, outcome)] = self.executor.submit(requests=[self.request(shell)])
        assert isinstance(outcome, Accepted)
        return Submitted(outcome.executor_job_id, token, f"{TOKEN}-upload", datetime.now(UTC))

    def says(self) -> str:
        """The next thing that the command writes to `fifo`."""
        assert select.select([self._told], [], [], 60)[0], "the command said nothing"
        return os.read(self._told, 1000).decode().strip()

    def observe(self, one: Submitted) -> Observation:
        return self.executor.observe(submitted=[one])[TOKEN]

    def worker_said(self) -> str:
        """What the workers wrote to their own log, and left unsent."""
        left = [*self.folder.glob("*.out"), *self.folder.glob("outbox/*.json")]
        return "\n".join(f"{file.name}: {file.read_text()}" for file in left)

    def wait_until_gone(self, one: Submitted) -> None:
        """Until its worker has ended, as a child of this process that nobody has reaped yet."""
        os.waitid(os.P_PID, from_id(one.executor_job_id).pid, os.WEXITED | os.WNOWAIT)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with worker_server(heartbeat_s=0.1) as server:
        yield Host(server, tmp_path)
        for mark in ("JOBMON_WORKER", "JOBMON_ATTEMPT"):
            kill_marked(mark, TOKEN)


def test_a_job_runs_is_seen_running_and_is_gone_afterwards(host: Host) -> None:
    job = host.submit("echo go > fifo; read x < fifo2; exit 3")
    os.mkfifo(host.folder / "fifo2")
    assert host.says() == "go"
    assert host.observe(job) == Running()
    (host.folder / "fifo2").write_text("x\n")
    host.wait_until_gone(job)
    seen = host.observe(job)
    assert isinstance(seen, Exited)
    assert seen.reason is Reason.LOST  # if the worker had not reported; but it had:
    assert host.server.reports(TOKEN)[0].exit_status == 3


def test_what_a_worker_says_itself_is_where_the_host_looks_for_it(host: Host) -> None:
    words = attrs.evolve(host.request("true"), worker_argv=("sh", "-c", "echo no module; echo of that name >&2"))
    [(token, outcome)] = host.executor.submit(requests=[words])
    assert isinstance(outcome, Accepted)
    host.wait_until_gone(Submitted(outcome.executor_job_id, token, f"{TOKEN}-upload", datetime.now(UTC)))
    assert host.context.output_path(token=TOKEN).read_text() == "no module\nof that name\n"


def test_ended_workers_are_reaped(host: Host) -> None:
    job = host.submit("true")
    host.wait_until_gone(job)
    assert isinstance(host.observe(job), Exited)
    assert not Path(f"/proc/{from_id(job.executor_job_id).pid}").exists()


def test_a_worker_leads_a_session_of_its_own_and_its_job_is_adopted(host: Host) -> None:
    job = host.submit("echo go > fifo; sleep 600")
    host.says()
    pid = from_id(job.executor_job_id).pid
    assert os.getsid(pid) == pid
    host.executor.stop()
    host.executor = host.new_executor()
    assert host.observe(job) == Running()


def test_a_running_worker_is_found_by_its_token_and_no_other(host: Host) -> None:
    job = host.submit("echo go > fifo; sleep 600")
    host.says()
    other = "j00000000000000000000000004"
    found = host.executor.find(submissions=[Submission(token, token, datetime.now(UTC)) for token in (TOKEN, other)])
    assert found[TOKEN] == Found(job.executor_job_id)
    assert isinstance(found[other], Absent)


def test_what_a_killed_worker_left_is_killed_before_it_counts_as_gone(host: Host) -> None:
    job = host.submit("(trap '' TERM; setsid sleep 600) & echo go > fifo; wait")
    host.says()
    os.kill(from_id(job.executor_job_id).pid, signal.SIGKILL)
    host.wait_until_gone(job)
    assert list(marked("JOBMON_ATTEMPT", TOKEN)) != []
    seen = host.observe(job)
    assert isinstance(seen, Exited)
    assert seen.reason is Reason.LOST
    assert list(marked("JOBMON_ATTEMPT", TOKEN)) == []


def test_what_a_killed_worker_left_is_killed_before_it_is_absent(host: Host) -> None:
    job = host.submit("setsid sleep 600 & echo go > fifo; wait")
    host.says()
    os.kill(from_id(job.executor_job_id).pid, signal.SIGKILL)
    host.wait_until_gone(job)
    assert isinstance(host.executor.find(submissions=[Submission(TOKEN, TOKEN, datetime.now(UTC))])[TOKEN], Absent)
    assert list(marked("JOBMON_ATTEMPT", TOKEN)) == []


def test_a_cancelled_job_ends_as_cancelled(host: Host) -> None:
    host.server.heartbeat_s = 600.0  # the signal alone must be enough
    job = host.submit("echo go > fifo; sleep 600")
    host.says()
    host.server.end.add(TOKEN)
    host.executor.cancel(submitted=[job])
    host.executor.cancel(submitted=[job])
    host.wait_until_gone(job)
    assert [report.reason for report in host.server.reports(TOKEN)] == [Reason.CANCELLED], host.worker_said()
    assert isinstance(host.observe(job), Exited)
    host.executor.cancel(submitted=[job])  # once more, as the host may


def test_a_job_that_does_not_end_when_told_is_killed_after_a_grace(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GRACE_S", 0.0)
    job = host.submit("trap '' TERM; echo go > fifo; while :; do sleep 600; done")
    host.says()
    host.executor.cancel(submitted=[job])
    assert host.observe(job) == Running()
    host.executor.cancel(submitted=[job])
    host.wait_until_gone(job)
    assert isinstance(host.observe(job), Exited)
    assert list(marked("JOBMON_ATTEMPT", TOKEN)) == []


def test_a_later_process_of_the_same_number_is_another(host: Host) -> None:
    me = identify()
    job = Submitted(to_id(attrs.evolve(me, started=me.started - 1)), TOKEN, TOKEN, datetime.now(UTC))
    host.executor.cancel(submitted=[job])  # or this test would end here
    assert isinstance(host.observe(job), Exited)


def test_a_worker_of_another_host_is_unknown(host: Host) -> None:
    job = Submitted(to_id(attrs.evolve(identify(), host="login2")), TOKEN, TOKEN, datetime.now(UTC))
    assert isinstance(host.observe(job), Unknown)
    host.executor.cancel(submitted=[job])


def test_a_worker_that_cannot_be_started_is_deferred(host: Host) -> None:
    request = attrs.evolve(host.request("true"), worker_argv=("/no/such/python",))
    [(_, outcome)] = host.executor.submit(requests=[request])
    assert isinstance(outcome, Deferred)
    assert "/no/such/python" in outcome.why


def test_with_an_in_process_manager_the_payload_runs_right_there_once_it_is_accepted(host: Host) -> None:
    host.context.in_process = True
    request = host.request("true")
    outcomes = iter(host.executor.submit(requests=[request]))
    token, outcome = next(outcomes)
    assert (token, outcome) == (TOKEN, Accepted(to_id(identify())))
    assert host.context.ran == []
    assert list(outcomes) == []
    assert host.context.ran == [request]
    job = Submitted(to_id(identify()), TOKEN, request.job_name, datetime.now(UTC))
    assert host.observe(job) == Running()
    host.executor.cancel(submitted=[job])  # does not end the manager


def test_it_is_one_at_a_time_for_the_whole_server() -> None:
    assert Sequential.exclusive
    assert Sequential(NoSettings()).running_limit() == 1
