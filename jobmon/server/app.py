"""The HTTP interface: every route of the table, decoded, checked, sent to the writer or a reader, answered."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute

import jobmon
from jobmon.errors import InvalidRequest, JobmonError, ServerError, ServerIncompatible
from jobmon.server.credentials import Credentials
from jobmon.server.hub import Hub
from jobmon.server.job_query_server import JobQueryServer
from jobmon.server.job_state_manager import JobStateManager
from jobmon.server.writing import cancellations_of, changes_of, instances_of, is_news, news_of, queue_of
from jobmon.store import leases as lease_rows
from jobmon.store.writer import Outcome, Transaction, Writer
from jobmon.wire import routes
from jobmon.wire.decoding import Undecodable
from jobmon.wire.health import API_VERSION, Health, Listen, Listening
from jobmon.wire.leases import ClaimJobs, JobsClaimed, ReadInstanceChanges
from jobmon.wire.problems import to_problem
from jobmon.wire.routes import API_HEADER, REQUEST_ID_HEADER, Access, Route
from jobmon.wire.runs import ReadChanges

_LONGEST_WAIT_S = 30.0
_READERS = 3
_RIDE_S = 0.1
_log = logging.getLogger("jobmon.server")
_encode = msgspec.json.Encoder().encode


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
        self._health = _encode(Health(queries.database_id, API_VERSION, jobmon.__version__, socket.gethostname(), pid))

    def starlette(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[HttpRoute(path, self._endpoint(route), methods=["POST"]) for path, route in routes.ROUTES.items()]
        )

    def _endpoint(self, route: Route[Any, Any]) -> Callable[[Request], Awaitable[Response]]:
        decoder = msgspec.json.Decoder(route.request)
        answer_of = self._answerer(route)

        async def endpoint(request: Request) -> Response:
            try:
                body = await request.body()
                if route.access is Access.ANYONE:
                    return _json(self._health)
                _check_version(request.headers.get(API_HEADER, ""))
                if route.access is Access.USER:
                    self._credentials.check_user(request.headers.get("authorization", ""))
                message = _decoded(decoder, body)
                if route.access is Access.WORKER:
                    self._credentials.check_worker(request.headers.get("authorization", ""), _tokens_of(message))
                return _json(await answer_of(message, request.headers.get(REQUEST_ID_HEADER, "")))
            except ClientDisconnect:
                return Response(status_code=499)  # nobody reads it
            except JobmonError as error:
                return _refused(error)
            except Exception:  # noqa: BLE001 - whatever it is, the client must hear of it and the log must have it
                _log.exception("%s failed", route.path)
                return _refused(ServerError(f"the server failed at {route.path}; its log says why"))

        return endpoint

    def _answerer(self, route: Route[Any, Any]) -> Callable[[Any, str], Awaitable[bytes]]:
        if route is routes.CLAIM_JOBS:
            return self._claim
        if route is routes.LISTEN:
            return lambda message, _: self._encoded(self._listen(message))
        if route is routes.CHANGES:
            return lambda message, _: self._changes(message)
        if route is routes.INSTANCE_CHANGES:
            return lambda message, _: self._instance_changes(message)
        if self._manager.handles(route):
            return lambda message, request_id: self._write(route, message, request_id)
        return lambda message, _: self._read(route, message)

    async def _encoded(self, answer: Awaitable[Any]) -> bytes:
        return _encode(await answer)

    async def _read(self, route: Route[Any, Any], message: Any) -> bytes:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, lambda: _encode(self._queries.read(route, message)))

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
                    return _encode(answer)

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
                    return _encode(answer)
                if not answer.jobs and not await anything.wait(left):
                    return _encode(answer)
                await news.wait(min(left, _RIDE_S))
                last = bool(answer.jobs)

    async def _claim(self, message: ClaimJobs, request_id: str) -> bytes:
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
                    answer = await self._write(routes.CLAIM_JOBS, message, request_id)
                    if answer != _NOTHING_CLAIMED or left <= 0:
                        return answer
                    self._empty_since[topic] = (queued, message.lease.epoch)
                    left = deadline - loop.time()
                if left > 0 and not await listener.wait(left) and self._hub.closing:
                    return _NOTHING_CLAIMED

    async def _write(self, route: Route[Any, Any], message: Any, request_id: str) -> bytes:
        """Give the message to the writer; its encoded answer is stored with it, for a repetition."""

        def operation(tx: Transaction) -> bytes:
            if request_id:
                stored = lease_rows.stored_answer(tx.connection, request_id)
                if stored is not None:
                    return stored
            answer = _encode(self._manager.apply(route, tx, message))
            if request_id and answer != _NOTHING_CLAIMED:
                lease_rows.save_answer(tx.connection, request_id, answer, tx.at)
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


_NOTHING_CLAIMED = _encode(JobsClaimed([]))


def _tokens_of(message: Any) -> list[str]:
    return [report.token for report in message.reports] if hasattr(message, "reports") else message.tokens


def _decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except Undecodable as error:
        raise InvalidRequest(f"the message cannot be read: {error}") from error


def _check_version(sent: str) -> None:
    try:
        major, minor = (int(part) for part in sent.split("."))
    except ValueError:
        raise InvalidRequest(f"the header {API_HEADER} is {sent!r}; it must be a version such as 0.1") from None
    if major != API_VERSION[0] or minor > API_VERSION[1]:
        raise ServerIncompatible(
            f"this server speaks API {API_VERSION[0]}.0 to {API_VERSION[0]}.{API_VERSION[1]}, the request {sent}: "
            "upgrade the older of the two"
        )


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _refused(error: JobmonError) -> Response:
    problem = to_problem(error)
    return Response(_encode(problem), status_code=problem.status, media_type="application/problem+json")
