"""The agent as a process: real commands and calls against a stand-in for the server's worker routes."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobmon.agent.descendants import descendants
from jobmon.processes import start_ticks
from jobmon.states.reasons import Reason
from jobmon.testing.worker_server import USER_TOKEN, WorkerServer, worker_server
from jobmon.wire.jobs import Call
from jobmon.wire.workers import FinishReport


class AgentProcess:
    """An agent and one client of it."""

    def __init__(self, server: WorkerServer, state: Path, *options: str) -> None:
        environ = {**os.environ, "JOBMON_SERVER": server.url, "JOBMON_TOKEN": USER_TOKEN}
        argv = [sys.executable, "-m", "jobmon.agent", "--state", str(state), "--workers", "2", *options]
        self.server = server
        self.state = state
        self.log = state.with_suffix(".log")
        with self.log.open("ab") as log:
            self.keeper = subprocess.Popen(
                argv, env=environ, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        assert self.keeper.stdout is not None
        self.ready = self.keeper.stdout.readline()
        self.keeper.stdout.close()
        self.spawner = min(descendants(self.keeper.pid), default=0)
        self.channel = socket.socket(socket.AF_UNIX)
        fd = os.open(state, os.O_PATH)
        self.channel.connect(f"/proc/self/fd/{fd}/agent.sock")
        os.close(fd)
        self.lines = self.channel.makefile("rb")

    def ask(self, **question: Any) -> dict[str, Any]:
        self.channel.sendall(json.dumps(question).encode() + b"\n")
        reply: dict[str, Any] = json.loads(self.lines.readline())
        return reply

    def submit(self, *tokens: str, **more: Any) -> None:
        orders = [{"token": token, **more} for token in tokens]
        assert self.ask(submit=orders)["accepted"] == list(tokens)

    def report(self, token: str) -> FinishReport:
        """The report of a token, once it has come."""
        return self.server.wait_for_report(token)

    def hang_up(self) -> None:
        self.lines.close()
        self.channel.close()

    def end(self) -> None:
        self.hang_up()
        if self.keeper.poll() is None:
            self.keeper.terminate()
        self.keeper.wait(30)


@pytest.fixture
def server() -> Iterator[WorkerServer]:
    with worker_server() as running:
        yield running


@pytest.fixture
def agent(server: WorkerServer, tmp_path: Path) -> Iterator[AgentProcess]:
    running = AgentProcess(server, tmp_path / "state", "--grace-s", "0.3")
    yield running
    running.end()


def wait_gone(*pids: int) -> None:
    """Return when none of the processes lives."""
    for pid in pids:
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        if start_ticks(pid) is not None:
            assert select.select([fd], [], [], 20)[0], f"process {pid} lives"
        os.close(fd)


class Fifo:
    """Lines between tasks and a test. It is held open for both, so that nobody meets an end of file."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CLOEXEC), "r+b", buffering=0)

    def pids(self, count: int = 1) -> list[int]:
        """Process ids that tasks wrote: blocks until they are there."""
        return [int(self._file.readline()) for _ in range(count)]

    def let_go(self, count: int = 1) -> None:
        """Let so many tasks read a line."""
        self._file.write(b"go\n" * count)

    def __str__(self) -> str:
        return str(self.path)


@pytest.fixture
def fifo(tmp_path: Path) -> Fifo:
    return Fifo(tmp_path / "fifo")


@pytest.fixture
def gate(tmp_path: Path) -> Fifo:
    return Fifo(tmp_path / "gate")


