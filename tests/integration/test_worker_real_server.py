"""The worker against the server itself: what the stand-in of the other tests takes on trust."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jobmon.processes import identify
from jobmon.requester import Requester, connect
from jobmon.states.evidence import Reporting
from jobmon.states.names import JobState
from jobmon.wire import routes
from jobmon.wire.jobs import Call, Command, JobSpec
from jobmon.wire.leases import AcquireLease, Claim, ClaimJobs, ExecutorRegistration
from jobmon.wire.runs import BeginRun, BindJobs, OpenRun, QueueJobs, ReadAttempts, ReadJobs, RunContext
from jobmon.worker.build import build_starter


@pytest.fixture
def requester(tmp_path: Path) -> Iterator[Requester]:
    requester = connect(environ=dict(os.environ) | {"JOBMON_DATA": str(tmp_path / "data")})
    try:
        yield requester
    finally:
        pid = msgspec.json.decode((tmp_path / "data" / "endpoint.json").read_bytes())["pid"]
        server = os.pidfd_open(pid)
        signal.pidfd_send_signal(server, signal.SIGKILL)
        os.close(server)
        requester.stop()


def claims_of(requester: Requester, folder: Path, *payloads: Command | Call) -> tuple[int, list[Claim]]:
    """A workflow with a job for each payload, and its first attempts, as a manager claims them."""
    context = RunContext(str(folder), {"FROM": "context"}, str(folder / "logs"))
    opened = requester.call(routes.OPEN_RUN, OpenRun("w", None, len(payloads), context, identify()))
    specs = []
    for i, payload in enumerate(payloads):
        command, call = (payload, None) if isinstance(payload, Command) else (None, payload)
        specs.append(JobSpec(opened.first_job_id + i, f"job {i}", "uploads", f"{i}", command, call))
    requester.call(routes.BIND_JOBS, BindJobs(opened.run_id, specs))
    requester.call(routes.BEGIN_RUN, BeginRun(opened.run_id))
    requester.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, [spec.job_id for spec in specs]))
    registration = ExecutorRegistration("sequential", "d", "1", [0, 1], True, Reporting.WORKER)
    answer = requester.call(routes.ACQUIRE_LEASE, AcquireLease(opened.workflow_id, "uploads", identify(), registration))
    assert answer.lease is not None
    claimed = requester.call(routes.CLAIM_JOBS, ClaimJobs(answer.lease, 10, 5.0, with_credentials=True))
    return opened.workflow_id, claimed.claims


def run_worker(requester: Requester, folder: Path, claim: Claim, **other: str) -> tuple[int, str]:
    start = {
        "server": requester.url,
        "endpoint": None,
        "token": claim.token,
        "credential": claim.credential,
        "start_wait_s": 2.0,
        "report_wait_s": 5.0,
        "outbox": str(folder / "outbox"),
    }
    path = folder / f"{claim.token}.json"
    path.write_bytes(msgspec.json.encode(start | other))
    argv = [sys.executable, "-I", "-S", str(build_starter(folder)), "run", str(path)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def test_commands_and_calls_are_started_once_and_their_ends_recorded(requester: Requester, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def work(x):\n    return x + 1\n")
    workflow_id, claims = claims_of(
        requester,
        tmp_path,
        Command("echo $FROM"),
        Command("exit 3"),
        Call("mine", "work", args=[1], python=sys.executable, import_paths=[str(tmp_path)]),
    )
    assert [run_worker(requester, tmp_path, claim) for claim in claims] == [(0, ""), (3, ""), (0, "")]
    rows = requester.call(routes.JOBS, ReadJobs(workflow_id)).jobs
    assert [row.state for row in rows] == [JobState.DONE, JobState.ERROR_FATAL, JobState.DONE]
    [first] = requester.call(routes.ATTEMPTS, ReadAttempts(rows[0].job_id)).attempts
    assert (first.stdout_tail, first.exit_status, set(first.usage)) == (
        "context\n",
        0,
        {"wall_s", "cpu_s", "max_rss_bytes"},
    )

    status, err = run_worker(requester, tmp_path, claims[0])
    assert status == 77
    assert "not started" in err


def test_a_credential_of_another_attempt_starts_nothing(requester: Requester, tmp_path: Path) -> None:
    workflow_id, claims = claims_of(requester, tmp_path, Command("touch ran"), Command("true"))
    status, err = run_worker(requester, tmp_path, claims[0], credential=str(claims[1].credential))
    assert status == 75
    assert "not started" in err
    assert not (tmp_path / "ran").exists()
    assert {row.state for row in requester.call(routes.JOBS, ReadJobs(workflow_id)).jobs} == {JobState.INSTANTIATED}
