"""What Dask does to attempts, and what the executor makes of it, with a real scheduler and real workers."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from distributed import Client
from jobmon_dask import Dask, DaskResources, Settings

from jobmon.ids import new_tokens
from jobmon.plugins import (
    Absent,
    Accepted,
    Call,
    Command,
    Exited,
    Finding,
    Observation,
    Pending,
    Reason,
    Resources,
    Running,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
)
from jobmon.testing.context import KitContext

_PATIENCE_S = 20.0


class Host:
    """An executor, and what its host does."""

    def __init__(self, nodes: Any, folder: Path) -> None:
        self.folder = folder
        self.nodes = nodes
        self.context = KitContext(folder, "dask")
        self.executor = self.another()

    def another(self) -> Dask:
        executor = Dask(Settings(scheduler_file=self.nodes.file, timeout_s=5.0))
        executor.start(self.context)
        return executor

    def request(self, shell: str | None = None, *, call: Call | None = None, **own: Any) -> SubmitRequest:
        [token] = new_tokens(1)
        return SubmitRequest(
            token,
            f"{token}-task",
            "task",
            Resources(own=DaskResources(**own)),
            command=None if shell is None else Command(shell=shell),
            call=call,
            cwd=str(self.folder),
            stdout=str(self.folder / "logs" / f"{token}.out"),
            stderr=str(self.folder / "logs" / f"{token}.err"),
        )

    def submit(self, shell: str | None = None, **more: Any) -> Submitted:
        request = self.request(shell, **more)
        assert list(self.executor.submit(requests=[request])) == [(request.token, Accepted(request.job_name))]
        return Submitted(request.job_name, request.token, request.job_name, datetime.now(UTC))

    def look(self, one: Submitted) -> Observation:
        return self.executor.observe(submitted=[one])[one.token]

    def find(self, request: SubmitRequest) -> dict[str, Finding]:
        submission = Submission(request.token, request.job_name, datetime.now(UTC))
        return dict(self.executor.find(submissions=[submission]))

    def until(self, reached: Callable[[], object]) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while not reached():
            assert time.monotonic() < deadline, "it does not come about"
            self.context.wait(0.02)

    def pushed_end(self, one: Submitted) -> Exited:
        """How it ended, as it was pushed."""
        self.until(lambda: isinstance(self.context.last_pushed(one.token), Exited))
        end = self.context.last_pushed(one.token)
        assert isinstance(end, Exited)
        return end

    def on_scheduler(self, look: Callable[..., Any]) -> Any:
        with Client(scheduler_file=self.nodes.file, set_as_default=False, timeout=10) as client:
            return client.run_on_scheduler(look)


@pytest.fixture
def host(nodes: Any, tmp_path: Path) -> Iterator[Host]:
    made = Host(nodes, tmp_path)
    yield made
    made.executor.stop()


def test_a_command_runs_once_and_its_end_is_pushed_with_all_that_is_known(host: Host) -> None:
    one = host.submit("echo out; echo err >&2; exit 3")
    end = host.pushed_end(one)
    assert (end.status, end.reason, end.signal) == (3, Reason.EXIT_NONZERO, None)
    assert (end.stdout_tail, end.stderr_tail) == ("out\n", "err\n")
    assert set(end.usage) == {"wall_s", "cpu_s", "max_rss_bytes"}
    assert (host.folder / "logs" / f"{one.token}.out").read_text() == "out\n"
    assert [seen for token, seen in host.context.pushed if token == one.token] in ([Running(), end], [end])


@pytest.mark.parametrize(
    ("statement", "reason"),
    [("_exit", Reason.EXIT_NONZERO), ("abort", Reason.SIGNALLED)],
)
def test_a_call_that_ends_its_process_is_a_failed_attempt_and_the_worker_lives(
    host: Host, statement: str, reason: Reason
) -> None:
    arguments = [5] if statement == "_exit" else []
    one = host.submit(call=Call("os", statement, args=arguments, python=sys.executable))
    assert host.pushed_end(one).reason is reason
    again = host.submit(call=Call("json", "loads", args=["[1]"], python=sys.executable))
    assert json.loads(host.pushed_end(again).result or "") == [1]


def test_a_command_that_kills_what_runs_it_is_no_success_and_the_worker_lives(host: Host) -> None:
    end = host.pushed_end(host.submit("kill -9 $PPID; sleep 60"))
    assert end.reason is Reason.UNKNOWN
    assert "ended with -9" in (end.detail or "")
    assert host.pushed_end(host.submit("true")).reason is None


def test_what_runs_on_a_worker_that_dies_is_a_node_failure_and_does_not_run_again(host: Host) -> None:
    starts = host.folder / "starts"
    one = host.submit(f"echo started >> {starts}; sleep 60")
    host.until(starts.exists)
    host.nodes.kill_workers()
    end = host.pushed_end(one)
    assert (end.reason, end.status) == (Reason.NODE_FAILURE, None)
    host.nodes.grow(2)
    # Dask gives the task to a new worker; it is done when it has left the scheduler.
    key = one.job_name
    host.until(lambda: host.on_scheduler(lambda dask_scheduler: key not in dask_scheduler.tasks))
    assert starts.read_text() == "started\n"
    assert host.look(one) == end


def test_an_end_outlives_the_manager_and_the_worker(host: Host) -> None:
    gate = host.folder / "gate"
    one = host.submit(f"until [ -e {gate} ]; do sleep 0.05; done; echo done")
    host.until(lambda: isinstance(host.look(one), Running))
    host.executor.stop()
    gate.touch()
    token = one.token
    host.until(
        lambda: host.on_scheduler(
            lambda dask_scheduler: dask_scheduler.plugins["jobmon-ledger-1"].entries[token].state == "ended"
        )
    )
    host.nodes.kill_workers()
    host.executor = host.another()
    end = host.look(one)
    host.nodes.grow(2)
    assert isinstance(end, Exited)
    assert (end.reason, end.stdout_tail) == (None, "done\n")


def test_what_was_not_there_when_it_was_looked_for_does_not_start_when_it_comes_late(host: Host) -> None:
    request = host.request("touch started")
    cluster = host.executor._cluster
    cluster.ask("expect", keys={request.token: request.job_name}, topic="kit")
    assert isinstance(host.find(request)[request.token], Absent)
    columns = ([request.token], [list(host.context.payload_argv())], [request.payload()])
    cluster.send([request.job_name], columns, request.resources.own)
    key = request.job_name
    done = host.submit("true")
    host.pushed_end(done)
    host.until(lambda: host.on_scheduler(lambda dask_scheduler: key not in dask_scheduler.tasks))
    assert not (host.folder / "started").exists()


def test_a_task_that_no_worker_can_run_waits_and_says_for_what(host: Host) -> None:
    one = host.submit("true", resources={"GPU": 1})
    host.until(lambda: host.look(one) == Pending("no worker of the cluster has GPU=1"))
    host.nodes.grow(1, "--resources", "GPU=1")
    assert host.pushed_end(one).reason is None


def test_what_is_cancelled_before_it_began_leaves_dasks_queue(host: Host) -> None:
    one = host.submit("true", resources={"TPU": 1})
    host.executor.cancel(submitted=[one])
    assert host.pushed_end(one).reason is Reason.CANCELLED
    key = one.job_name
    host.until(lambda: host.on_scheduler(lambda dask_scheduler: key not in dask_scheduler.tasks))


def test_what_is_settled_is_forgotten_and_the_rest_is_kept(host: Host) -> None:
    settled, kept = host.submit("true"), host.submit("true")
    host.pushed_end(settled)
    host.pushed_end(kept)
    host.executor.settled(tokens=[settled.token])
    assert isinstance(host.look(settled), Absent)
    assert isinstance(host.look(kept), Exited)


def test_a_scheduler_that_dies_loses_what_it_had_and_its_successor_is_used(host: Host) -> None:
    one = host.submit("sleep 60")
    host.until(lambda: isinstance(host.look(one), Running))
    host.nodes.restart_scheduler()
    host.nodes.kill_workers()
    host.nodes.grow(2)

    def absent() -> bool:
        try:
            return isinstance(host.look(one), Absent)
        except SchedulerUnavailable:
            return False  # the line to the old one is being given up

    host.until(absent)
    assert host.pushed_end(host.submit("true")).reason is None


def test_without_a_scheduler_the_error_says_what_to_set(tmp_path: Path) -> None:
    executor = Dask(Settings())
    executor.start(KitContext(tmp_path, "dask"))
    with pytest.raises(SchedulerUnavailable, match="set address or scheduler_file"):
        executor.settled(tokens=new_tokens(1))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"address": "tcp://here:1", "scheduler_file": "f"}, "one of them"),
        ({"tls_cert": "c"}, "belong together"),
        ({"timeout_s": 0.0}, "timeout_s"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Settings(**settings)
