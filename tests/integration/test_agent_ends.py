"""How what an agent runs is ended, and how the agent itself ends."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobmon.agent.descendants import descendants
from jobmon.processes import start_ticks
from jobmon.states.reasons import Reason
from jobmon.testing.agent_process import AgentProcess, Fifo, agents, wait_gone
from jobmon.testing.worker_server import WorkerServer, worker_server


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


def until_there(path: Path) -> None:
    until = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < until, f"{path} did not come to be"


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


def test_the_server_ends_what_it_gave_up(agent: AgentProcess, server: WorkerServer, tmp_path: Path, fifo: Fifo) -> None:
    server.heartbeat_s = 0.05
    server.give("t1", tmp_path, shell=f"echo $$ > {fifo}; exec sleep 1000")
    agent.submit("t1")
    running = fifo.pids()
    server.end.add("t1")
    assert agent.report("t1").reason is Reason.CANCELLED
    wait_gone(*running)


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
    start_agent: Callable[..., AgentProcess], server: WorkerServer, tmp_path: Path, fifo: Fifo, gate: Fifo
) -> None:
    agent = start_agent("--idle-s", "1")
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


def test_a_command_that_is_being_started_when_the_agent_is_told_to_end_is_ended_at_once(
    start_agent: Callable[..., AgentProcess], server: WorkerServer, tmp_path: Path, gate: Fifo
) -> None:
    agent = start_agent("--grace-s", "1000")
    slow_to_open = tmp_path / "slow"
    os.mkfifo(slow_to_open)  # the new process waits for a reader of its output, and the spawner for the process
    work = server.give("t1", tmp_path, shell="exec sleep 1000", stderr=str(slow_to_open))
    agent.submit("t1")
    until_there(Path(work.stdout))
    os.kill(agent.spawner, signal.SIGTERM)
    with slow_to_open.open("rb") as reader:
        agent.keeper.wait(20)
        assert reader.read() == b""
    assert [report.reason for report in server.reports("t1")] == [Reason.LOST]


@pytest.mark.parametrize("victims", [("spawner",), ("keeper",), ("spawner", "keeper"), ("keeper", "spawner")])
def test_nothing_survives_an_agent_that_is_killed_and_a_new_one_starts(
    start_agent: Callable[..., AgentProcess], server: WorkerServer, tmp_path: Path, fifo: Fifo, victims: tuple[str, ...]
) -> None:
    agent = start_agent()
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
    again = start_agent()
    alive = {pid for pid in below if start_ticks(pid) is not None}
    assert set() == alive  # already, without any further waiting: the new agent serves only then
    assert again.ready != agent.ready
    assert again.ask(ask=["t1"])["stages"] == {}
    agent.keeper.wait(20)


def test_what_a_killed_agent_had_not_begun_runs_or_is_given_back_and_only_what_ran_is_lost(
    start_agent: Callable[..., AgentProcess], server: WorkerServer, tmp_path: Path, fifo: Fifo
) -> None:
    agent = start_agent()
    names = [f"t{n}" for n in range(12)]
    for name in names:
        server.give(name, tmp_path, shell=f"echo $$ > {fifo}; exec sleep 1000", stdout=str(tmp_path / name))
    agent.submit(*names)
    fifo.pids(2)
    killed_running = [name for name, stage in agent.ask(ask=names)["stages"].items() if stage == "running"]
    won = set(server.winners)
    assert set(killed_running) < won < set(names)
    for name in set(names) - won:
        server.give(name, tmp_path, shell="exit 3", stdout=str(tmp_path / name))
    for pid in (agent.spawner, agent.keeper.pid):
        os.kill(pid, signal.SIGKILL)
    agent.hang_up()
    again = start_agent()
    returned = server.wait_for("/attempts/give-back")
    assert returned.worker_id == server.winners[killed_running[0]]
    assert set(returned.tokens) >= won - set(killed_running)
    for name in set(names) - set(server.winners) - set(returned.tokens):
        assert again.report(name).exit_status == 3
    assert again.ask(ask=killed_running)["stages"] == {}


def test_an_end_that_a_killed_agent_had_collected_is_reported_by_the_next_one(
    start_agent: Callable[..., AgentProcess], server: WorkerServer, tmp_path: Path, fifo: Fifo, gate: Fifo
) -> None:
    agent = start_agent()
    server.give("t1", tmp_path, shell=f"echo $$ > {fifo}; read line < {gate}; exit 4")
    agent.submit("t1")
    running = fifo.pids()
    server.shut()
    gate.let_go()
    wait_gone(*running)
    while agent.ask(ask=["t1"])["stages"] == {"t1": "running"}:
        pass
    agent.ask(ask=[])  # the loop has turned once more
    for pid in (agent.spawner, agent.keeper.pid):
        os.kill(pid, signal.SIGKILL)
    agent.hang_up()
    again = start_agent()
    assert again.ask(ask=["t1"])["stages"] == {"t1": "ended"}
    server.listen()
    assert again.report("t1").exit_status == 4
    assert server.wait_for("/attempts/finish").worker_id == server.winners["t1"]


def test_an_agent_that_is_told_to_end_does_not_wait_for_a_server_that_is_away(
    start_agent: Callable[..., AgentProcess], server: WorkerServer, tmp_path: Path, fifo: Fifo
) -> None:
    agent = start_agent()
    server.give("t1", tmp_path, shell=f"echo $$ > {fifo}; exec sleep 1000")
    agent.submit("t1")
    fifo.pids()
    server.shut()
    agent.keeper.send_signal(signal.SIGTERM)
    assert agent.keeper.wait(20) == 0
    agent.hang_up()
    server.listen()
    start_agent()
    assert server.wait_for_report("t1").reason is Reason.LOST
