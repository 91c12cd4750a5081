"""A server process dies, ends and comes back; nothing that was acknowledged is lost."""

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import attrs
import msgspec
import pytest
from invariants import check, content
from messages import CONTEXT, begin, claim, open_run
from serving import embedded, end_server, endpoint_of, environment, files_limited_to, may_end, serving, strangers_server

from jobmon.errors import ServerUnreachable, StoreError
from jobmon.processes import identify, is_alive
from jobmon.requester import Requester, connect
from jobmon.requester.endpoint import DataFolder, Outside
from jobmon.states.names import JobState
from jobmon.wire import routes
from jobmon.wire.health import Health, ReadHealth
from jobmon.wire.leases import ClaimJobs
from jobmon.wire.runs import OpenRun, ReadChanges, ReadHistory, ReadJobs
from jobmon.wire.workers import FinishAttempts, FinishReport, StartAttempts

KILLS = 4
#: What takes long to import and is not wanted by a server whose database is new or of the newest schema.
SLOW = {"requests", "urllib3", "alembic", "mako"}
LONG_S = 25.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    end_server(tmp_path / "data")


class Writes:
    """A client, a manager and a worker in one thread, which remember what was acknowledged."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester
        self.acknowledged = threading.Condition()
        self.opened: list[str] = []
        self.done: dict[int, str] = {}
        self.n = 0
        self.ended = False

    def run(self) -> None:
        while not self.ended:
            name = f"w{len(self.opened)}"
            begun = begin(self._requester, 5, name=name)
            self._said(lambda name=name: self.opened.append(name))
            tokens = {c.token: c.job_id for c in claim(self._requester, begun)}
            assert len(tokens) == 5
            self._requester.call(routes.START_ATTEMPTS, StartAttempts("node1:1", "node1", list(tokens)))
            self._said()
            reports = [FinishReport(token, result=f'"{token}"') for token in tokens]
            self._requester.call(routes.FINISH_ATTEMPTS, FinishAttempts("node1:1", reports))
            self._said(lambda tokens=tokens: self.done.update({job: token for token, job in tokens.items()}))

    def _said(self, remember=lambda: None) -> None:
        with self.acknowledged:
            remember()
            self.n += 1
            self.acknowledged.notify_all()

    def wait_for_more(self, n: int) -> None:
        with self.acknowledged:
            goal = self.n + n
            assert self.acknowledged.wait_for(lambda: self.n >= goal, 60)


def test_killing_the_server_at_any_moment_loses_nothing_that_it_acknowledged(folder: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # shown when the test fails
    chance = random.Random(seed)
    requester = connect(environment(folder), patience_s=60)
    writes = Writes(requester)
    pids = {endpoint_of(folder).pid}
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(writes.run)
        for _ in range(KILLS):
            writes.wait_for_more(chance.randrange(1, 12))
            for _ in range(chance.randrange(100_000)):  # a moment within the next writes
                pass
            end_server(folder)
            pids.add(endpoint_of(folder).pid)
            check(content(folder / "jobmon.db"))  # as the crash left it
        writes.wait_for_more(1)
        writes.ended = True
        writing.result(60)
    end_server(folder)
    found = content(folder / "jobmon.db")
    check(found)
    assert len(pids) >= KILLS
    assert [row["name"] for row in found["workflow"]] == writes.opened, "each was acknowledged once and stored once"
    assert {row["job_id"]: row["value"] for row in found["job_result"]} == {
        job: f'"{token}"' for job, token in writes.done.items()
    }
    assert {row["state"] for row in found["job"]} == {"DONE"}


def test_a_server_that_is_started_again_takes_back_its_port_and_its_database(folder: Path) -> None:
    with embedded(folder) as requester:
        before = endpoint_of(folder)
        begun = begin(requester, 1)
        end_server(folder)
        assert is_alive(before.process) is False
        health = requester.call(routes.HEALTH, ReadHealth())
        after = endpoint_of(folder)
        assert (after.url, after.database_id) == (before.url, before.database_id) == (requester.url, health.database_id)
        assert after.pid != before.pid
        assert [c.job_id for c in claim(requester, begun)] == begun.job_ids  # the lease and its epoch live on


def test_a_server_of_another_database_on_the_recorded_port_is_not_taken_for_ones_own(folder: Path) -> None:
    with embedded(folder):
        before = endpoint_of(folder)
        end_server(folder)
        other = msgspec.json.encode(Health("of another user", (0, 1), "1", "host", 1))
        with strangers_server(int(before.url.rpartition(":")[2]), other), embedded(folder) as requester:
            after = endpoint_of(folder)
            assert requester.url == after.url != before.url
            assert requester.database_id == after.database_id == before.database_id


def test_waiting_calls_are_answered_at_once_when_the_server_is_told_to_end(tmp_path: Path) -> None:
    with serving(tmp_path) as server, embedded(tmp_path) as requester:
        assert endpoint_of(tmp_path).pid == server.pid
        begun = begin(requester, 1)
        claim(requester, begun)
        workflow_id = begun.opened.workflow_id
        seq = requester.call(routes.HISTORY, ReadHistory(workflow_id)).rows[-1].seq
        poll = ReadChanges(begun.opened.run_id, workflow_id, seq, requester.database_id, LONG_S)
        asked = threading.Barrier(3)

        def call(route, message):
            asked.wait(10)
            return Requester(requester.url, requester.token, patience_s=0).call(route, message)

        with ThreadPoolExecutor(2) as pool:
            changes = pool.submit(call, routes.CHANGES, poll)
            claims = pool.submit(call, routes.CLAIM_JOBS, ClaimJobs(begun.lease, 1, LONG_S))
            asked.wait(10)
            requester.call(routes.HISTORY, ReadHistory(workflow_id))
            server.send_signal(signal.SIGTERM)
            assert server.wait(10) == 0
            for waiting in (changes, claims):  # answered, or not even accepted any more; none is left hanging
                if waiting.exception(1) is not None:
                    assert isinstance(waiting.exception(), ServerUnreachable)


def test_a_server_that_nobody_needs_ends_and_one_that_somebody_needs_does_not(tmp_path: Path) -> None:
    with serving(tmp_path, idle_s=0.2, run_lease_s=0.6, manager_lease_s=0.2) as server:
        requester = Requester(endpoint_of(tmp_path).url, DataFolder(tmp_path).token(), patience_s=0)
        opened = requester.call(routes.OPEN_RUN, open_run(1))
        requester.database_id = endpoint_of(tmp_path).database_id
        for _ in range(6):  # a long poll for 0.3 s, six times: longer than `idle_s`, and the run's lease is renewed
            poll = ReadChanges(opened.run_id, opened.workflow_id, 0, requester.database_id, 0.3)
            requester.call(routes.CHANGES, poll)
        assert server.poll() is None
        assert server.wait(20) == 0  # the client is silent now
        with pytest.raises(ServerUnreachable):
            requester.call(routes.HEALTH, ReadHealth())


@pytest.mark.parametrize(("idle_s", "taken_back"), [(0.1, False), (60.0, True)])
def test_a_server_takes_back_where_workers_reached_it_unless_it_ended_because_none_was_left(
    tmp_path: Path, idle_s: float, taken_back: bool
) -> None:
    with serving(tmp_path) as server:
        first = endpoint_of(tmp_path)
        server.kill()
    port = int(first.url.rpartition(":")[2])
    place = Outside("127.0.0.9", port, f"http://127.0.0.9:{port}")  # stands for an address beyond loopback
    DataFolder(tmp_path).write_endpoint(attrs.evolve(first, outside=(place,)))
    with serving(tmp_path, idle_s=idle_s) as server:
        outward = Requester(place.url, DataFolder(tmp_path).token(), patience_s=0)
        if taken_back:
            assert outward.call(routes.HEALTH, ReadHealth()).database_id == first.database_id
            server.terminate()
        assert server.wait(20) == 0
        assert endpoint_of(tmp_path).outside == ((place,) if taken_back else ())
        with pytest.raises(ServerUnreachable):
            outward.call(routes.HEALTH, ReadHealth())


def test_a_server_with_a_live_attempt_does_not_end_though_all_are_silent(tmp_path: Path) -> None:
    with serving(tmp_path, held=True, idle_s=0.1, run_lease_s=0.1, manager_lease_s=0.1) as server:
        requester = Requester(endpoint_of(tmp_path).url, DataFolder(tmp_path).token(), patience_s=LONG_S)
        begun = begin(requester, 1)
        [claimed] = claim(requester, begun)
        may_end(server)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(server.wait)
            done, _ = wait([waiting], 1.5)
            assert not done
            requester.call(routes.START_ATTEMPTS, StartAttempts("node1:1", "node1", [claimed.token]))
            requester.call(routes.FINISH_ATTEMPTS, FinishAttempts("node1:1", [FinishReport(claimed.token)]))
            assert waiting.result(LONG_S) == 0


def test_when_no_file_can_grow_writes_are_refused_reads_go_on_and_nothing_is_lost(folder: Path) -> None:
    with embedded(folder) as requester:
        begun = begin(requester, 2)
        pid = endpoint_of(folder).pid
        longest = max(path.stat().st_size for path in folder.glob("jobmon.db*"))
        stored: list[str] = []

        def write_until_refused() -> None:
            while True:
                name = f"w{len(stored)}"
                requester.call(routes.OPEN_RUN, OpenRun(name, "x" * 5000, 1, CONTEXT, identify()))
                stored.append(name)

        with files_limited_to(pid, longest + 100_000), pytest.raises(StoreError, match="make room and go on"):
            write_until_refused()
        assert requester.call(routes.JOBS, ReadJobs(begun.opened.workflow_id)).jobs[0].state is (
            JobState.QUEUED_FOR_INSTANTIATION
        )
        assert len(claim(requester, begun)) == 2  # there is room again
        end_server(folder)
        found = content(folder / "jobmon.db")
        check(found)
        assert [row["name"] for row in found["workflow"]] == ["w", *stored]


def test_a_second_server_of_a_folder_is_refused_while_the_first_one_lives(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobmon.server import main

    with embedded(folder):
        monkeypatch.setattr(main, "_LOCK_PATIENCE_S", 0.1)
        with pytest.raises(StoreError, match=r"another server has the database of .* open"):
            main.serve(DataFolder(folder))


def test_the_files_of_a_server_can_be_read_by_their_user_alone(folder: Path) -> None:
    with embedded(folder):
        names = ["token", "endpoint.json", "jobmon.db", "jobmon.db-wal"]
        assert [oct((folder / name).stat().st_mode & 0o777) for name in names] == ["0o600"] * 4
        assert oct(folder.stat().st_mode & 0o777) == "0o700"


def test_a_server_starts_without_what_it_does_not_need(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import jobmon.server.__main__; from jobmon.store.database import *\n"
        "for _ in range(2): open_database(Path(sys.argv[1])).close()\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    argv = [sys.executable, "-c", program, str(tmp_path / "jobmon.db")]
    imported = set(subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split())
    assert {"jobmon", "sqlalchemy", "uvicorn"} <= imported
    assert imported & SLOW == set()
