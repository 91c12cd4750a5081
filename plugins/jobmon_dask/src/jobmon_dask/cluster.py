"""The connection of one executor to its Dask cluster."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle
import dask
from distributed import Client, Future, Security
from distributed.comm.core import connect

from jobmon.plugins import SchedulerUnavailable
from jobmon_dask import attempt, ledger
from jobmon_dask.settings import DaskResources, Settings

# The cluster need not have this package: what runs there goes there as code.
cloudpickle.register_pickle_by_value(attempt)
cloudpickle.register_pickle_by_value(ledger)


class _ByValue:
    """A function of such a module inside a graph, which Dask would otherwise send by its name."""

    def __init__(self, function: Callable[..., None]) -> None:
        self._code = cloudpickle.dumps(function)

    def __call__(self) -> None:
        raise NotImplementedError("it is called where it arrives, as the function that it stands for")

    def __reduce__(self) -> tuple[Callable[[bytes], object], tuple[bytes]]:
        return cloudpickle.loads, (self._code,)


class Cluster:
    """Connects when first asked, and anew when the connection was lost. `heard` gets the tokens that have news."""

    def __init__(self, settings: Settings, topic: str, heard: Callable[[tuple[float, str]], Awaitable[None]]) -> None:
        self._settings, self._topic, self._heard = settings, topic, heard
        self._client: Client | None = None

    def ask(self, what: str, **message: Any) -> Any:
        """The ledger's answer.

        Raises:
            SchedulerUnavailable: it gave none.
        """
        with self._answering() as client:
            limit_s = self._settings.timeout_s
            answer = client.sync(getattr(client.scheduler, f"jobmon_{what}"), **message, callback_timeout=limit_s)
        if answer is None:  # as Dask answers what it does not know
            self.close()
            raise SchedulerUnavailable("Dask's scheduler has no ledger: it is another one than before")
        return answer

    async def ask_in_loop(self, what: str, **message: Any) -> Any:
        """The same in the thread of the client's event loop, raising whatever it raises."""
        client = self._client
        return None if client is None else await getattr(client.scheduler, f"jobmon_{what}")(**message)

    def send(self, keys: Sequence[str], columns: Sequence[Sequence[Any]], wanted: DaskResources) -> None:
        """Submit attempts as tasks, which the ledger keeps. Their arrival is not waited for."""
        with self._answering() as client:
            futures = client.map(
                _ByValue(attempt.run_attempt),
                *columns,
                key=list(keys),
                pure=False,
                retries=0,
                resources=wanted.resources or None,
                workers=wanted.workers or None,
                priority=wanted.priority,
            )
            for future in futures:
                future.release()

    def forget(self, keys: Sequence[str]) -> None:
        """Take tasks that will not start out of the queue."""
        with self._answering() as client:
            client.cancel([Future(key, client) for key in keys], force=True)

    def end(self, tokens: Sequence[str], workers: Sequence[str]) -> None:
        """Ask workers to end attempts. One that does not answer is about to be lost."""
        with self._answering() as client:
            client.run(attempt.end_attempts, list(tokens), workers=list(workers), on_error="ignore")

    def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            client.close(timeout=min(5.0, self._settings.timeout_s))

    @contextmanager
    def _answering(self) -> Iterator[Client]:
        """The connected client. Whatever goes wrong is an outage; after all but a time-out a new client is made."""
        try:
            if self._client is not None and self._client.status != "running":
                self.close()
            if self._client is None:
                self._client = self._connect()
            yield self._client
        except SchedulerUnavailable:
            raise
        except TimeoutError as error:
            raise SchedulerUnavailable(
                f"Dask's scheduler gave no answer within {self._settings.timeout_s:g} s"
            ) from error
        except Exception as error:
            self.close()
            raise SchedulerUnavailable(f"Dask's scheduler: {type(error).__name__}: {error}") from error

    def _connect(self) -> Client:
        """A new client, with the ledger on the scheduler's side and its news on this one."""
        settings, timeout_s = self._settings, self._settings.timeout_s
        address, security = _address(settings), _security(settings)
        # Dask's own client waits for ever for the greeting of a scheduler that hangs.
        asyncio.run(asyncio.wait_for(_greet(address, security), timeout_s))
        client = Client(address, security=security, timeout=timeout_s, set_as_default=False, name="jobmon")
        try:
            client.register_plugin(ledger.Ledger())
            client.subscribe_topic(self._topic, self._heard)
        except BaseException:
            client.close(timeout=min(5.0, timeout_s))
            raise
        return client


def _address(settings: Settings) -> str:
    """The scheduler's address: the configured one, the one in the file, or that of Dask's own configuration."""
    if settings.scheduler_file is not None:
        address = json.loads(Path(settings.scheduler_file).expanduser().read_text())["address"]
    else:
        address = settings.address or dask.config.get("scheduler-address", None)
    if not address:
        raise SchedulerUnavailable("no Dask scheduler is known: set address or scheduler_file for this executor")
    return str(address)


def _security(settings: Settings) -> Security:
    if not settings.tls_ca_file:
        return Security()
    return Security(
        tls_ca_file=settings.tls_ca_file,
        tls_client_cert=settings.tls_cert,
        tls_client_key=settings.tls_key,
        require_encryption=True,
    )


async def _greet(address: str, security: Security) -> None:
    comm = await connect(address, **security.get_connection_args("client"))
    comm.abort()
