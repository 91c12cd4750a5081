"""The stand-alone worker as it is shipped, as a real process, against a server's four routes over real HTTP."""

import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jobmon.processes import kill_marked, marked
from jobmon.states.reasons import Reason
from jobmon.testing.worker_server import CREDENTIAL, WorkerServer, worker_server
from jobmon.wire import routes
from jobmon.wire.jobs import Call
from jobmon.wire.workers import FinishAttempts, FinishReport
from jobmon.worker.build import build_starter

TOKEN = "j" + uuid.uuid4().hex[:26]  # what carries its mark is killed: not that of a parallel run
FINISH = routes.FINISH_ATTEMPTS.path
START = routes.START_ATTEMPTS.path
BEAT = routes.HEARTBEAT.path


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_starter(tmp_path_factory.mktemp("shipped"))


@pytest.fixture
def server() -> Iterator[WorkerServer]:
    with worker_server(heartbeat_s=0.1) as server:
        yield server
    kill_marked("JOBMON_ATTEMPT", TOKEN)


def spawn(archive: Path, start_file: Path, **more: object) -> subprocess.Popen[str]:
    argv = [sys.executable, "-I", "-S", str(archive), "run", str(start_file)]
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more)  # type: ignore


def run(archive: Path, start_file: Path, **more: object) -> tuple[int, str]:
    """Status and standard error of a worker that has ended."""
    worker = spawn(archive, start_file, **more)
    _, err = worker.communicate(timeout=30)
    return worker.returncode, err


def report_of(server: WorkerServer, archive: Path, folder: Path, **work: object) -> FinishReport:
    """The one report of a worker that runs the work."""
    server.give(TOKEN, folder, **work)  # type: ignore[arg-type]
    run(archive, server.start_file(TOKEN, folder))
    [report] = server.reports(TOKEN)
    return report


def test_a_command_that_succeeds_is_reported_with_what_it_used(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="echo out; echo err >&2")
    assert run(archive, server.start_file(TOKEN, tmp_path)) == (0, "")
    [report] = server.reports(TOKEN)
    assert (report.reason, report.exit_status, report.signal, report.detail) == (None, 0, None, None)
    assert (report.stdout_tail, report.stderr_tail) == ("out\n", "err\n")
    assert set(report.usage) == {"wall_s", "cpu_s", "max_rss_bytes"}
    assert report.usage["max_rss_bytes"] > 1e6
    assert (tmp_path / "out").read_text() == "out\n"
    assert [path for path, _, _ in server.requests] == [START, FINISH]


def test_a_member_of_an_array_takes_its_place_from_its_index(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="echo mine")
    start_file = server.start_file("unused", tmp_path, members=[["jother", "none"], [TOKEN, CREDENTIAL]])
    argv = [sys.executable, "-I", "-S", str(archive), "run", str(start_file)]
    assert subprocess.run([*argv, "2"], timeout=30, check=False).returncode == 0
    assert [report.stdout_tail for report in server.reports(TOKEN)] == ["mine\n"]
    for index in ("0", "3", "undefined"):
        done = subprocess.run([*argv, index], timeout=30, check=False, capture_output=True, text=True)
        assert done.returncode in (64, 78)
        assert "usage" in done.stderr or "index" in done.stderr
    assert [path for path, _, _ in server.requests] == [START, FINISH]


def test_an_exit_status_is_reported_and_is_the_workers_own(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="exit 3")
    assert run(archive, server.start_file(TOKEN, tmp_path))[0] == 3
    [report] = server.reports(TOKEN)
    assert (report.reason, report.exit_status) == (Reason.EXIT_NONZERO, 3)


def test_a_status_that_the_platform_gives_a_meaning_is_mapped(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="exit 99")
    assert run(archive, server.start_file(TOKEN, tmp_path, exit_map={"99": 1}))[0] == 1
    assert server.reports(TOKEN)[0].exit_status == 99


def test_a_signal_is_reported(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="kill -SEGV $$")
    assert run(archive, server.start_file(TOKEN, tmp_path))[0] == 128 + signal.SIGSEGV
    [report] = server.reports(TOKEN)
    assert (report.reason, report.exit_status, report.signal) == (Reason.SIGNALLED, None, signal.SIGSEGV)


