"""`Executor.run`: a platform's command is over when the command itself has ended, or at its time limit."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from jobmon.plugins import Completed, Executor, SchedulerUnavailable

#: The bound of what must not be waited for.
LONG_S = 60.0


def run(*argv: str, **options: object) -> Completed:
    """The command, by an executor that has not been started."""
    return Executor(None).run(argv, **options)  # type: ignore[arg-type]


def bash(script: str, *arguments: str, **options: object) -> Completed:
    return run("bash", "-c", script, "bash", *arguments, **options)


def test_it_tells_status_and_output() -> None:
    done = bash("echo out; echo err >&2; exit 3")
    assert (done.status, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert not done.ok
    assert not done.timed_out
    with pytest.raises(SchedulerUnavailable, match="bash exited with 3: err"):
        done.check()


def test_what_a_command_leaves_in_the_background_holds_nobody() -> None:
    began = time.monotonic()
    done = bash("sleep 100 & echo $!", timeout_s=LONG_S)
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.ok
    assert time.monotonic() - began < LONG_S / 2


def test_what_the_background_still_writes_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    done = bash('{ read < "$1"; echo late; } & echo early', str(tmp_path / "go"), timeout_s=LONG_S)
    (tmp_path / "go").write_text("\n")
    assert done.stdout == "early\n"


def test_a_command_that_takes_too_long_is_stopped_and_what_it_said_is_kept() -> None:
    done = bash("echo started; exec sleep 100", timeout_s=1.0)
    assert (done.timed_out, done.stdout) == (True, "started\n")
    with pytest.raises(SchedulerUnavailable, match="bash gave no answer in time: started"):
        done.check()


@pytest.mark.parametrize("size", [0, 1, 65_536, 5_000_000])
def test_all_of_the_output_comes_however_long_it_is(size: int) -> None:
    done = run("head", "-c", str(size), "/dev/zero")
    assert done.stdout == "\0" * size


@pytest.mark.parametrize("size", [1, 65_536, 3_000_000])
def test_standard_input_of_any_length_goes_through_while_the_output_comes(size: int) -> None:
    assert run("cat", stdin="x" * size).stdout == "x" * size


def test_input_that_the_command_does_not_read_harms_nothing() -> None:
    assert run("true", stdin="x" * 3_000_000).ok


def test_without_input_it_reads_an_end_at_once() -> None:
    assert run("cat").stdout == ""


def test_its_environment_takes_the_place_of_the_manager_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "1")
    assert bash("echo $MINE").stdout == "1\n"
    assert bash("echo $MINE", environment={"PATH": os.environ["PATH"]}).stdout == "\n"
    assert bash("echo $MINE $MORE", environment={**os.environ, "MORE": "2"}).stdout == "1 2\n"


def test_line_ends_and_bytes_that_are_no_text_are_made_text() -> None:
    assert run("printf", r"a\r\nb\xff\n").stdout == "a\nb�\n"


@pytest.mark.parametrize("argv", [("/no/such/command",), ("/",)])
def test_a_command_that_cannot_be_run_is_a_platform_that_does_not_answer(argv: tuple[str, ...]) -> None:
    with pytest.raises(SchedulerUnavailable, match=f"cannot run {argv[0]}: "):
        run(*argv)


def test_where_nobody_is_told_of_ends_it_is_over_all_the_same() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert run(sys.executable, "-c", "print('said')", timeout_s=LONG_S).stdout == "said\n"
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_it_leaves_neither_threads_nor_descriptors() -> None:
    run("true")
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(20):
        run("true", stdin="x")
        bash("exec sleep 100", timeout_s=0.05)
    assert (threads, files) == (threading.active_count(), len(os.listdir("/proc/self/fd")))  # noqa: PTH208
