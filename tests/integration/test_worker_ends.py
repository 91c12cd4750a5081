"""Workers whose server goes away, which are told to end their commands, or which are ended themselves."""

import json
import os
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jobmon.managers.outbox import LeftReport
from jobmon.processes import kill_marked, marked
from jobmon.states.reasons import Reason
from jobmon.testing.worker_server import WorkerServer, worker_server
from jobmon.wire import routes
from jobmon.wire.workers import FinishAttempts, FinishReport
from jobmon.worker.build import build_starter

TOKEN = "j" + uuid.uuid4().hex[:26]  # what carries its mark is killed: not that of a parallel run
FINISH = routes.FINISH_ATTEMPTS.path
START = routes.START_ATTEMPTS.path
BEAT = routes.HEARTBEAT.path
GIVE_BACK = routes.GIVE_BACK_ATTEMPTS.path


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_starter(tmp_path_factory.mktemp("shipped"))


@pytest.fixture
def server() -> Iterator[WorkerServer]:
    with worker_server(heartbeat_s=0.1) as server:
        yield server
    kill_marked("JOBMON_ATTEMPT", TOKEN)


class Worker:
    """A worker that runs, and a fifo by which its command says how far it is."""

    def __init__(self, archive: Path, start_file: Path, folder: Path) -> None:
        self._fifo = folder / "fifo"
        if not self._fifo.exists():
            os.mkfifo(self._fifo)
        self._told = os.open(self._fifo, os.O_RDWR)
        argv = [sys.executable, "-I", "-S", str(archive), "run", str(start_file)]
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def says(self) -> str:
        """The next thing that the command says, as soon as it does."""
        ready, _, _ = select.select([self._told], [], [], 20)
        assert ready, "the command said nothing"
        return os.read(self._told, 1000).decode().strip()

    def end(self) -> tuple[int, str]:
        """Status and standard error, once it has ended."""
        _, err = self.process.communicate(timeout=30)
        os.close(self._told)
        return self.process.returncode, err


def test_a_server_that_is_away_at_the_start_is_waited_for(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="echo done")
    file = server.start_file(TOKEN, tmp_path)
    server.shut()
    worker = Worker(archive, file, tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.process.wait(0.3)
    server.listen()
    assert worker.end() == (0, "")
    assert server.reports(TOKEN)[0].stdout_tail == "done\n"


def test_without_its_server_a_worker_ends_unstarted_after_start_wait(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="touch ran")
    file = server.start_file(TOKEN, tmp_path, start_wait_s=0.2)
    server.shut()
    status, err = Worker(archive, file, tmp_path).end()
    assert status == 75
    assert server.url in err
    assert not (tmp_path / "ran").exists()


def test_a_server_that_came_back_elsewhere_is_found_by_its_endpoint_file(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="true")
    endpoint = tmp_path / "endpoint.json"
    endpoint.write_text("{")  # being written
    file = server.start_file(TOKEN, tmp_path, server="http://127.0.0.1:1", endpoint=str(endpoint))
    worker = Worker(archive, file, tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.process.wait(0.3)
    endpoint.write_text(json.dumps({"url": server.url}))
    assert worker.end() == (0, "")


def test_another_server_at_the_address_is_not_believed(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="touch ran")
    file = server.start_file(TOKEN, tmp_path, credential="of another database", start_wait_s=0.2)
    status, err = Worker(archive, file, tmp_path).end()
    assert status == 75
    assert "what listens there does not prove to be the server of this attempt; it was sent no secret" in err
    assert not (tmp_path / "ran").exists()


def test_a_command_that_runs_longer_than_its_worker_may_let_it_is_ended(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="sleep 1000")
    status, _ = Worker(archive, server.start_file(TOKEN, tmp_path, runtime_s=0.1), tmp_path).end()
    [report] = server.reports(TOKEN)
    assert (report.reason, report.signal) == (Reason.TIMEOUT, signal.SIGTERM)
    assert report.detail == "it ran beyond the 0.1 s that it asked for"
    assert status == 128 + signal.SIGTERM


def test_an_outage_while_the_command_runs_changes_nothing(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="echo go > fifo; read x < go; echo done")
    os.mkfifo(tmp_path / "go")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    server.wait_for(BEAT, 2)
    server.shut()
    with pytest.raises(subprocess.TimeoutExpired):
        worker.process.wait(0.3)
    beats = len(server.requests)
    server.listen()
    server.wait_for(BEAT, beats)
    (tmp_path / "go").write_text("x\n")
    assert worker.end() == (0, "")
    assert server.reports(TOKEN)[0].stdout_tail == "done\n"


def test_a_report_that_cannot_be_sent_is_kept_at_once_and_removed_when_it_was_sent(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="echo go > fifo; read x < go; exit 3")
    os.mkfifo(tmp_path / "go")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    server.shut()
    (tmp_path / "go").write_text("x\n")
    assert worker.process.stderr is not None
    assert "kept in" in worker.process.stderr.readline()
    kept = msgspec.json.decode((tmp_path / "outbox" / f"{TOKEN}.json").read_bytes(), type=FinishAttempts)
    server.listen()
    assert worker.end()[0] == 3
    assert server.reports(TOKEN) == kept.reports
    assert not (tmp_path / "outbox" / f"{TOKEN}.json").exists()


def test_a_report_that_the_manager_has_sent_in_the_meantime_is_no_trouble(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="echo go > fifo; read x < go; exit 3")
    os.mkfifo(tmp_path / "go")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    server.shut()
    (tmp_path / "go").write_text("x\n")
    assert worker.process.stderr is not None
    assert "kept in" in worker.process.stderr.readline()
    (tmp_path / "outbox" / f"{TOKEN}.json").unlink()
    server.listen()
    assert worker.end() == (3, "")


def test_a_worker_that_is_ended_while_it_cannot_report_leaves_the_report(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="echo go > fifo; read x < go; exit 3")
    os.mkfifo(tmp_path / "go")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path, report_wait_s=600), tmp_path)
    assert worker.says() == "go"
    server.shut()
    (tmp_path / "go").write_text("x\n")
    assert worker.process.stderr is not None
    assert "kept in" in worker.process.stderr.readline()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.end()[0] == 3
    assert (tmp_path / "outbox" / f"{TOKEN}.json").exists()


