"""`jobmon server` and the commands that ask it, about a workflow with a job that failed."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobmon.cli.app import run
from jobmon.cli.exits import Exit
from jobmon.processes import identify
from jobmon.requester import Requester, connect
from jobmon.states.evidence import Reporting
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.jobs import Command, JobSpec
from jobmon.wire.leases import AcquireLease, ClaimJobs, ExecutorRegistration
from jobmon.wire.runs import BeginRun, BindJobs, OpenRun, QueueJobs, RunContext
from jobmon.wire.workers import FinishAttempts, FinishReport, StartAttempts

ODD_NAME = "odd\nname"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a server in the foreground."""
    folder = tmp_path_factory.mktemp("data")
    process = subprocess.Popen(
        [sys.executable, "-m", "jobmon", "server", "--data", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(f"serving {folder} at http://127.0.0.1:")
    yield folder
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


@pytest.fixture(scope="module")
def log_folder(data: Path) -> Path:
    """A workflow "mixed" with a job that failed and one that waits for it; the folder of its output."""
    logs = data / "logs"
    _run_one_of_two_jobs(connect({"JOBMON_DATA": str(data)}, start=False), logs)
    return logs


def _run_one_of_two_jobs(requester: Requester, logs: Path) -> None:
    opened = requester.call(
        routes.OPEN_RUN,
        OpenRun("mixed", None, 2, RunContext("/", {}, str(logs)), identify()),
    )
    first = opened.first_job_id
    bad = JobSpec(first, "bad", "compute", "d1", command=Command(shell="echo héllo; exit 3"), tags=["fit"])
    after = JobSpec(first + 1, ODD_NAME, "compute", "d2", command=Command(shell="true"), upstream=[first])
    requester.call(routes.BIND_JOBS, BindJobs(opened.run_id, [bad, after]))
    requester.call(routes.BEGIN_RUN, BeginRun(opened.run_id))
    requester.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, [first]))
    registration = ExecutorRegistration("fake", "fake", "1", [0, 1], False, Reporting.WORKER)
    lease = requester.call(
        routes.ACQUIRE_LEASE, AcquireLease(opened.workflow_id, "compute", identify(), registration)
    ).lease
    assert lease is not None
    claim = requester.call(routes.CLAIM_JOBS, ClaimJobs(lease, 10)).claims[0]
    requester.call(routes.START_ATTEMPTS, StartAttempts("node1:1:a", "node1", [claim.token]))
    report = FinishReport(
        claim.token,
        Reason.EXIT_NONZERO,
        3,
        stdout_tail="héllo\n",
        stderr_tail="reading\nno such file: table.csv\n",
        usage={"wall_s": 2.5},
    )
    requester.call(routes.FINISH_ATTEMPTS, FinishAttempts("node1:1:a", [report]))


@pytest.fixture(autouse=True)
def _the_data_folder_in_use(data: Path, log_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("JOBMON_SERVER", "JOBMON_TOKEN", "JOBMON_TOKEN_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("JOBMON_DATA", str(data))


def test_status_of_a_workflow_with_a_failed_job_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "mixed"]) == Exit.FAILED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "mixed (workflow 1, run 1) is RUNNING"
    head, row = lines[1].split(), lines[2].split()
    assert {"executor": "compute", "waiting": "1", "done": "0", "failed": "1"}.items() <= dict(
        zip(head, row, strict=True)
    ).items()


def test_status_without_a_workflow_lists_all_and_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == Exit.OK
    assert "mixed" in [workflow["name"] for workflow in json.loads(capsys.readouterr().out)]


def test_jobs_can_be_chosen_by_state_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "1", "--state", "error_fatal", "--json"]) == Exit.OK
    assert [(j["name"], j["reason"]) for j in json.loads(capsys.readouterr().out)] == [("bad", "EXIT_NONZERO")]


@pytest.mark.parametrize("word", ["failed", "FAILED", "ERROR_FATAL"])
def test_jobs_can_be_chosen_by_the_word_that_status_counts_them_under(
    word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["jobs", "1", "--state", word]) == Exit.OK
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["job", "bad"]


def test_a_word_that_is_no_state_is_a_usage_error_with_all_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "1", "--state", "broken"]) == Exit.USAGE
    assert "failed" in (said := capsys.readouterr().err)
    assert "ERROR_FATAL" in said


def test_jobs_as_json_have_tags_times_host_and_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "mixed", "--json"]) == Exit.OK
    bad, after = json.loads(capsys.readouterr().out)
    assert (bad["tags"], bad["host"], bad["usage"]) == (["fit"], "node1", {"wall_s": 2.5})
    assert bad["submitted_at"] <= bad["started_at"] <= bad["ended_at"]
    assert (after["tags"], after["host"], after["started_at"], after["attempts"]) == ([], None, None, 0)


