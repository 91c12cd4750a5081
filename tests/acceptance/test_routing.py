"""One graph over four executors: where each task ran; and one of them served by a manager with a network of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from users import Running, User, until

TOML = """
    [executors.compute]
    type = "multiprocess"
    workers = 2

    [executors.uploads]
    type = "sequential"

    [executors.rehearsal]
    type = "dummy"
"""
CLUSTER = """
    [executors.cluster]
    type = "dask"
    scheduler_file = "{file}"
"""
#: What a task sees of the place where it runs: its ancestors, and its network.
LOOK = """
    import json, os, pathlib, sys

    pid, ancestors = os.getppid(), []
    while pid > 1:
        process = pathlib.Path("/proc", str(pid))
        ancestors.append([pid, process.joinpath("cmdline").read_text().replace("\\0", " ")])
        pid = int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1])
    seen = {"ancestors": ancestors, "network": os.readlink("/proc/self/ns/net")}
    pathlib.Path(sys.argv[1]).write_text(json.dumps(seen))
    print("looked around")
"""
SCRIPT = """
    import os, sys
    from jobmon import BashTask, JobmonError, PythonTask, Workflow

    def half_of(number):
        return number // 2

    def double(number):
        return 2 * number

    if __name__ == "__main__":
        workflow = Workflow("routed", workflow_args=sys.argv[1])
        above = []
        for executor in ("rehearsal", "compute", "uploads", "cluster"):
            look = f"{sys.executable} look.py {executor}.json"
            above = [BashTask(look, name=f"on {executor}", executor=executor, upstream_tasks=above)]
            workflow.add_tasks(above)
        half = PythonTask(half_of, args=[42], executor="compute")
        whole = PythonTask(double, args=[half.output], name="whole", executor="cluster",
                           resources={"dask": {sys.argv[2]: 1}})
        workflow.add_tasks([half, whole])
        try:
            result = workflow.run()
        except JobmonError as error:
            sys.exit(f"{type(error).__name__}: {error}")
        result.raise_for_failures()
        print("the whole is", result["whole"].value)
"""


@contextmanager
def cluster(user: User) -> Iterator[list[Running]]:
    """A Dask scheduler and two workers of the user's."""
    file = user.folder / "scheduler.json"
    user.write("jobmon.toml", TOML + CLUSTER.format(file=file))
    here = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file))
    nodes = [user.start("-m", "dask", "scheduler", "--port", "0", *here)]
    try:
        until(file.exists, "the scheduler has written its file")
        more = ("--no-nanny", "--nthreads", "2", "--local-directory", str(user.folder / "scratch"))
        nodes += [user.start("-m", "dask", "worker", *here, *more) for _ in range(2)]
        yield nodes[1:]
    finally:
        for node in nodes:
            node.kill()


def seen(user: User, executor: str) -> dict[str, Any]:
    """What the task on an executor saw."""
    found: dict[str, Any] = json.loads((user.folder / f"{executor}.json").read_text())
    return found


def assert_each_ran_where_it_was_sent(user: User, workers: list[Running], jobs: dict[str, dict[str, object]]) -> None:
    """Compute under an agent, uploads under a worker beside a manager, the cluster's under one of the Dask workers."""
    assert {job["state"] for job in jobs.values()} == {"DONE"}
    for executor in ("rehearsal", "compute", "uploads", "cluster"):
        assert jobs[f"on {executor}"]["executor"] == executor
    assert not (user.folder / "rehearsal.json").exists(), "the dummy has run its task"
    above = {name: seen(user, name)["ancestors"] for name in ("compute", "uploads", "cluster")}
    dask = {worker.pid for worker in workers}
    for name, ancestors in above.items():
        kinds = {kind for kind in ("jobmon.agent", ".py run", ".pyz payload") if any(kind in a[1] for a in ancestors)}
        assert kinds == {{"compute": "jobmon.agent", "uploads": ".py run", "cluster": ".pyz payload"}[name]}, ancestors
        assert bool(dask & {pid for pid, _ in ancestors}) is (name == "cluster"), ancestors
    assert any(" jobmon manager " in a[1] for a in above["uploads"]), above["uploads"]


def test_each_task_of_one_graph_runs_on_its_own_executor(user: User) -> None:
    user.write("look.py", LOOK)
    user.write("routed.py", SCRIPT)
    with cluster(user) as workers:
        done = user.run("routed.py", "1", "priority")
        assert done.status == 0, done.said
        assert "the whole is 42" in done.said
        assert_each_ran_where_it_was_sent(user, workers, user.jobs(1))
        assert "looked around" in user.jobmon("logs", "1", "on cluster").said
        assert user.recorded.flaws() == []


