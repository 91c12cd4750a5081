"""Python calls in the warm interpreters of an agent."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jobmon.states.reasons import Reason
from jobmon.testing.agent_process import AgentProcess, Fifo, agents, wait_gone
from jobmon.testing.worker_server import WorkerServer, worker_server
from jobmon.wire.jobs import Call


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
def where(): return [os.getcwd(), {n: os.environ.get(n) for n in ("ANIMAL", "PLANT", "JOBMON_ATTEMPT", "STRANGE")}]
def spoils():
    os.environ |= {"ANIMAL": "spoilt", "STRANGE": "x"}; del os.environ["PLANT"]
    os.chdir("/"); sys.path.clear(); sys.stdout = None
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
        give_call(server, f"t{n}", tmp_path, function, env={"ANIMAL": "stork", "PLANT": "fern"})
        agent.submit(f"t{n}")
        results.append(agent.report(f"t{n}").result)
    assert results[0] == results[3]
    surroundings = {"ANIMAL": "stork", "PLANT": "fern", "JOBMON_ATTEMPT": "t2", "STRANGE": None}
    assert json.loads(results[2] or "") == [str(tmp_path), surroundings]


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
