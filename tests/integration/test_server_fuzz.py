"""Ten thousand requests that no client of ours sends: none is answered 500, none leaves a trace where it must not."""

import asyncio
import logging
import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest
from invariants import check, content
from messages import EXECUTOR, begin, claim
from mutation import Mutations, as_json
from serving import embedded

from jobmon.clock import SystemClock
from jobmon.requester.endpoint import DataFolder
from jobmon.server import app as app_module
from jobmon.server.app import Api
from jobmon.server.credentials import Credentials
from jobmon.server.hub import Hub
from jobmon.server.job_query_server import JobQueryServer
from jobmon.server.job_state_manager import JobStateManager
from jobmon.server.signs import Patience, SignsOfLife
from jobmon.store.audit import audit
from jobmon.store.database import Database, open_database, server_key
from jobmon.store.writer import Writer
from jobmon.wire import routes
from jobmon.wire.health import Listen, Listening
from jobmon.wire.routes import ROUTES
from jobmon.wire.runs import FinishRun
from jobmon.wire.workers import FinishAttempts, FinishReport, StartAttempts

N_REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "10000"))
AT_ONCE = 16
CONTEXT = {"cwd": "/", "environment": {"A": "b"}, "log_folder": "/logs"}
PROCESS = {"host": "h", "boot_id": "b", "pid": 1, "started": 1}
REGISTRATION = {
    "type": "dummy", "distribution": "d", "version": "1", "api_version": [1, 0], "exclusive": False,
    "reporting": "worker", "resources": {"cores": "int"}, "required": [], "core_resources": {},
}  # fmt: skip


@attrs.frozen
class Answer:
    status: int
    body: Any


class Wire:
    """Calls of the ASGI application, as the server's own HTTP makes them."""

    def __init__(self, database: Database, folder: DataFolder, died: list[bool]) -> None:
        clock = SystemClock()
        signs = SignsOfLife(clock, Patience())
        self.writer = Writer(database, clock, on_death=lambda: died.append(True))
        hub = Hub(asyncio.get_running_loop())
        with database.reading.connect() as connection:
            self.credentials = Credentials("secret", server_key(connection))
        manager = JobStateManager(signs, self.credentials, hub.publish)
        queries = JobQueryServer(database, signs)
        self.database_id = queries.database_id
        self._asgi = Api(manager, queries, self.writer, hub, self.credentials, os.getpid(), _listen).asgi()
        self.writer.start()

    async def post(self, path: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> Answer:
        sent: list[Any] = []
        scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "root_path": "",
                 "query_string": b"", "scheme": "http", "http_version": "1.1", "headers": headers,
                 "server": ("x", 1), "client": ("y", 2)}  # fmt: skip

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._asgi(scope, receive, send)  # type: ignore[arg-type]
        answer = b"".join(message.get("body", b"") for message in sent)
        return Answer(sent[0]["status"], msgspec.json.decode(answer) if answer[:1] in b"{[" else answer)


async def _listen(message: Listen) -> Listening:
    return Listening(f"http://{message.host}")