@contextmanager
def network_of_its_own() -> Iterator[tuple[str, list[str]]]:
    """This host's address on a line into a network namespace, and the words that run a command there."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("a network namespace needs root, and the command ip")
    name, number = f"jobmon{os.getpid()}", os.getpid() % 250
    address, there = f"10.213.{number}.1", f"10.213.{number}.2"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no network namespace can be made here: {made.stderr.strip()}")
    try:
        for words in (
            ["link", "add", f"jm{number}", "type", "veth", "peer", "name", "far", "netns", name],
            ["addr", "add", f"{address}/30", "dev", f"jm{number}"],
            ["link", "set", f"jm{number}", "up"],
            ["-n", name, "addr", "add", f"{there}/30", "dev", "far"],
            ["-n", name, "link", "set", "far", "up"],
            ["-n", name, "link", "set", "lo", "up"],
        ):
            subprocess.run(["ip", *words], check=True)
        yield address, ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@contextmanager
def same_network() -> Iterator[tuple[str, list[str]]]:
    """Loopback, and no words: without root, everything but the network is apart."""
    yield "127.0.0.1", []


@pytest.mark.parametrize("network", [same_network, network_of_its_own])
def test_a_manager_elsewhere_serves_an_executor_whose_plugin_the_client_lacks(
    network: Callable[[], Any], new_user: Callable[[], User]
) -> None:
    owner, author, far = new_user(), new_user(), new_user()
    with network() as (address, enter):
        server = owner.start("-m", "jobmon", "server", "--host", address)
        until(lambda: "serving" in server.said, "the server says where it is")
        told = json.loads((owner.data / "endpoint.json").read_text())
        [url] = [one for one in (told["url"], *(place["url"] for place in told["outside"])) if address in one]
        at = {"JOBMON_SERVER": url, "JOBMON_TOKEN_FILE": str(owner.data / "token")}
        lacks = {**at, "JOBMON_DISABLE_PLUGINS": "dask"}
        author.write("jobmon.toml", TOML)
        author.write("look.py", LOOK)
        author.write("routed.py", SCRIPT)
        unknown = author.run("routed.py", "early", "priority", **lacks)
        assert 'executor "cluster", which is neither' in unknown.said

        python = far.write("python", f'#!/bin/sh\nexec {" ".join([*enter, sys.executable])} "$@"\n')
        python.chmod(0o700)
        far.python = str(python)
        with cluster(far) as workers:
            manager = far.start("-m", "jobmon", "manager", "--executor", "cluster", **at)
            until(lambda: "serving every workflow: cluster (dask)" in manager.said, "the manager is there")
            wrong = author.run("routed.py", "wrong", "prioritty", **lacks)
            assert "did you mean 'priority'?" in wrong.said, wrong.said
            done = author.run("routed.py", "1", "priority", **lacks)
            assert done.status == 0, done.said
            assert "the whole is 42" in done.said
            assert_each_ran_where_it_was_sent(author, workers, json_jobs(author, lacks))
            networks = {name: seen(author, name)["network"] for name in ("compute", "uploads", "cluster")}
            here = str(Path("/proc/self/ns/net").readlink())
            assert networks["compute"] == networks["uploads"] == here
            assert (networks["cluster"] == here) is (not enter)
            assert manager.ended() is False
            again = author.run("routed.py", "2", "priority", **lacks)
            assert "the whole is 42" in again.said, again.said
            manager.process.terminate()
            assert manager.end(20).status == 0, manager.said
            assert [path.name for path in far.data.iterdir()] == ["managers"]
        assert owner.recorded.flaws() == []
        server.process.terminate()
        assert server.end(20).status == 0


def json_jobs(user: User, environ: dict[str, str]) -> dict[str, dict[str, object]]:
    """The jobs of workflow 1, asked for with that environment."""
    return {job["name"]: job for job in json.loads(user.jobmon("jobs", "1", "--json", **environ).said)}


TOUGH = """
    import sys
    from jobmon import BashTask, Workflow

    if __name__ == "__main__":
        workflow = Workflow("tough", workflow_args="1")
        shell = "echo start >> starts; until [ -e gate ]; do sleep 0.05; done; echo end >> starts"
        workflow.add_tasks([BashTask(shell, name="tough", executor="cluster", max_attempts=1)])
        workflow.run().raise_for_failures()
"""


def lines(user: User) -> list[str]:
    """What the tough task has written."""
    starts = user.folder / "starts"
    return starts.read_text().split() if starts.exists() else []


def test_what_runs_on_a_dask_cluster_outlives_its_manager(user: User) -> None:
    user.write("tough.py", TOUGH)
    with cluster(user):
        script = user.start("tough.py")
        until(lambda: lines(user), "the command has begun")
        [manager] = user.await_one("manager")
        os.kill(manager, signal.SIGKILL)
        until(lambda: "the manager was ended by signal 9" in script.said, "the client has seen it")
        (user.folder / "gate").touch()
        assert script.end().status == 0, script.said
        assert lines(user) == ["start", "end"]
        assert user.recorded.charged() == {}
        assert user.recorded.flaws() == []


def test_what_runs_on_a_dask_worker_that_dies_runs_again_as_another_attempt_that_costs_nothing(user: User) -> None:
    user.write("tough.py", TOUGH)
    with cluster(user) as workers:
        script = user.start("tough.py")
        until(lambda: lines(user), "the command has begun")
        for worker in workers:
            worker.kill()
        more = ("--no-dashboard", "--no-nanny", "--local-directory", str(user.folder / "scratch"))
        spare = user.start("-m", "dask", "worker", "--scheduler-file", str(user.folder / "scheduler.json"), *more)
        until(lambda: len(lines(user)) == 2, "the command has begun again")
        (user.folder / "gate").touch()
        assert script.end().status == 0, script.said
        spare.kill()
        assert lines(user) == ["start", "start", "end"]
        assert len(user.recorded.attempts()) == 2
        assert user.recorded.charged() == {}
        assert user.recorded.flaws() == []