@pytest.mark.parametrize("shell", ["echo go > fifo; sleep 600", "setsid -w bash -c 'echo go > fifo; sleep 600'"])
def test_a_command_that_the_server_wants_ended_is_ended_and_cancelled(
    server: WorkerServer, archive: Path, tmp_path: Path, shell: str
) -> None:
    server.give(TOKEN, tmp_path, shell=shell)
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    server.end.add(TOKEN)
    assert worker.end()[0] == 128 + signal.SIGTERM
    [report] = server.reports(TOKEN)
    assert (report.reason, report.signal) == (Reason.CANCELLED, signal.SIGTERM)
    assert list(marked("JOBMON_ATTEMPT", TOKEN)) == []


def test_a_command_that_ignores_its_end_is_killed_after_the_grace(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="trap '' TERM; echo go > fifo; while :; do sleep 600; done")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path, grace_s=0.2), tmp_path)
    assert worker.says() == "go"
    server.end.add(TOKEN)
    assert worker.end()[0] == 128 + signal.SIGKILL
    assert server.reports(TOKEN)[0].reason is Reason.CANCELLED
    assert list(marked("JOBMON_ATTEMPT", TOKEN)) == []


def left_reports(folder: Path) -> list[FinishReport]:
    """What the worker left for the manager instead of reporting it."""
    left = msgspec.json.decode((folder / "outbox" / f"{TOKEN}.json").read_bytes(), type=LeftReport)
    assert left.ended_from_outside
    return left.reports


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU])
def test_signals_reach_the_command(server: WorkerServer, archive: Path, tmp_path: Path, number: int) -> None:
    name = signal.Signals(number).name
    server.give(TOKEN, tmp_path, shell=f"trap 'echo got {name}; exit 4' {name}; echo go > fifo; sleep 600 & wait")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    worker.process.send_signal(number)
    assert worker.end()[0] == 4
    asks_for_the_end = number in (signal.SIGTERM, signal.SIGINT)  # then the report is left for the manager
    [report] = left_reports(tmp_path) if asks_for_the_end else server.reports(TOKEN)
    assert (report.reason, report.exit_status, report.stdout_tail) == (Reason.EXIT_NONZERO, 4, f"got {name}\n")
    assert ("passed it on" in report.detail) == asks_for_the_end


def test_what_a_signal_from_outside_ended_is_left_for_the_manager_who_asks_the_platform_why(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="echo go > fifo; sleep 600")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    worker.process.send_signal(signal.SIGTERM)
    assert worker.end()[0] == 128 + signal.SIGTERM
    [report] = left_reports(tmp_path)
    assert (report.reason, report.signal) == (Reason.SIGNALLED, signal.SIGTERM)
    assert server.reports(TOKEN) == []


@pytest.mark.parametrize("shell", ["echo $$ > fifo; exec sleep 600", "sleep 600 & echo $! > fifo; wait $!"])
def test_a_signal_that_reached_the_command_or_a_part_of_it_first_is_one_from_outside_too(
    server: WorkerServer, archive: Path, tmp_path: Path, shell: str
) -> None:
    server.give(TOKEN, tmp_path, argv=["bash", "-c", shell])
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    end_before_the_worker_looks(worker, int(worker.says()))
    assert worker.end()[0] == 128 + signal.SIGTERM
    assert [report.signal or report.exit_status for report in left_reports(tmp_path)] in ([15], [128 + 15])


