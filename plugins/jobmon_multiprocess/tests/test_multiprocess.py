"""The executor with a real agent, against a stand-in for the server's worker routes."""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jobmon_multiprocess import Multiprocess, Settings

from jobmon.plugins import (
    Absent,
    Accepted,
    Call,
    Deferred,
    Exited,
    Found,
    Observation,
    Pending,
    Reason,
    Resources,
    Running,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
)
from jobmon.processes import start_ticks
from jobmon.testing.worker_server import USER_TOKEN, WorkerServer, worker_server


class Context:
    """What the host would give the executor."""

    executor = "compute"
    workflow_id = 1
    in_process = False

    def __init__(self, folder: Path) -> None:
        self.state_folder = folder / ("a long name " * 10) / "state"
        self.log_folder = folder

    def report(self, *, observations: Mapping[str, Observation]) -> None:
        raise AssertionError("not used")

    def agent_argv(self, *, workers: int) -> tuple[str, ...]:
        return (sys.executable, "-m", "jobmon.agent", "--state", str(self.state_folder), "--workers", str(workers))

    def run_here(self, *, request: SubmitRequest) -> None:
        raise AssertionError("not used")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WorkerServer]:
    with worker_server() as running:
        monkeypatch.setenv("JOBMON_SERVER", running.url)
        monkeypatch.setenv("JOBMON_TOKEN", USER_TOKEN)
        yield running


@pytest.fixture
def make(server: WorkerServer, tmp_path: Path) -> Iterator[Callable[[], Multiprocess]]:
    """Makes executors of one folder; their agent is ended after the test."""
    context = Context(tmp_path)
    made = []

    def new() -> Multiprocess:
        executor = Multiprocess(Settings(workers=2))
        executor.start(context)
        made.append(executor)
        return executor

    yield new
    for executor in made:
        process = executor._agent._process if executor._agent is not None else None
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait(30)
        executor.stop()


class Lines:
    """What tasks tell the test, through a FIFO."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CLOEXEC), "r+b", buffering=0)

    def pid(self) -> int:
        return int(self._file.readline())


@pytest.fixture
def told(tmp_path: Path) -> Lines:
    return Lines(tmp_path / "fifo")


def request(token: str) -> SubmitRequest:
    return SubmitRequest(token, f"{token}-name", "name", Resources())


def submit(executor: Multiprocess, *tokens: str) -> list[Submitted]:
    outcomes = dict(executor.submit(requests=[request(token) for token in tokens]))
    ids = {token: outcome.executor_job_id for token, outcome in outcomes.items() if isinstance(outcome, Accepted)}
    assert list(ids) == list(tokens)
    return [Submitted(ids[token], token, f"{token}-name", datetime.now(UTC)) for token in tokens]


def test_jobs_run_and_the_server_hears_of_their_end_from_the_agent(
    make: Callable[[], Multiprocess], server: WorkerServer, tmp_path: Path
) -> None:
    executor = make()
    for n in range(5):
        server.give(f"t{n}", tmp_path, shell="echo $JOBMON_ATTEMPT", stdout=str(tmp_path / f"{n}"))
    submit(executor, *(f"t{n}" for n in range(5)))
    for n in range(5):
        assert server.wait_for_report(f"t{n}").stdout_tail == f"t{n}\n"


def test_what_waits_is_pending_and_what_runs_is_running(
    make: Callable[[], Multiprocess], server: WorkerServer, tmp_path: Path, told: Lines
) -> None:
    executor = make()
    for n in range(3):
        server.give(f"t{n}", tmp_path, shell=f"echo $$ > {told.path}; sleep 1000", stdout=str(tmp_path / f"{n}"))
    submitted = submit(executor, "t0", "t1", "t2")
    told.pid(), told.pid()
    seen = executor.observe(submitted=submitted)
    assert seen == {"t0": Running(), "t1": Running(), "t2": Pending("waits for a free worker")}


def test_a_manager_that_comes_back_finds_its_jobs_running(
    make: Callable[[], Multiprocess], server: WorkerServer, tmp_path: Path, told: Lines
) -> None:
    first = make()
    server.give("t1", tmp_path, shell=f"echo $$ > {told.path}; sleep 1000")
    submitted = submit(first, "t1")
    told.pid()
    first.stop()
    second = make()
    assert second.observe(submitted=submitted) == {"t1": Running()}
    found = second.find(submissions=[Submission(token, token, datetime.now(UTC)) for token in ("t1", "t2")])
    assert found["t1"] == Found(submitted[0].executor_job_id)
    assert isinstance(found["t2"], Absent)


def test_cancelled_jobs_end(
    make: Callable[[], Multiprocess], server: WorkerServer, tmp_path: Path, told: Lines
) -> None:
    executor = make()
    for n in range(9):
        server.give(f"t{n}", tmp_path, shell=f"echo $$ > {told.path}; sleep 1000", stdout=str(tmp_path / f"{n}"))
    submitted = submit(executor, *(f"t{n}" for n in range(9)))
    told.pid(), told.pid()
    executor.cancel(submitted=submitted)
    assert server.wait_for_report("t0").reason is Reason.CANCELLED
    assert server.wait_for_report("t1").reason is Reason.CANCELLED
    assert isinstance(executor.observe(submitted=submitted)["t8"], Absent)


def test_jobs_of_an_agent_that_died_are_lost_only_when_they_are_dead(
    make: Callable[[], Multiprocess], server: WorkerServer, tmp_path: Path, told: Lines
) -> None:
    executor = make()
    server.give("t1", tmp_path, shell=f"setsid bash -c 'echo $$ > {told.path}; exec sleep 1000' & wait")
    submitted = submit(executor, "t1")
    orphan = told.pid()
    assert executor._agent is not None
    assert executor._agent._process is not None
    os.kill(executor._agent._process.pid, signal.SIGKILL)
    seen: Observation = Running()
    while seen == Running():  # the other half of the agent may still answer while it ends what runs
        try:
            seen = executor.observe(submitted=submitted)["t1"]
        except SchedulerUnavailable:
            continue
    assert start_ticks(orphan) is None  # gone, or a zombie that the host's first process has yet to collect
    assert isinstance(seen, Exited)
    assert seen.reason is Reason.LOST
    assert "the agent that ran it died" in (seen.detail or "")
    assert isinstance(executor.find(submissions=[Submission("t1", "t1", datetime.now(UTC))])["t1"], Absent)


@pytest.fixture
def another_run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Changes what this process would hand down to what it starts."""
    umask, limits = os.umask(0o022), resource.getrlimit(resource.RLIMIT_NOFILE)

    def change() -> None:
        monkeypatch.setenv("ANIMAL", "st\udcffork")
        os.umask(0o037)
        resource.setrlimit(resource.RLIMIT_NOFILE, (500, limits[1]))

    yield change
    os.umask(umask)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


