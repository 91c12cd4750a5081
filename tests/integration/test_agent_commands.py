"""Commands below an agent, against a stand-in for the server's worker routes."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobmon.agent.spawn import spawn_command
from jobmon.states.reasons import Reason
from jobmon.testing.agent_process import AgentProcess, Fifo, agents, wait_gone
from jobmon.testing.worker_server import USER_TOKEN, WorkerServer, worker_server
from jobmon.wire.jobs import Command
from jobmon.wire.workers import Work


@pytest.fixture
def server() -> Iterator[WorkerServer]:
    with worker_server() as running:
        yield running


@pytest.fixture
def start_agent(server: WorkerServer, tmp_path: Path) -> Iterator[Callable[..., AgentProcess]]:
    with agents(server, tmp_path / "state") as start:
        yield start


@pytest.fixture
def agent(start_agent: Callable[..., AgentProcess]) -> AgentProcess:
    return start_agent("--grace-s", "0.3")


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


def test_programs_and_log_folders_may_come_and_go_between_tasks(
    agent: AgentProcess, server: WorkerServer, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    env = {"PATH": f"{first}:{second}:{os.environ['PATH']}"}

    def install(folder: Path) -> None:
        folder.mkdir()
        (folder / "tool").write_text(f"#!/bin/sh\necho {folder.name}\n")
        (folder / "tool").chmod(0o755)

    def run(token: str) -> str | None:
        server.give(token, tmp_path, shell="tool", env=env, stdout=str(tmp_path / "logs" / f"{token}.out"))
        agent.submit(token)
        return agent.report(token).stdout_tail

    install(second)
    assert run("t1") == "second\n"
    install(first)
    assert run("t2") == "first\n"
    shutil.rmtree(first)
    shutil.rmtree(tmp_path / "logs")
    assert run("t3") == "second\n"


def test_a_program_and_a_log_folder_that_went_after_the_start_was_won_are_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    logs, tool = tmp_path / "logs", tmp_path / "bin" / "tool"
    environment = {b"PATH": os.fsencode(f"{tool.parent}:/usr/bin:/bin")}
    work = Work({}, str(tmp_path), str(logs / "out"), str(logs / "out"), Command(argv=["true"]))
    tool.parent.mkdir()
    (tool.parent / "true").symlink_to("/bin/false")

    def status() -> int:
        return os.waitpid(spawn_command(work, environment, "a token"), 0)[1] >> 8

    assert status() == 1
    shutil.rmtree(logs)
    shutil.rmtree(tool.parent)
    assert status() == 0
