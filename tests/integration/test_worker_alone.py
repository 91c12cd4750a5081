"""The worker running a payload without a server, as a real process."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from jobmon.plugins import Call, Command, Reason, Resources, SubmitRequest, ending
from jobmon.processes import kill_marked
from jobmon.testing.context import KitContext

#: Starts the command line that it is given, and ends at once.
_LEAVES = "import subprocess, sys; subprocess.Popen(sys.argv[1:], stdin=0)"


@pytest.fixture
def request_(tmp_path: Path) -> Iterator[SubmitRequest]:
    token = "j" + uuid.uuid4().hex[:26]
    paths = {"stdout": str(tmp_path / "logs" / "out"), "stderr": str(tmp_path / "logs" / "err")}
    yield SubmitRequest(token, f"{token}-x", "x", Resources(), cwd=str(tmp_path), **paths)
    kill_marked("JOBMON_ATTEMPT", token)


def start(folder: Path, request: SubmitRequest, **payload: object) -> "subprocess.Popen[str]":
    argv = KitContext(folder, "kit").payload_argv()
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(attrs.evolve(request, **payload).payload())  # type: ignore[arg-type]
    process.stdin.close()
    process.stdin = None
    return process


def wait_for_line(path: Path) -> None:
    """Until the FIFO has been opened and closed by a writer."""
    path.read_text()


def test_a_command_runs_in_its_folder_and_environment_and_all_is_told(tmp_path: Path, request_: SubmitRequest) -> None:
    shell = "echo $GREETING $PWD; echo err >&2; exit 3"
    process = start(tmp_path, request_, command=Command(shell=shell), environment={"GREETING": "hello"})
    end = ending(process.communicate(timeout=30)[0])
    assert process.returncode == 0
    assert (end.status, end.reason, end.signal, end.host) == (3, Reason.EXIT_NONZERO, None, os.uname().nodename)
    assert (end.stdout_tail, end.stderr_tail) == (f"hello {tmp_path}\n", "err\n")
    assert Path(request_.stdout).read_text() == end.stdout_tail
    assert set(end.usage) == {"wall_s", "cpu_s", "max_rss_bytes"}


def test_the_result_of_a_call_is_told(tmp_path: Path, request_: SubmitRequest) -> None:
    call = Call("json", "loads", args=["[1, null]"], python=sys.executable)
    end = ending(start(tmp_path, request_, call=call).communicate(timeout=30)[0])
    assert (end.reason, end.result) == (None, "[1,null]")


def test_what_cannot_be_started_is_a_failure_with_its_words(tmp_path: Path, request_: SubmitRequest) -> None:
    end = ending(start(tmp_path, request_, command=Command(argv=["no-such-program"])).communicate(timeout=30)[0])
    assert (end.status, end.reason) == (127, Reason.EXIT_NONZERO)
    assert "no-such-program" in (end.detail or "")


@pytest.mark.parametrize(("more", "reason"), [("", Reason.CANCELLED), ("trap 'exit 0' TERM; ", None)])
def test_sigterm_ends_the_command_and_one_that_succeeds_nevertheless_keeps_its_end(
    tmp_path: Path, request_: SubmitRequest, more: str, reason: Reason | None
) -> None:
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    process = start(tmp_path, request_, command=Command(shell=f"{more}: > {ready}; while :; do sleep 0.01; done"))
    wait_for_line(ready)
    process.send_signal(signal.SIGTERM)
    assert ending(process.communicate(timeout=30)[0]).reason is reason


def test_the_command_ends_with_whoever_started_its_runner(tmp_path: Path, request_: SubmitRequest) -> None:
    ready, lives = tmp_path / "ready", tmp_path / "lives"
    for fifo in (ready, lives):
        os.mkfifo(fifo)
    life = os.open(lives, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    payload = attrs.evolve(request_, command=Command(shell=f"exec > {lives}; : > {ready}; sleep 60")).payload()
    argv = [sys.executable, "-c", _LEAVES.replace("Popen", "run"), *KitContext(tmp_path, "kit").payload_argv()]
    starter = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert starter.stdin is not None
    starter.stdin.write(payload)
    starter.stdin.close()
    wait_for_line(ready)
    starter.kill()
    starter.wait()
    os.set_blocking(life, True)
    assert os.read(life, 1) == b""  # which comes when the last process of the command has ended
    os.close(life)


@pytest.mark.parametrize("told", ["", "{", '{"host": "h"}'])
def test_what_a_runner_that_was_killed_wrote_is_no_end(told: str) -> None:
    with pytest.raises(ValueError, match="told no end"):
        ending(told)