LOOK = "echo $ANIMAL; umask; ulimit -Sn"
LOOK_IN_A_CALL = Call("subprocess", "run", [["bash", "-c", LOOK]], python=sys.executable)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_what_a_run_starts_has_its_surroundings_whichever_run_started_the_agent(
    make: Callable[[], Multiprocess],
    server: WorkerServer,
    tmp_path: Path,
    told: Lines,
    another_run: Callable[[], None],
    busy: bool,
) -> None:
    first = make()
    server.give("call before", tmp_path, call=LOOK_IN_A_CALL)
    before = submit(first, "call before")
    assert "0022" in (server.wait_for_report("call before").stdout_tail or "")
    while first.observe(submitted=before) == {"call before": Running()}:
        pass
    if busy:
        server.give("runs", tmp_path, shell=f"echo $$ > {told.path}; sleep 1000")
        submitted = submit(first, "runs")
        told.pid()
    first.stop()
    another_run()
    second = make()
    server.give("command", tmp_path, shell=LOOK, stdout=str(tmp_path / "1"))
    server.give("call", tmp_path, call=LOOK_IN_A_CALL, stdout=str(tmp_path / "2"))
    submit(second, "command", "call")
    for token in ("command", "call"):
        server.wait_for_report(token)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes() == b"st\xffork\n0037\n500\n"
    assert (tmp_path / "1").stat().st_mode & 0o777 == 0o640
    if busy:
        assert second.observe(submitted=submitted) == {"runs": Running()}


def test_an_agent_that_keeps_dying_is_spoken_of_and_what_waited_goes_on_waiting(
    make: Callable[[], Multiprocess], server: WorkerServer, tmp_path: Path
) -> None:
    executor = make()
    server.shut()  # nothing begins
    submitted = submit(executor, "t1")
    for _ in range(3):
        assert executor._agent is not None
        assert executor._agent._process is not None
        assert isinstance(executor.observe(submitted=submitted)["t1"], Pending)
        executor._agent._process.kill()
        executor._agent._process.wait()
        seen = None
        while seen is None:
            try:
                seen = executor.observe(submitted=submitted)["t1"]
            except SchedulerUnavailable:
                continue
    assert isinstance(seen, Pending)
    assert "its agent died 3 times within 10 minutes, the last time by signal 9" in (seen.why or "")


def test_a_manager_without_descriptors_puts_off_and_says_so(
    make: Callable[[], Multiprocess], server: WorkerServer
) -> None:
    executor = make()
    executor.stop()  # its connection is gone
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        outcome = dict(executor.submit(requests=[request("t1")]))["t1"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert isinstance(outcome, Deferred)
    assert "Too many open files" in outcome.why
    submit(executor, "t1")


def test_submitting_again_what_the_agent_has_changes_nothing(
    make: Callable[[], Multiprocess], server: WorkerServer, tmp_path: Path
) -> None:
    executor = make()
    server.give("t1", tmp_path, shell="echo once >> count")
    assert submit(executor, "t1")[0].executor_job_id == submit(executor, "t1")[0].executor_job_id
    server.wait_for_report("t1")
    assert (tmp_path / "count").read_text() == "once\n"


def test_an_agent_that_cannot_be_started_defers_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(tmp_path)
    monkeypatch.setattr(context, "agent_argv", lambda *, workers: (sys.executable, "-c", "raise SystemExit('no room')"))
    executor = Multiprocess(Settings(workers=1))
    with pytest.raises(SchedulerUnavailable, match="no room"):
        executor.start(context)
    outcome = dict(executor.submit(requests=[request("t1")]))["t1"]
    assert isinstance(outcome, Deferred)
    assert "no room" in outcome.why
    with pytest.raises(SchedulerUnavailable, match="no room"):
        executor.observe(submitted=[])


def test_workers_are_the_usable_cores_and_at_least_one() -> None:
    assert Settings().workers == len(os.sched_getaffinity(0))
    with pytest.raises(ValueError, match="must be >= 1"):
        Settings(workers=0)


def test_there_is_always_a_backlog_for_the_agent() -> None:
    assert Multiprocess(Settings(workers=2)).running_limit() == 1002
    assert Multiprocess(Settings(workers=400)).running_limit() == 1600