class Fuzz:
    """Lives of small workflows; before each of their messages come wrong ones of its kind."""

    def __init__(self, wire: Wire, chance: random.Random) -> None:
        self._wire, self._chance = wire, chance
        self._mutations = Mutations(chance)
        self.answered: Counter[int] = Counter()
        self.wrong: list[tuple[str, bytes, Any]] = []
        self.called: set[str] = set()
        self._lives = 0

    async def run(self, n: int) -> None:
        while self.answered.total() < n:
            self._lives += 1
            await self._live(str(self._lives))

    async def _send(self, path: str, body: bytes, **more: bytes) -> Answer:
        good = {"authorization": b"Bearer secret", "jobmon-api": b"0.1", **more}
        tokens = self._mutations.known.get("token")
        if path.startswith("/attempts") and tokens and self._chance.random() < 0.3:
            good["authorization"] = f"Worker {self._wire.credentials.for_attempt(tokens[-1])}".encode()
        answer = await self._wire.post(path, body, self._mutations.headers(good))
        self.answered[answer.status] += 1
        if answer.status >= 500 or answer.status not in (200, 400, 401, 409, 413, 422, 426):
            self.wrong.append((path, body[:2_000], answer))
        return answer

    async def _wrong_ones(self, path: str, message: Any) -> None:
        bodies = [self._mutations.wrong(message) for _ in range(AT_ONCE)]
        others = self._chance.choices(list(ROUTES), k=AT_ONCE)
        made = [(other, self._mutations.message(ROUTES[other].request)) for other in others]
        self.called.update(others)
        ids = [self._chance.choice([b"", b"again", os.urandom(6).hex().encode()]) for _ in bodies]
        await asyncio.gather(
            *(self._send(path, body, **{"jobmon-request-id": i}) for body, i in zip(bodies, ids, strict=True)),
            *(self._send(other, self._mutations.wrong(message)) for other, message in made[::2]),
            *(self._send(other, as_json(message)) for other, message in made[1::2]),
        )

    async def _call(self, path: str, message: Any) -> Any:
        """Send wrong ones, and then what is right, which must be answered whatever came before."""
        await self._wrong_ones(path, message)
        good = [(b"authorization", b"Bearer secret"), (b"jobmon-api", b"0.1")]
        answer = await self._wire.post(path, msgspec.json.encode(message), good)
        self.answered[answer.status] += 1
        self._mutations.learn(message)
        if answer.status == 200:
            self._mutations.learn(answer.body)
        return answer.body

    async def _live(self, name: str) -> None:
        """A workflow of three tasks, one after a call whose result it takes; its run may be ended by others."""
        self._mutations.known["database_id"] = [self._wire.database_id]
        opened = await self._call("/runs/open", {"name": name, "workflow_args": None, "n_jobs": 3, "context": CONTEXT,
                                                 "client": PROCESS})  # fmt: skip
        ids = range(opened["first_job_id"], opened["first_job_id"] + 3)
        run, workflow = {"run_id": opened["run_id"]}, {"workflow_id": opened["workflow_id"]}
        place: dict[str, Any] = workflow | {"executor": EXECUTOR}
        call = {"module": "m", "function": "f", "args": [1, {"$output": ids[0]}], "kwargs": {"x": [{}]}}
        jobs = [{"job_id": i, "name": f"t{i}", "executor": EXECUTOR, "digest": "d", "call": call, "max_attempts": 2,
                 "resources": {"cores": 1}, "upstream": list(ids[:n]), "env": {"A": "b"}, "tags": ["x"],
                 "needs_outputs": n > 0} for n, i in enumerate(ids)]  # fmt: skip
        await self._call("/runs/bind", run | {"jobs": jobs})
        await self._call("/runs/begin", run)
        await self._call("/runs/queue", run | {"job_ids": list(ids)})
        await self._call("/leases/acquire", place | {"manager": PROCESS, "registration": REGISTRATION})
        granted = await self._call("/leases/acquire", place | {"manager": PROCESS, "registration": REGISTRATION})
        lease = {"lease": granted["lease"]}
        await self._call("/leases/renew", workflow | {"leases": [granted["lease"]], "notes": {EXECUTOR: "waits"}})
        claimed = await self._call("/instances/claim", lease | {"limit": 9, "with_credentials": True, "array_limit": 2})
        tokens = [one["token"] for one in claimed.get("claims", ())]
        outcomes = [{"token": t, "kind": "accepted", "executor_job_id": t[-3:]} for t in tokens]
        await self._call("/instances/outcomes", lease | {"outcomes": outcomes})
        worker = {"worker_id": "h:1:x"}
        await self._call("/attempts/start", worker | {"host": "h", "tokens": tokens})
        await self._call("/attempts/heartbeat", worker | {"tokens": tokens})
        seen = [{"token": t, "sighting": "RUNNING", "exit_status": 0, "usage": {"cpu_s": 1.0}} for t in tokens]
        await self._call("/instances/observations", lease | {"observations": seen})
        await self._call("/attempts/give-back", worker | {"tokens": tokens[2:], "why": "it is full"})
        reports = [{"token": t, "result": "[1]", "stdout_tail": "x", "usage": {"cpu_s": 1.0}} for t in tokens[:2]]
        await self._call("/attempts/finish", worker | {"reports": reports})
        await self._call("/jobs/changes", run | workflow | {"since": 0, "database_id": self._wire.database_id})
        await self._call("/instances/changes", place | {"since": 0, "database_id": self._wire.database_id})
        await self._call("/history", workflow | {"since": 0, "limit": 5})
        await self._call("/jobs", workflow | {"after": 0, "limit": 2})
        await self._call("/executors/serve", {"manager": PROCESS, "executors": {EXECUTOR: REGISTRATION}})
        await self._call("/runs/stop", run)
        await self._call("/runs/finish", run)


def test_no_request_is_answered_with_a_failure_of_the_server_and_a_workflow_runs_after_ten_thousand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seed = os.environ.get("FUZZ_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"to repeat, set FUZZ_SEED={seed}")
    monkeypatch.setattr(app_module, "_LONGEST_WAIT_S", 0.02)
    folder, died = DataFolder(tmp_path / "data").make(), []
    database = open_database(folder.database)

    async def main() -> Fuzz:
        wire = Wire(database, folder, died)
        try:
            fuzz = Fuzz(wire, random.Random(seed))
            await fuzz.run(N_REQUESTS)
            return fuzz
        finally:
            wire.writer.stop()

    with caplog.at_level(logging.WARNING):
        fuzz = asyncio.run(main())
    database.close()
    print(fuzz.answered)
    assert fuzz.wrong == []
    assert died == []
    assert [record.getMessage() for record in caplog.records] == []
    assert fuzz.called == set(ROUTES)
    assert fuzz.answered[200] > N_REQUESTS / 20, "most are refused, but not nearly all"
    assert audit(folder.database).flaws == ()
    check(content(folder.database))
    _lives_through_a_workflow(folder)


def _lives_through_a_workflow(folder: DataFolder) -> None:
    with embedded(folder.path) as server:
        begun = begin(server, 2, name="after all", args="1")
        tokens = [one.token for one in claim(server, begun)]
        server.call(routes.START_ATTEMPTS, StartAttempts("h:1:x", "h", tokens))
        server.call(routes.FINISH_ATTEMPTS, FinishAttempts("h:1:x", [FinishReport(token) for token in tokens]))
        assert server.call(routes.FINISH_RUN, FinishRun(begun.opened.run_id)).state == "DONE"
