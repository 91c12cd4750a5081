"""What becomes of an agent whose words cannot be written, or whose courier ends."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from jobmon.agent import courier as couriers
from jobmon.agent.courier import Courier, CourierEnded
from jobmon.agent.saying import say
from jobmon.errors import NotAuthorised
from jobmon.requester import Requester
from jobmon.testing.agent_process import AgentProcess, Fifo, agents, wait_gone
from jobmon.testing.worker_server import WorkerServer, worker_server
from jobmon.wire.jobs import Call
from jobmon.wire.workers import FinishAttempts, FinishReport

OWED = FinishAttempts("host:agent", [FinishReport("t1", exit_status=0)])
FAULTY = """
import sys
from pathlib import Path
from jobmon.agent import keeper, service
def fails(): raise ZeroDivisionError("a fault of the courier")
service._find_server = fails
sys.exit(keeper.keep(Path(sys.argv[1]), workers=1, idle_s=1000, grace_s=1))
"""


@pytest.fixture
def server() -> Iterator[WorkerServer]:
    with worker_server() as running:
        yield running


@pytest.fixture
def start_agent(server: WorkerServer, tmp_path: Path) -> Iterator[Callable[..., AgentProcess]]:
    with agents(server, tmp_path / "state") as start:
        yield start


def test_words_are_lines_whatever_they_are_made_of(capfd: pytest.CaptureFixture[str]) -> None:
    say("a path \udcff")
    assert capfd.readouterr().err == "a path \\udcff\n"


def test_an_agent_whose_log_is_on_a_full_disk_reports_as_soon_as_the_server_is_back(
    start_agent: Callable[..., AgentProcess], server: WorkerServer, tmp_path: Path
) -> None:
    (tmp_path / "state.log").symlink_to("/dev/full")
    fifo, gate = Fifo(tmp_path / "fifo"), Fifo(tmp_path / "gate")
    agent = start_agent()
    server.give("t1", tmp_path, shell=f"echo $$ > {fifo}; read line < {gate}; exit 4")
    agent.submit("t1")
    running = fifo.pids()
    server.shut()  # of this the courier speaks
    gate.let_go()
    wait_gone(*running)
    while agent.ask(ask=["t1"])["stages"] == {"t1": "running"}:
        pass
    server.listen()
    assert agent.report("t1").exit_status == 4


def test_a_courier_that_ends_unasked_wakes_its_spawner_and_says_so() -> None:
    def fails() -> Requester:
        raise ZeroDivisionError("a fault of the courier")

    courier = Courier("host:agent", fails, [OWED])
    courier.begin()
    courier.stop(20)
    assert os.eventfd_read(courier.wake_fd) == 1
    with pytest.raises(CourierEnded) as ended:
        courier.check()
    assert isinstance(ended.value.__cause__, ZeroDivisionError)


def test_a_server_that_refuses_the_agent_again_and_again_is_spoken_of_once(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tries = 0

    def refused() -> Requester:
        nonlocal tries
        tries += 1
        if tries == 50:
            raise ZeroDivisionError("enough")
        raise NotAuthorised("the server does not accept the token")

    monkeypatch.setattr(couriers, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(couriers, "_LONGEST_PAUSE_S", 0.001)
    courier = Courier("host:agent", refused, [OWED])
    courier.begin()
    courier._thread.join(20)
    assert tries == 50
    assert capfd.readouterr().err.count("does not accept the token") == 1


def test_an_agent_without_descriptors_says_so_and_goes_on_when_there_are_some(
    start_agent: Callable[..., AgentProcess], server: WorkerServer, tmp_path: Path
) -> None:
    agent = start_agent()
    agent.ask(ask=[])
    soft, hard = resource.prlimit(agent.spawner, resource.RLIMIT_NOFILE)
    held = {int(fd) for fd in os.listdir(f"/proc/{agent.spawner}/fd")}  # noqa: PTH208
    resource.prlimit(agent.spawner, resource.RLIMIT_NOFILE, (min({*range(max(held) + 2)} - held), hard))
    server.give("t1", tmp_path, shell="exit 4")
    server.give("t2", tmp_path, call=Call("math", "sqrt", [4.0], python=sys.executable))
    agent.submit("t1", "t2")
    while "Too many open files" not in (said := agent.ask(ask=["t1"]))["full"]:
        assert said["stages"] == {"t1": "waiting"}
    resource.prlimit(agent.spawner, resource.RLIMIT_NOFILE, (soft, hard))
    assert agent.report("t1").exit_status == 4
    assert agent.report("t2").result == "2.0"


def test_a_spawner_ends_with_its_courier_and_what_is_owed_is_left_to_the_next(tmp_path: Path) -> None:
    owed = msgspec.json.encode(OWED) + b"\n"
    (tmp_path / "ended").write_bytes(owed)
    argv = [sys.executable, "-c", FAULTY, str(tmp_path)]
    agent = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert agent.returncode == 70
    assert "a fault of the courier" in agent.stderr
    assert "CourierEnded: the agent's courier has ended" in agent.stderr
    assert (tmp_path / "ended").read_bytes() == owed
