"""What a call leaves behind: the next one has the same result on every executor. What it forks never answers."""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from leaving import PAIRS, Pair

from jobmon.plugins import Call, Resources, SubmitRequest, ending
from jobmon.processes import marked
from jobmon.testing.agent_process import AgentProcess, agents
from jobmon.testing.context import KitContext
from jobmon.testing.worker_server import WorkerServer, worker_server
from jobmon.worker.build import build_starter

Ended = tuple[Any, ...]
Way = Callable[[Call, Path], Ended]
#: Of this process alone: an agent kills by them, whosever the processes are.
_tokens = (f"leftovers-{os.getpid()}-{n}" for n in itertools.count())


@pytest.fixture(scope="module")
def server() -> Iterator[WorkerServer]:
    with worker_server() as running:
        yield running


@pytest.fixture(scope="module")
def agent(server: WorkerServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    with agents(server, tmp_path_factory.mktemp("agent") / "state") as start:
        yield start("--grace-s", "0.3")


@pytest.fixture(scope="module")
def kept(agent: AgentProcess, server: WorkerServer) -> Way:
    """In an interpreter that is kept, as multiprocess runs calls."""

    def run(call: Call, folder: Path) -> Ended:
        token = next(_tokens)
        server.give(token, folder, call=call, stdout=str(folder / f"{token}.out"), stderr=str(folder / f"{token}.err"))
        agent.submit(token)
        report = agent.report(token)
        return report.reason, report.exit_status, report.result, _text(folder / f"{token}.out"), report.detail

    return run


@pytest.fixture(scope="module")
def worker(server: WorkerServer, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """In a worker's child, as sequential and the cluster executors run calls."""
    archive = build_starter(tmp_path_factory.mktemp("shipped"))

    def run(call: Call, folder: Path) -> Ended:
        token = next(_tokens)
        server.give(token, folder, call=call, stdout=str(folder / f"{token}.out"), stderr=str(folder / f"{token}.err"))
        argv = [sys.executable, "-I", "-S", str(archive), "run", str(server.start_file(token, folder))]
        subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        [report] = server.reports(token)
        return report.reason, report.exit_status, report.result, _text(folder / f"{token}.out"), report.detail

    return run


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Way:
    """In the payload's runner, as executors run calls whose platform alone reports (dask)."""
    argv = KitContext(tmp_path_factory.mktemp("alone"), "kit").payload_argv()

    def run(call: Call, folder: Path) -> Ended:
        token = next(_tokens)
        files = {"stdout": str(folder / f"{token}.out"), "stderr": str(folder / f"{token}.err")}
        request = SubmitRequest(token, token, "call", Resources(), call=call, cwd=str(folder), **files)
        told = subprocess.run(argv, input=request.payload(), capture_output=True, text=True, timeout=60, check=True)
        end = ending(told.stdout)
        return end.reason, end.status, end.result, _text(folder / f"{token}.out"), end.detail

    return run


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.what)
def test_the_next_call_has_the_same_result_on_every_executor(
    pair: Pair, kept: Way, worker: Way, alone: Way, tmp_path: Path
) -> None:
    seen = []
    for name, run in (("worker", worker), ("kept", kept), ("alone", alone)):
        folder = tmp_path / name / "work"
        folder.mkdir(parents=True)
        (folder / "pair.py").write_text(pair.source)
        call = Call("pair", "leave", import_paths=[str(folder)], python=sys.executable)
        first = run(call, folder)
        seen.append((first, run(attrs.evolve(call, function="look"), folder)))
    assert seen[0] == seen[1] == seen[2]


#: How a child goes on.
CHILDREN = {
    "ends at once": "os._exit(0)",
    "ends with a failure": "os._exit(3)",
    "ends as scripts do": "sys.exit(0)",
    "returns": "return 'the child'",
    "raises": "raise ValueError('the child')",
    "is killed": "os.kill(os.getpid(), 9)",
    "stays": "time.sleep(1000)",
    "forks again and returns": "os.fork(); return 'the child'",
}
FORKING = """
import os, sys, time

def fork():
    if os.fork() == 0:
        {child}
    return "the parent"

def wait():
    child = os.fork()
    if child == 0:
        os._exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def plain():
    return "the next"
"""


@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN.keys())
@pytest.mark.parametrize("way", ["kept", "worker", "alone"])
def test_a_child_never_answers_for_its_call(
    way: str, child: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    run: Way = request.getfixturevalue(way)
    (tmp_path / "forking.py").write_text(FORKING.format(child=child))
    call = Call("forking", "fork", import_paths=[str(tmp_path)], python=sys.executable)

    def result_of(function: str) -> tuple[Any, Any]:
        reason, _, result, _, _ = run(attrs.evolve(call, function=function), tmp_path)
        return reason, result

    for _ in range(3):
        assert result_of("fork") == (None, '"the parent"')
        assert result_of("plain") == (None, '"the next"')
    assert result_of("wait") == (None, "7")
    mine = f"leftovers-{os.getpid()}-"
    assert [pid for pid, token in marked("JOBMON_ATTEMPT") if token.startswith(mine)] == []
