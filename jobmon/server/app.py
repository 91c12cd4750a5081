"""The HTTP interface: every route of the table, decoded, checked, sent to the writer or a reader, answered."""

import asyncio
import hashlib
import logging
import socket
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute
from starlette.types import ASGIApp

import jobmon
from jobmon.errors import JobmonError, ServerError
from jobmon.server.admission import CALLER, Admission
from jobmon.server.allowance import Allowance
from jobmon.server.answers import answered, encode, refused
from jobmon.server.batches import Reader
from jobmon.server.credentials import Caller, Credentials
from jobmon.server.hub import Hub
from jobmon.server.job_query_server import JobQueryServer
from jobmon.server.job_state_manager import JobStateManager
from jobmon.server.writing import cancellations_of, changes_of, instances_of, is_news, news_of, queue_of
from jobmon.store import leases as lease_rows
from jobmon.store.writer import Outcome, Transaction, Writer
from jobmon.wire import routes
from jobmon.wire.health import API_VERSION, Health, Listen, Listening, ReadHealth
from jobmon.wire.leases import ClaimJobs, JobsClaimed, ReadInstanceChanges
from jobmon.wire.problems import Problem
from jobmon.wire.proof import address_of
from jobmon.wire.routes import REQUEST_ID_HEADER, Access, Route
from jobmon.wire.runs import ReadChanges

_LONGEST_WAIT_S = 30.0
_READERS = 3
_ASKERS = 2
_OF_PEOPLE = (routes.WORKFLOWS, routes.WORKFLOW, routes.JOBS, routes.ATTEMPTS, routes.RESULT, routes.HISTORY)
_RIDE_S = 0.1
#: Larger messages are decoded in a thread, so that the event loop goes on meanwhile.
_DECODED_HERE_BYTES = 64 << 10
_log = logging.getLogger("jobmon.server")


@attrs.frozen
class _Asked:
    """By whom, and what the answer is kept under (nothing, where it is not)."""

    caller: Caller
    key: bytes