def test_a_command_runs_in_its_folder_with_its_environment_and_its_output_in_its_files(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    shell = "pwd; echo $ANIMAL >&2; echo token=$JOBMON_ATTEMPT; exit 3"
    work = server.give("t1", place, shell=shell, env={"ANIMAL": "stork"}, stdout=str(tmp_path / "a" / "b" / "1.out"))
    agent.submit("t1")
    report = agent.report("t1")
    assert (report.reason, report.exit_status, report.detail) == (Reason.EXIT_NONZERO, 3, "exit status 3")
    assert report.stdout_tail == f"{place}\ntoken=t1\n" == Path(work.stdout).read_text()
    assert report.stderr_tail == "stork\n"
    assert report.usage["wall_s"] >= 0


def test_success_has_no_reason_and_silence_no_tail(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    server.give("t1", tmp_path, shell="true")
    server.give("t2", tmp_path, argv=["true"])
    agent.submit("t1", "t2")
    for token in ("t1", "t2"):
        report = agent.report(token)
        assert (report.reason, report.exit_status, report.signal) == (None, 0, None)
        assert (report.stdout_tail, report.stderr_tail, report.detail) == (None, None, None)


def test_the_users_secret_does_not_reach_the_command(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    server.give("t1", tmp_path, shell="env")
    agent.submit("t1")
    text = agent.report("t1").stdout_tail or ""
    assert "JOBMON_ATTEMPT=t1\n" in text
    assert USER_TOKEN not in text


def test_a_command_ended_by_a_signal_is_told_as_that(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    server.give("t1", tmp_path, shell="kill -SEGV $$")
    agent.submit("t1")
    report = agent.report("t1")
    assert (report.reason, report.signal, report.exit_status) == (Reason.SIGNALLED, 11, None)


@pytest.mark.parametrize(
    ("command", "cwd", "status", "says"),
    [
        ({"argv": ["no-such-program", "x"]}, "", 127, "'no-such-program'"),
        ({"argv": ["/etc/passwd"]}, "", 126, "may not be executed"),
        ({"argv": ["/"]}, "", 126, "is a folder"),
        ({"argv": ["true"]}, "missing", 126, "missing"),
        ({"argv": ["a\0b"]}, "", 126, "null"),
        ({"shell": "no-such-program x"}, "", 127, "exit status 127"),
    ],
)
def test_what_cannot_run_says_why(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, command: Any, cwd: str, status: int, says: str
) -> None:
    server.give("t1", tmp_path, **command, cwd=str(tmp_path / cwd))
    agent.submit("t1")
    report = agent.report("t1")
    assert (report.reason, report.exit_status) == (Reason.EXIT_NONZERO, status)
    assert says in (report.detail or "")


def test_output_that_cannot_be_written_says_so(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    server.give("t1", tmp_path, shell="true", stdout=str(tmp_path / "file" / "out"))
    server.give("t2", tmp_path, shell="true", stdout=str(tmp_path))
    agent.submit("t1", "t2")
    assert "Not a directory" in (agent.report("t1").detail or "")
    assert f"cannot write the output file {tmp_path}: Is a directory" == agent.report("t2").detail


def test_a_script_of_a_megabyte_runs(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    server.give("t1", tmp_path, shell=": " + "x" * 1_000_000 + "\necho done")
    agent.submit("t1")
    assert agent.report("t1").stdout_tail == "done\n"


def test_much_output_costs_the_agent_nothing(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    work = server.give("t1", tmp_path, shell="head -c 200000000 /dev/zero | tr '\\0' x; printf '\\xff end'")
    agent.submit("t1")
    tail = agent.report("t1").stdout_tail or ""
    assert Path(work.stdout).stat().st_size == 200_000_005
    assert tail.endswith("x\ufffd end")
    assert len(tail) == 10_000
    peak = next(line for line in Path(f"/proc/{agent.spawner}/status").read_text().splitlines() if "VmHWM" in line)
    assert int(peak.split()[1]) < 100_000
    Path(work.stdout).unlink()


def test_children_that_hold_the_output_open_do_not_delay_the_end_and_are_ended(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo
) -> None:
    server.give("t1", tmp_path, shell=f"sleep 1000 & echo $! > {fifo}")
    agent.submit("t1")
    left = fifo.pids()
    assert agent.report("t1").reason is None
    wait_gone(*left)


def test_as_many_run_at_once_as_there_are_workers(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo, gate: Fifo
) -> None:
    for n in range(3):
        server.give(f"t{n}", tmp_path, shell=f"echo $$ > {fifo}; read line < {gate}", stdout=str(tmp_path / f"{n}"))
    agent.submit("t0", "t1", "t2")
    fifo.pids(2)
    stages = agent.ask(ask=["t0", "t1", "t2", "t3"])["stages"]
    assert stages == {"t0": "running", "t1": "running", "t2": "waiting"}
    gate.let_go(3)
    fifo.pids()
    assert all(agent.report(token).reason is None for token in ("t0", "t1", "t2"))


def test_a_job_of_several_cores_takes_the_place_of_several(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo, gate: Fifo
) -> None:
    for token in ("wide", "next"):
        server.give(token, tmp_path, shell=f"echo $$ > {fifo}; read line < {gate}", stdout=str(tmp_path / token))
    agent.ask(submit=[{"token": "wide", "cores": 8}, {"token": "next"}])  # their starts are won by one request
    fifo.pids()
    assert agent.ask(ask=["wide", "next"])["stages"] == {"wide": "running", "next": "waiting"}
    gate.let_go(2)
    assert agent.report("next").reason is None


def test_a_cancelled_command_is_asked_to_end_and_then_made_to(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo
) -> None:
    stubborn = f"trap '' TERM; setsid sleep 1000 & echo $! > {fifo}; sleep 1000; sleep 1000"
    server.give("t1", tmp_path, shell=stubborn)
    agent.submit("t1")
    left = fifo.pids()
    agent.ask(cancel=["t1"])
    report = agent.report("t1")
    assert (report.reason, report.signal) == (Reason.CANCELLED, 9)
    wait_gone(*left)


def test_a_cancelled_command_may_end_by_itself(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo
) -> None:
    server.give("t1", tmp_path, shell=f"trap 'echo bye; exit 5' TERM; echo $$ > {fifo}; while :; do sleep 0.05; done")
    agent.submit("t1")
    fifo.pids()
    agent.ask(cancel=["t1"])
    report = agent.report("t1")
    assert (report.reason, report.exit_status, report.stdout_tail) == (Reason.CANCELLED, 5, "bye\n")


def test_what_waits_and_is_cancelled_never_runs(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo
) -> None:
    names = [f"t{n}" for n in range(20)]
    for name in names:
        server.give(name, tmp_path, shell=f"echo $$ > {fifo}; sleep 1000", stdout=str(tmp_path / name))
    agent.submit(*names)
    fifo.pids(2)
    agent.ask(cancel=names)
    for name in names[:2]:
        assert agent.report(name).reason is Reason.CANCELLED
    given_back: set[str] = set()
    requests = 0
    while set(server.winners) != {*names[:2], *given_back}:  # a start may have been under way when the cancel came
        requests += 1
        given_back.update(server.wait_for("/attempts/give-back", requests).tokens)
    assert not any((tmp_path / name).exists() for name in names[2:])
    assert not any(server.reports(name) for name in names[2:])
    assert agent.ask(ask=names[-1:])["stages"] == {names[-1]: "dropped"}


def test_a_command_that_runs_beyond_its_limit_is_ended(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path
) -> None:
    server.give("t1", tmp_path, shell="sleep 1000")
    agent.submit("t1", runtime_s=0.1)
    report = agent.report("t1")
    assert report.reason is Reason.TIMEOUT
    assert "0.1 s" in (report.detail or "")


def test_the_server_ends_what_it_gave_up(server: WorkerServer, tmp_path: Path, fifo: Fifo) -> None:
    server.heartbeat_s = 0.05
    agent = AgentProcess(server, tmp_path / "state")
    server.give("t1", tmp_path, shell=f"echo $$ > {fifo}; exec sleep 1000")
    agent.submit("t1")
    running = fifo.pids()
    server.end.add("t1")
    assert agent.report("t1").reason is Reason.CANCELLED
    wait_gone(*running)
    agent.end()


def test_a_report_survives_a_server_that_goes_away(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo, gate: Fifo
) -> None:
    server.give("t1", tmp_path, shell=f"echo $$ > {fifo}; read line < {gate}; exit 4")
    agent.submit("t1")
    running = fifo.pids()
    server.shut()
    gate.let_go()
    wait_gone(*running)
    assert agent.ask(ask=["t1"])["stages"]["t1"] in ("running", "ended")
    server.listen()
    assert agent.report("t1").exit_status == 4


def test_a_lost_answer_is_asked_for_again(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    server.fail_next = {"/attempts/start": 1, "/attempts/finish": 1}
    work = server.give("t1", tmp_path, shell="echo once >> count")
    agent.submit("t1")
    server.wait_for("/attempts/finish", 2)
    assert (Path(work.cwd) / "count").read_text() == "once\n"


def test_jobs_live_on_without_a_client_and_the_agent_ends_when_there_is_nothing_left(
    server: WorkerServer, tmp_path: Path, fifo: Fifo, gate: Fifo
) -> None:
    agent = AgentProcess(server, tmp_path / "state", "--idle-s", "1")
    server.give("t1", tmp_path, shell=f"echo $$ > {fifo}; read line < {gate}")
    agent.submit("t1")
    fifo.pids()
    agent.hang_up()
    gate.let_go()
    assert agent.report("t1").reason is None
    assert agent.keeper.wait(20) == 0


def test_an_agent_that_is_told_to_end_takes_its_jobs_along_and_gives_the_others_back(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo
) -> None:
    for n in range(6):
        server.give(f"t{n}", tmp_path, shell=f"echo $$ > {fifo}; exec sleep 1000", stdout=str(tmp_path / f"{n}"))
    agent.submit(*(f"t{n}" for n in range(6)))
    running = fifo.pids(2)
    agent.keeper.send_signal(signal.SIGTERM)
    agent.keeper.wait(20)
    wait_gone(*running)
    assert [report.reason for n in range(6) for report in server.reports(f"t{n}")] == [Reason.LOST] * 2


@pytest.mark.parametrize("victims", [("spawner",), ("keeper",), ("spawner", "keeper"), ("keeper", "spawner")])
def test_nothing_survives_an_agent_that_is_killed_and_a_new_one_starts(
    server: WorkerServer, tmp_path: Path, fifo: Fifo, victims: tuple[str, ...]
) -> None:
    agent = AgentProcess(server, tmp_path / "state")
    tree = f"""
setsid bash -c 'sleep 1000 & setsid sleep 1000 & echo $! > {fifo}; exec sleep 1000' &
echo $! > {fifo}; echo $$ > {fifo}; wait
"""
    server.give("t1", tmp_path, shell=tree)
    agent.submit("t1")
    running = fifo.pids(3)
    below = descendants(agent.spawner)
    assert set(running) <= below
    pids = {"spawner": agent.spawner, "keeper": agent.keeper.pid}
    for victim in victims:
        os.kill(pids[victim], signal.SIGKILL)
    agent.hang_up()
    again = AgentProcess(server, tmp_path / "state")
    alive = {pid for pid in below if start_ticks(pid) is not None}
    assert set() == alive  # already, without any further waiting: the new agent serves only then
    assert again.ready != agent.ready
    assert again.ask(ask=["t1"])["stages"] == {}
    agent.keeper.wait(20)
    again.end()


def script(folder: Path) -> Path:
    path = folder / "script.py"
    path.write_text(
        """
import os, signal, sys, subprocess, time
def add(a, b=1): print("adding"); return {"sum": a + b}
def fails(): print("before"); raise ValueError("two\\nlines")
def leaves(code): os._exit(code)
def exits(code): sys.exit(code)
def crashes(): os.kill(os.getpid(), signal.SIGSEGV)
def which(): return os.getpid()
def where(): return [os.getcwd(), os.environ.get("ANIMAL"), os.environ["JOBMON_ATTEMPT"]]
def spoils(): os.environ["ANIMAL"] = "spoilt"; os.chdir("/"); sys.path.clear(); sys.stdout = None
def large(): return "x" * 70000
def no_json(): return {1, 2}
def hangs(fifo):
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    with open(fifo, "w") as file: file.write(f"{os.getpid()}\\n{child.pid}\\n")
    time.sleep(1000)
def pools():
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(1) as pool: return pool.map(add, [1])
if __name__ == "__main__": raise SystemExit("the script's own part must not run")
"""
    )
    return path


def give_call(server: WorkerServer, token: str, folder: Path, function: str, *args: Any, **more: Any) -> None:
    path = folder / "script.py"
    call = Call(
        str(path if path.exists() else script(folder)), function, list(args), is_path=True, python=sys.executable
    )
    server.give(
        token, folder, call=call, stdout=str(folder / f"{token}.out"), stderr=str(folder / f"{token}.err"), **more
    )


def test_a_call_returns_json_and_its_output_goes_to_its_files(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path
) -> None:
    give_call(server, "t1", tmp_path, "add", 2)
    agent.submit("t1")
    report = agent.report("t1")
    assert (report.reason, report.result, report.stdout_tail) == (None, '{"sum":3}', "adding\n")
    assert report.usage["cpu_s"] >= 0


@pytest.mark.parametrize(
    ("function", "args", "reason", "status", "signalled", "says"),
    [
        ("fails", [], Reason.EXIT_NONZERO, 1, None, "fails raised ValueError: two lines"),
        ("missing", [], Reason.EXIT_NONZERO, 1, None, "has no missing"),
        ("exits", [3], Reason.EXIT_NONZERO, 3, None, "exits exited: 3"),
        ("leaves", [4], Reason.EXIT_NONZERO, 4, None, "its interpreter ended with status 4"),
        ("leaves", [0], Reason.EXIT_NONZERO, 0, None, "its interpreter ended with status 0"),
        ("crashes", [], Reason.SIGNALLED, None, 11, "its interpreter was ended by signal 11"),
        ("large", [], Reason.EXIT_NONZERO, 1, None, "70002 bytes"),
        ("no_json", [], Reason.EXIT_NONZERO, 1, None, "not JSON"),
    ],
)
def test_a_call_that_gives_no_result_says_why_and_the_next_one_runs(
    agent: AgentProcess,
    server: WorkerServer,
    tmp_path: Path,
    function: str,
    args: list[Any],
    reason: Reason,
    status: int | None,
    signalled: int | None,
    says: str,
) -> None:
    give_call(server, "t1", tmp_path, function, *args)
    agent.submit("t1")
    report = agent.report("t1")
    assert (report.reason, report.exit_status, report.signal, report.result) == (reason, status, signalled, None)
    assert says in (report.detail or "")
    give_call(server, "t2", tmp_path, "add", 1)
    agent.submit("t2")
    assert agent.report("t2").reason is None


def test_a_traceback_shows_the_users_code_alone(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    give_call(server, "t1", tmp_path, "fails")
    agent.submit("t1")
    report = agent.report("t1")
    assert report.stdout_tail == "before\n"
    assert "script.py" in (report.stderr_tail or "")
    assert "calls.py" not in (report.stderr_tail or "")


def test_interpreters_are_kept_and_each_call_finds_its_own_surroundings(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path
) -> None:
    results = []
    for n, function in enumerate(["which", "spoils", "where", "which"]):
        give_call(server, f"t{n}", tmp_path, function, env={"ANIMAL": "stork"})
        agent.submit(f"t{n}")
        results.append(agent.report(f"t{n}").result)
    assert results[0] == results[3]
    assert results[2] == f'["{tmp_path}","stork","t2"]'


def test_a_changed_script_is_loaded_again(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    give_call(server, "t1", tmp_path, "add", 1)
    agent.submit("t1")
    assert agent.report("t1").result == '{"sum":2}'
    path = tmp_path / "script.py"
    path.write_text(path.read_text().replace("a + b", "a - b"))
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1_000_000))
    give_call(server, "t2", tmp_path, "add", 1)
    agent.submit("t2")
    assert agent.report("t2").result == '{"sum":0}'


def test_a_cancelled_call_ends_with_all_that_it_started(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo
) -> None:
    give_call(server, "t1", tmp_path, "hangs", str(fifo))
    agent.submit("t1")
    running = fifo.pids(2)
    agent.ask(cancel=["t1"])
    assert agent.report("t1").reason is Reason.CANCELLED
    wait_gone(*running)


def test_a_call_may_use_a_pool_of_processes(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    give_call(server, "t1", tmp_path, "pools")
    agent.submit("t1")
    report = agent.report("t1")
    assert (report.reason, report.result) == (None, '[{"sum":2}]'), report.stderr_tail


def test_an_interpreter_that_does_not_exist_is_named(agent: AgentProcess, server: WorkerServer, tmp_path: Path) -> None:
    server.give("t1", tmp_path, call=Call("math", "sqrt", [4], python="/no/such/python"))
    agent.submit("t1")
    report = agent.report("t1")
    assert (report.reason, report.exit_status) == (Reason.EXIT_NONZERO, 127)
    assert "/no/such/python" in (report.detail or "")