def end_before_the_worker_looks(worker: Worker, pid: int) -> None:
    """SIGTERM for the command and its worker, which hears of the signal and of the command's end at once."""
    worker.process.send_signal(signal.SIGSTOP)
    command = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    assert select.select([command], [], [], 60)[0], "the command lives on"
    os.close(command)
    worker.process.send_signal(signal.SIGTERM)
    worker.process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("shell", "status"),
    [
        ("echo $$ > fifo; exec sleep 600", 128 + signal.SIGTERM),
        ("trap 'exit 0' TERM; echo $$ > fifo; while :; do sleep 0.05; done", 1),  # its 0 would be read as success
    ],
)
def test_a_cancelled_command_that_ends_before_its_worker_can_ask_is_cancelled_nevertheless(
    server: WorkerServer, archive: Path, tmp_path: Path, shell: str, status: int
) -> None:
    server.heartbeat_s = 600.0
    server.give(TOKEN, tmp_path, argv=["bash", "-c", shell])
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    pid = int(worker.says())
    server.end.add(TOKEN)
    end_before_the_worker_looks(worker, pid)
    assert worker.end()[0] == status
    assert [report.reason for report in server.reports(TOKEN)] == [Reason.CANCELLED]
    assert not (tmp_path / "outbox").exists()


@pytest.mark.parametrize("shell", ["echo $$ > fifo; exec sleep 600", "sleep 600 & echo $! > fifo; wait $!"])
def test_a_worker_that_is_killed_right_after_its_command_says_nothing(
    server: WorkerServer, archive: Path, tmp_path: Path, shell: str
) -> None:
    server.give(TOKEN, tmp_path, argv=["bash", "-c", shell])
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    command = os.pidfd_open(pid := int(worker.says()))
    os.kill(pid, signal.SIGKILL)
    assert select.select([command], [], [], 10)[0], "the command lives on"
    os.close(command)
    worker.process.kill()
    assert worker.end()[0] == -signal.SIGKILL
    assert server.reports(TOKEN) == []
    assert not (tmp_path / "outbox").exists()


def test_what_a_signal_from_outside_ended_is_reported_where_nothing_can_be_left(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    (tmp_path / "outbox").touch()  # no folder
    server.give(TOKEN, tmp_path, shell="echo go > fifo; sleep 600")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    worker.process.send_signal(signal.SIGTERM)
    assert worker.end()[0] == 128 + signal.SIGTERM
    [report] = server.reports(TOKEN)
    assert (report.reason, report.signal) == (Reason.SIGNALLED, signal.SIGTERM)


def test_a_signal_from_outside_makes_the_worker_ask_whether_it_is_cancelled(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.heartbeat_s = 600.0
    server.give(TOKEN, tmp_path, shell="trap '' TERM; trap 'exit 0' USR1; echo go > fifo; while :; do sleep 0.05; done")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    server.end.add(TOKEN)
    worker.process.send_signal(signal.SIGTERM)
    server.wait_for(BEAT)
    worker.process.send_signal(signal.SIGUSR1)
    assert worker.end()[0] == 1  # its command's 0 would be read as success
    assert server.reports(TOKEN)[0].reason is Reason.CANCELLED


def test_a_command_ends_with_its_worker_even_when_that_is_killed(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, argv=["bash", "-c", "echo $$ > fifo; exec sleep 600"])
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    pid = int(worker.says())
    command = os.pidfd_open(pid)
    worker.process.kill()
    assert worker.end()[0] == -signal.SIGKILL
    assert select.select([command], [], [], 10)[0], "the command lives on"
    os.close(command)
    assert server.reports(TOKEN) == []


def test_without_its_server_for_too_long_a_command_is_ended_as_lost(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.orphan_after_s = 0.4
    server.give(TOKEN, tmp_path, shell="echo go > fifo; sleep 600")
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    assert worker.says() == "go"
    server.shut()
    assert worker.process.stderr is not None
    said = worker.process.stderr.readline()  # before the first try, since the heartbeats had told
    assert "kept in" in said
    assert "did not answer its heartbeats" in said
    server.listen()
    worker.end()
    [report] = server.reports(TOKEN)
    assert (report.reason, report.signal) == (Reason.LOST, signal.SIGTERM)


def test_a_worker_ended_before_its_command_was_started_gives_the_attempt_back(
    server: WorkerServer, archive: Path, tmp_path: Path
) -> None:
    server.give(TOKEN, tmp_path, shell="touch ran")
    server.hold()
    worker = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path)
    server.wait_for(START)
    worker.process.send_signal(signal.SIGTERM)
    server.release()
    assert worker.end()[0] == 75
    assert server.wait_for(GIVE_BACK).tokens == [TOKEN]
    assert not (tmp_path / "ran").exists()
    assert server.reports(TOKEN) == []


def test_a_signal_that_came_before_its_command_was_there_reaches_it() -> None:
    script = """
import os, shutil, signal
from jobmon.worker.signals import Signals
from jobmon.worker.spawn import spawn
signals = Signals()
os.kill(os.getpid(), signal.SIGTERM)
signals.start(lambda: spawn([shutil.which("sleep")], ["sleep", "600"], {}, "/", {}))
print(os.waitstatus_to_exitcode(os.waitpid(signals.group, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{-signal.SIGTERM}\n"


def test_a_superseded_report_is_told(server: WorkerServer, archive: Path, tmp_path: Path) -> None:
    server.give(TOKEN, tmp_path, shell="true")
    server.superseded.add(TOKEN)
    status, err = Worker(archive, server.start_file(TOKEN, tmp_path), tmp_path).end()
    assert status == 0
    assert "given up before" in err