class Api:
    """Answers requests. One object per server."""

    def __init__(
        self,
        manager: JobStateManager,
        queries: JobQueryServer,
        writer: Writer,
        hub: Hub,
        credentials: Credentials,
        pid: int,
        listen: Callable[[Listen], Awaitable[Listening]],
    ) -> None:
        self._manager = manager
        self._queries = queries
        self._writer = writer
        self._hub = hub
        self._credentials = credentials
        self._listen = listen
        self._empty_since: dict[Hashable, tuple[int, int]] = {}
        self._news_told: dict[int, int] = {}  #: how much news had been published when a run's changes were last read
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")
        # People's questions may read much, and those of parts that run are short: neither waits for the other.
        self._askers = ThreadPoolExecutor(_ASKERS, thread_name_prefix="asker")
        self._allowance = Allowance()  # the writer's, which is one thread
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="decoder")
        self._health = Health(queries.database_id, API_VERSION, jobmon.__version__, socket.gethostname(), pid)

    def asgi(self) -> ASGIApp:
        """The ASGI application."""
        answering = Starlette(
            routes=[HttpRoute(path, self._endpoint(route), methods=["POST"]) for path, route in routes.ROUTES.items()]
        )
        return Admission(answering, self._credentials)

    def _endpoint(self, route: Route[Any, Any]) -> Callable[[Request], Awaitable[Response]]:
        reader = Reader(route)
        answer_of = self._answerer(route)

        async def endpoint(request: Request) -> Response:
            try:
                body = await request.body()
                message, unread = await self._read_message(reader, body)
                if route is routes.HEALTH:
                    return answered(encode(self._who(message, address_of(request.scope["server"]))))
                caller: Caller = request.scope[CALLER]
                if route.access is Access.WORKER:
                    caller.check_covers(_tokens_of(message))
                request_id = request.headers.get(REQUEST_ID_HEADER, "")
                asked = _Asked(caller, _answer_key(caller, route, request_id, body) if request_id else b"")
                answer = await answer_of(message, asked)
                return answered(reader.with_refused(answer, unread) if unread else answer)
            except ClientDisconnect:
                return Response(status_code=499)  # nobody reads it
            except JobmonError as error:
                return refused(error)
            except Exception:  # noqa: BLE001 - whatever it is, the client must hear of it and the log must have it
                _log.exception("%s failed", route.path)
                return refused(ServerError(f"the server failed at {route.path}; its log says why"))

        return endpoint

    def _who(self, message: ReadHealth, address: str) -> Health:
        """Who answers at that address, and proof of it."""
        if message.challenge is None:
            return self._health
        proof = self._credentials.proof(message.challenge, message.attempt, address, self._health.database_id)
        return attrs.evolve(self._health, address=address, proof=proof)

    def _answerer(self, route: Route[Any, Any]) -> Callable[[Any, _Asked], Awaitable[bytes]]:
        if route is routes.CLAIM_JOBS:
            return self._claim
        if route is routes.LISTEN:
            return lambda message, _: self._encoded(self._listen(message))
        if route is routes.CHANGES:
            return lambda message, _: self._changes(message)
        if route is routes.INSTANCE_CHANGES:
            return lambda message, _: self._instance_changes(message)
        if self._manager.handles(route):
            return lambda message, asked: self._write(route, message, asked)
        return lambda message, _: self._read(route, message)

    async def _read_message(self, reader: Reader, body: bytes) -> tuple[Any, list[Problem]]:
        if len(body) <= _DECODED_HERE_BYTES:
            return reader.read(body)
        return await asyncio.get_running_loop().run_in_executor(self._decoder, reader.read, body)

    async def _encoded(self, answer: Awaitable[Any]) -> bytes:
        return encode(await answer)

    async def _read(self, route: Route[Any, Any], message: Any) -> bytes:
        loop = asyncio.get_running_loop()
        threads = self._askers if route in _OF_PEOPLE else self._readers
        return await loop.run_in_executor(threads, lambda: encode(self._queries.read(route, message)))

    async def _instance_changes(self, message: ReadInstanceChanges) -> bytes:
        """Read changes of attempts; while there are none, wait for one, up to the time that the message gives."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(message.wait_s, _LONGEST_WAIT_S)
        topic_of = cancellations_of if message.only_cancelling else instances_of
        with self._hub.listen(topic_of(message.workflow_id)) as listener:
            while True:
                answer = await loop.run_in_executor(self._readers, self._queries.read, routes.INSTANCE_CHANGES, message)
                left = deadline - loop.time()
                if answer.instances or answer.reset or left <= 0 or not await listener.wait(left):
                    return encode(answer)

    async def _changes(self, message: ReadChanges) -> bytes:
        """Read changes of jobs. News is told at once; what nobody acts upon rides along, or waits for a moment."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(message.wait_s, _LONGEST_WAIT_S)
        topic, last = news_of(message.workflow_id), False
        with self._hub.listen(changes_of(message.workflow_id)) as anything, self._hub.listen(topic) as news:
            if message.wait_s > 0 and self._news_told.get(message.run_id) == self._hub.published(topic):
                await news.wait(min(message.wait_s, _RIDE_S))  # nothing but what rides along can be there yet
            while True:
                self._news_told[message.run_id] = self._hub.published(topic)
                answer = await loop.run_in_executor(self._readers, self._queries.read, routes.CHANGES, message)
                left = deadline - loop.time()
                if answer.reset or any(map(is_news, answer.jobs)) or left <= 0 or last:
                    return encode(answer)
                if not answer.jobs and not await anything.wait(left):
                    return encode(answer)
                await news.wait(min(left, _RIDE_S))
                last = bool(answer.jobs)

    async def _claim(self, message: ClaimJobs, asked: _Asked) -> bytes:
        """Claim; while there is nothing to claim, wait until something is queued.

        Where the last claim came back empty and nothing was queued since, the writer is not asked again.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(message.wait_s, _LONGEST_WAIT_S)
        topic = queue_of(message.lease.workflow_id, message.lease.executor)
        with self._hub.listen(topic) as listener:
            while True:
                queued, left = self._hub.published(topic), deadline - loop.time()
                known_empty = self._empty_since.get(topic) == (queued, message.lease.epoch)
                if not known_empty or left <= 0:
                    answer = await self._write(routes.CLAIM_JOBS, message, asked)
                    if answer != _NOTHING_CLAIMED or left <= 0:
                        return answer
                    self._empty_since[topic] = (queued, message.lease.epoch)
                    left = deadline - loop.time()
                if left > 0 and not await listener.wait(left) and self._hub.closing:
                    return _NOTHING_CLAIMED

    async def _write(self, route: Route[Any, Any], message: Any, asked: _Asked) -> bytes:
        """Give the message to the writer; its encoded answer is stored with it under its key, for a repetition."""
        key = asked.key

        def operation(tx: Transaction) -> bytes:
            if key:
                stored = lease_rows.stored_answer(tx.connection, key)
                if stored is not None:
                    return stored
            if route.writes and not asked.caller.is_user:
                self._allowance.take(asked.caller.attempt)
            answer = encode(self._manager.apply(route, tx, message))
            if key and answer != _NOTHING_CLAIMED:
                lease_rows.save_answer(tx.connection, key, answer, tx.at)
            return answer

        loop = asyncio.get_running_loop()
        future: asyncio.Future[bytes] = loop.create_future()
        self._writer.submit(operation, lambda outcome: _settle(loop, future, outcome))
        return await future


def _settle(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[bytes]", outcome: Outcome) -> None:
    def settle() -> None:
        if future.cancelled():
            return
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.value)

    loop.call_soon_threadsafe(settle)


_NOTHING_CLAIMED = encode(JobsClaimed([]))


def _tokens_of(message: Any) -> list[str]:
    return [report.token for report in message.reports] if hasattr(message, "reports") else message.tokens


def _answer_key(caller: Caller, route: Route[Any, Any], request_id: str, body: bytes) -> bytes:
    """What an answer is kept under: a request id alone may be another's, or be used for another message."""
    digest = hashlib.blake2b("\0".join((caller.name, route.path, request_id, "")).encode(), digest_size=16)
    digest.update(body)
    return digest.digest()
