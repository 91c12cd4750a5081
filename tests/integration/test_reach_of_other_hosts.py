"""Workers on another host, which is a network namespace: the server listens where they reach it, and they do."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import namespaces
import pytest
from namespaces import Host, two_hosts
from serving import end_process, end_server, endpoint_of

from jobmon.requester.endpoint import DataFolder
from jobmon.worker.build import build_worker

pytestmark = pytest.mark.skipif(bool(namespaces.why_not()), reason=namespaces.why_not() or "namespaces can be made")
PROGRAM = Path(__file__).parents[1] / "support" / "other_host.py"


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    with two_hosts() as hosts:
        yield hosts


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    end_server(tmp_path / "data")


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JOBMON_")}
    return clean | {"PYTHONPATH": str(PROGRAM.parent)}


class Run:
    """The program on the first host."""

    def __init__(self, hosts: tuple[Host, Host], data: Path, shell: str) -> None:
        argv = hosts[0].argv(sys.executable, str(PROGRAM), str(data), hosts[1].name, hosts[1].address, shell)
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment())

    def line(self) -> dict:
        """What it prints next."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


def test_a_worker_on_another_host_finds_the_server_where_it_listens_for_it(
    hosts: tuple[Host, Host], data: Path
) -> None:
    here, there = hosts
    run = Run(hosts, data, "ip -brief address show dev veth0")
    begun, ended = run.line(), run.line()
    run.end()
    assert begun["url"].startswith("http://127.0.0.1:")
    port = begun["url"].rpartition(":")[2]
    assert begun["said"][0] == f"the server listens at http://{here.address}:{port}, too, for workers of nodes"
    assert ended["outside"] == [f"http://{here.address}:{port}"]
    assert ended["state"] == "DONE"
    assert there.address in ended["tails"][0]


def test_a_server_that_was_killed_is_there_again_for_a_worker_on_another_host(
    hosts: tuple[Host, Host], data: Path
) -> None:
    data.mkdir(mode=0o700)
    for fifo in ("begun", "go"):
        os.mkfifo(data / fifo)
    run = Run(hosts, data, "echo > begun; read x < go; echo done")
    begun = run.line()
    (data / "begun").read_text()
    before = endpoint_of(data)
    end_process(before.pid)
    (data / "go").write_text("x\n")
    ended = run.line()
    run.end()
    after = endpoint_of(data)
    assert after.pid != before.pid
    assert (after.url, after.outside) == (begun["url"], before.outside)
    assert ended == {"state": "DONE", "tails": ["done\n"], "outside": [place.url for place in before.outside]}


def test_a_worker_that_is_told_of_loopback_alone_ends_on_another_host_without_having_begun(
    hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    status, said = worker_of("http://127.0.0.1:9", tmp_path, hosts[1])
    assert status == 75
    assert "j1: not started: http://127.0.0.1:9: ConnectionRefusedError" in said


def worker_of(url: str, folder: Path, host: Host) -> tuple[int, str]:
    """Status and words of a worker on that host with a credential that no server has given."""
    start = {
        "server": url, "endpoint": None, "token": "j1", "credential": "00",
        "start_wait_s": 0.5, "report_wait_s": 0.5, "outbox": str(folder),
    }  # fmt: skip
    (folder / "start.json").write_bytes(msgspec.json.encode(start))
    argv = [sys.executable, "-I", "-S", str(build_worker(folder)), "run", str(folder / "start.json")]
    done = subprocess.run(host.argv(*argv), capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stderr


LISTEN = """
import json, sys
from pathlib import Path
from jobmon.errors import ConfigurationError
from jobmon.requester import connect, workers_url
requester = connect({"JOBMON_DATA": sys.argv[1]}, patience_s=30)
for host in sys.argv[2:]:
    try:
        print(json.dumps(workers_url(requester, host=host, port=None, cluster=None)))
    except ConfigurationError as error:
        print(json.dumps(str(error)))
"""


def asked(host: Host, data: Path, *addresses: str) -> list[str]:
    argv = host.argv(sys.executable, "-c", LISTEN, str(data), *addresses)
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True, env=environment(), timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_running_server_listens_where_it_is_asked_to_or_says_which_line_would_be_right(
    hosts: tuple[Host, Host], data: Path, tmp_path: Path
) -> None:
    here, there = hosts
    wanted = (here.address, here.address, there.address, here.address6, "0.0.0.0")
    first, again, wrong, by_ipv6, everywhere = asked(here, data, *wanted)
    port = endpoint_of(data).url.rpartition(":")[2]
    assert first == again == f"http://{here.address}:{port}"
    assert f"cannot listen on 10.99.7.2 port {port}: Cannot assign requested address" in wrong
    assert wrong.endswith(f'[server]\nhost = "{here.address}"')
    assert everywhere.startswith(f"http://{here.address}:")
    assert by_ipv6 == f"http://[{here.address6}]:{port}"
    assert [place.host for place in endpoint_of(data).outside] == [here.address, here.address6, "0.0.0.0"]
    for url in (first, by_ipv6, everywhere):
        status, said = worker_of(url, tmp_path, there)
        assert (status, f"{url}: ValueError: what listens there does not prove" in said) == (75, True)


def test_a_server_without_a_network_is_reached_on_loopback_by_a_cluster_of_its_host(data: Path, tmp_path: Path) -> None:
    script = LISTEN.replace("host=host", "host=None").replace("cluster=None", "cluster=host")
    argv = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-c", script]
    done = subprocess.run(
        [*argv, str(data), "node1.of.no.network"], capture_output=True, text=True, check=True, env=environment()
    )
    assert json.loads(done.stdout) == DataFolder(data).endpoint().url  # type: ignore[union-attr]
    assert endpoint_of(data).outside == ()