def test_folder_environment_and_signals_are_as_a_command_expects_them(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder\nof é"
    folder.mkdir()
    code = "import os, sys; print(os.getcwdb() == sys.argv[1].encode(), os.getpgid(0) == os.getpid(), \
sorted(os.listdir('/proc/self/fd')), sys.stdin.read() == '')"
    server.give(TOKEN, folder, argv=[sys.executable, "-c", code, str(folder)])
    environment = {"PATH": os.environ["PATH"], "JOBMON_WORKER": TOKEN, "KEPT": "1"}
    run(archive, server.start_file(TOKEN, tmp_path), env=environment)
    # descriptor 3 is the listing's own
    assert server.reports(TOKEN)[0].stdout_tail == "True True ['0', '1', '2', '3'] True\n"

    server.winners.clear()
    server.give(TOKEN, tmp_path, shell="grep -E '^Sig(Blk|Ign)' /proc/self/status")
    run(archive, server.start_file(TOKEN, tmp_path), env=environment)
    masks = dict(line.split(":\t") for line in str(server.reports(TOKEN)[1].stdout_tail).splitlines())
    assert int(masks["SigBlk"], 16) == 0
    # Whoever runs this test may ignore others, which are inherited; these the worker itself or its Python changes.
    changed = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
    assert [number.name for number in changed if int(masks["SigIgn"], 16) >> (number - 1) & 1] == []

    server.winners.clear()
    server.give(TOKEN, tmp_path, argv=["env"], env={"NEW": "x\ny", "KEPT": "2"})
    run(archive, server.start_file(TOKEN, tmp_path), env=environment)
    lines = set((server.reports(TOKEN)[2].stdout_tail or "").splitlines())
    assert lines == {f"PATH={os.environ['PATH']}", "KEPT=2", "NEW=x", "y", f"JOBMON_ATTEMPT={TOKEN}"}


@pytest.mark.parametrize(
    ("work", "status", "words"),
    [
        ({"shell": "no-such-program"}, 127, "no-such-program"),
        ({"shell": "no-such-program | cat; exit ${PIPESTATUS[0]}"}, 127, None),
        ({"argv": ["/etc/passwd"]}, 126, "Permission denied"),
        ({"argv": ["true"], "cwd": "/no/such/folder"}, 127, "/no/such/folder"),
        ({"argv": ["true", "x" * 200_000]}, 126, "Argument list too long"),
        ({"argv": ["true", "a\0b"]}, 126, "null byte"),
    ],
)
def test_what_cannot_be_run_fails_as_in_a_shell_and_says_why(
    server: WorkerServer, archive: Path, tmp_path: Path, work: dict[str, object], status: int, words: str | None
) -> None:
    report = report_of(server, archive, tmp_path, **work)
    assert (report.reason, report.exit_status) == (Reason.EXIT_NONZERO, status)
    if words is not None:
        assert words in str(report.detail)
        assert words in (tmp_path / "err").read_text()


def test_a_script_that_does_not_say_what_runs_it_runs_under_bash(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("echo $0 $1")
    script.chmod(0o755)
    assert report_of(server, archive, tmp_path, shell="./script x").stdout_tail == "./script x\n"


def test_output_files_that_cannot_be_written_are_not_the_tasks_fault(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    report = report_of(server, archive, tmp_path, shell="true", stdout=str(tmp_path / "file" / "out"))
    assert report.reason is Reason.UNKNOWN
    assert re.search(r"^\S+ cannot open the output file \S+/file/out: File exists; .* log_folder", str(report.detail))


def test_a_command_of_1_MB_runs(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    shell = "# " + "é" * 500_000 + '\necho "$BASHPID" is $$; exit 7\n' + "# x\n" * 1000
    report = report_of(server, archive, tmp_path, shell=shell)
    assert report.exit_status == 7
    assert "is" in str(report.stdout_tail)


def test_much_output_neither_hangs_nor_takes_memory(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="true")
    quiet_kb = memory_of_worker(server, archive, tmp_path)
    server.winners.clear()
    server.give(TOKEN, tmp_path, shell=r"head -c 200000000 /dev/zero | tr '\0' '\377'; echo the end")
    loud_kb = memory_of_worker(server, archive, tmp_path)
    report = server.reports(TOKEN)[-1]
    assert (tmp_path / "out").stat().st_size == 200_000_008
    (tmp_path / "out").unlink()
    assert str(report.stdout_tail).endswith("\ufffd\ufffdthe end\n")
    assert len(str(report.stdout_tail).encode()) <= 10_000
    assert loud_kb - quiet_kb < 20_000


def memory_of_worker(server: WorkerServer, archive: Path, tmp_path: Path) -> int:
    """The peak memory of a worker in kB, and of the process that spawned it before its exec: compare two of them."""
    worker = spawn(archive, server.start_file(TOKEN, tmp_path))
    _, _, usage = os.wait4(worker.pid, 0)
    worker.returncode = 0
    if worker.stderr is not None:
        worker.stderr.close()
    return usage.ru_maxrss


def test_children_that_hold_the_output_do_not_hang_it_and_are_ended_with_the_command(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    report = report_of(server, archive, tmp_path, shell="sleep 600 & setsid -f sleep 600; echo done")
    assert (report.reason, report.stdout_tail) == (None, "done\n")
    assert list(marked("JOBMON_ATTEMPT", TOKEN)) == []


def test_a_refused_start_ends_quietly_without_running(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="touch ran")
    server.winners[TOKEN] = "somebody else"
    status, err = run(archive, server.start_file(TOKEN, tmp_path))
    assert status == 77
    assert "another worker" in err
    assert not (tmp_path / "ran").exists()
    assert server.reports(TOKEN) == []


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_request_id(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="echo x >> ran")
    server.fail_next = {START: 2, FINISH: 2}
    assert run(archive, server.start_file(TOKEN, tmp_path))[0] == 0
    assert (tmp_path / "ran").read_text() == "x\n"
    for path in (START, FINISH):
        sent = [(request_id, message) for where, request_id, message in server.requests if where == path]
        assert len(sent) == 3
        assert sent[0] == sent[1] == sent[2]
    assert not (tmp_path / "outbox" / f"{TOKEN}.json").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", None])
def test_a_start_file_that_cannot_be_used_is_told(archive: Path, tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "start"
    if content is not None:
        path.write_text(content)
    status, err = run(archive, path)
    assert status == 78
    assert str(path) in err
    assert "Traceback" not in err


def call_of(folder: Path, source: str, **more: object) -> Call:
    (folder / "mine.py").write_text(source)
    return Call("mine", "work", python=sys.executable, import_paths=[str(folder)], **more)  # type: ignore[arg-type]


def test_a_python_call_answers_with_its_result(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    source = "def work(a, b):\n    print('hello')\n    return {'sum': a + b}\n"
    report = report_of(server, archive, tmp_path, call=call_of(tmp_path, source, args=[1], kwargs={"b": 2}))
    assert (report.reason, report.exit_status, report.stdout_tail) == (None, 0, "hello\n")
    assert msgspec.json.decode(str(report.result)) == {"sum": 3}


def test_a_python_call_does_not_see_the_workers_modules(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    source = "import sys\ndef work():\n    return [p for p in sys.path if p.endswith('.pyz')] + sys.argv\n"
    report = report_of(server, archive, tmp_path, call=call_of(tmp_path, source))
    assert report.result == '["mine"]'


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        ("def work():\n    raise ValueError('no such country')\n", 1, "no such country"),
        ("def work():\n    import sys; sys.exit(5)\n", 5, "exited: 5"),
        ("def work():\n    return {1, 2}\n", 1, "not JSON"),
        ("import no_such_module\n", 1, "no_such_module"),
        ("def work():\n    import os; os._exit(0)\n", 0, "before it had answered"),
        ("def work():\n    import os; os._exit(4)\n", 4, "before it had answered"),
    ],
)
def test_a_python_call_that_fails_says_why(
    server: WorkerServer, archive: Path, tmp_path: Path, source: str, status: int, words: str
) -> None:
    report = report_of(server, archive, tmp_path, call=call_of(tmp_path, source))
    assert (report.reason, report.exit_status, report.result) == (Reason.EXIT_NONZERO, status, None)
    assert words in str(report.detail)


def test_a_report_that_was_kept_is_a_whole_request(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="exit 3")
    server.fail_next = {FINISH: 1000}
    assert run(archive, server.start_file(TOKEN, tmp_path, report_wait_s=0.3))[0] == 3
    kept = msgspec.json.decode((tmp_path / "outbox" / f"{TOKEN}.json").read_bytes(), type=FinishAttempts)
    assert kept == server.wait_for(FINISH)
    assert kept.reports[0].exit_status == 3


def test_an_empty_list_of_arguments_is_a_failure(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    assert report_of(server, archive, tmp_path, argv=[]).exit_status == 126