def test_the_first_jobs_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "mixed", "--limit", "1", "--json"]) == Exit.OK
    assert [job["name"] for job in json.loads(capsys.readouterr().out)] == ["bad"]


def test_a_status_that_does_not_show_every_workflow_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requester = connect({"JOBMON_DATA": str(data)}, start=False)
    for number in range(3):
        requester.call(routes.OPEN_RUN, OpenRun("many", str(number), 0, RunContext("/", {}, "/"), identify()))
    assert run(["status", "--limit", "2", "--json"]) == Exit.OK
    out, err = capsys.readouterr()
    assert [workflow["workflow_args"] for workflow in json.loads(out)] == ["2", "1"]
    assert "the newest 2 workflows" in err
    assert run(["status"]) == Exit.OK
    assert capsys.readouterr().err == ""


def test_a_manager_of_a_workflow_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["manager", "--executor", "dummy", "--workflow", "99999"]) == Exit.REFUSED
    assert "there is no workflow 99999" in capsys.readouterr().err


def test_logs_of_a_failure_that_printed_nothing_say_what_became_of_it_and_how_the_other_stream_ends(
    capfd: pytest.CaptureFixture[str], log_folder: Path
) -> None:
    run(["logs", "mixed", "bad", "--json"])
    path = Path(json.loads(capfd.readouterr().out)[0]["stdout_path"])
    path.parent.mkdir(parents=True)
    path.touch()
    try:
        assert run(["logs", "mixed", "bad"]) == Exit.OK
    finally:
        path.unlink()
        path.parent.rmdir()
    out, err = capfd.readouterr()
    assert out == ""
    assert "is ERROR and wrote nothing to standard output: EXIT_NONZERO" in err
    assert "standard error ends: no such file: table.csv" in err
    assert "--stderr" in err


def test_a_name_with_a_newline_stays_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["jobs", "mixed"]) == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "odd\\nname" in lines[2]


def test_logs_without_the_file_print_the_tail_and_say_where_the_rest_lies(
    capfd: pytest.CaptureFixture[str], log_folder: Path
) -> None:
    assert run(["logs", "mixed", "bad"]) == Exit.OK
    out, err = capfd.readouterr()
    assert out == "héllo\n"
    assert str(log_folder) in err


def test_logs_print_the_whole_file_when_it_is_there(capfdbinary: pytest.CaptureFixture[bytes], data: Path) -> None:
    run(["logs", "mixed", "bad", "--json"])
    path = Path(json.loads(capfdbinary.readouterr().out)[0]["stdout_path"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"all \xff of it")
    try:
        assert run(["logs", "1", "bad"]) == Exit.OK
        assert capfdbinary.readouterr() == (b"all \xff of it", b"")
    finally:
        path.unlink()
        path.parent.rmdir()


def test_logs_into_a_pipe_that_is_closed_end_silently(
    capfd: pytest.CaptureFixture[str], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(["logs", "mixed", "bad", "--json"])
    path = Path(json.loads(capfd.readouterr().out)[0]["stdout_path"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"much\n" * 100_000)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with monkeypatch.context() as patched, os.fdopen(writing, "wb", buffering=0) as closed:
            patched.setattr(sys, "stdout", io.TextIOWrapper(closed))
            assert run(["logs", "1", "bad"]) == Exit.OK
        assert capfd.readouterr() == ("", "")
    finally:
        path.unlink()
        path.parent.rmdir()


def test_a_job_that_has_not_run_has_no_output_and_that_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["logs", "mixed", ODD_NAME]) == Exit.OK
    assert "has no attempt yet: it is waiting (REGISTERED)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["status", "nope"], "there is no workflow 'nope'"),
        (["jobs", "99"], "99"),
        (["logs", "mixed", "nope"], "has no job 'nope'"),
        (["logs", "mixed", "bad", "--attempt", "7"], "has no attempt 7; there are 1"),
    ],
)
def test_what_does_not_exist_is_named_and_exits_with_5(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == Exit.REFUSED
    assert said in capsys.readouterr().err


def test_a_server_that_is_named_and_refuses_the_token_exits_with_3(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JOBMON_SERVER", connect({"JOBMON_DATA": str(data)}, start=False).url)
    monkeypatch.setenv("JOBMON_TOKEN", "wrong")
    assert run(["status"]) == Exit.SERVER
    assert "NotAuthorised" in capsys.readouterr().err
