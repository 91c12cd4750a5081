"""One executor that a manager was given: gets its lease, serves it, lets it go."""

import logging
import threading
from collections.abc import Callable
from importlib import metadata

from jobmon.clock import Clock
from jobmon.config.named import NamedExecutor
from jobmon.errors import ServerUnreachable, Superseded
from jobmon.managers.session import Session
from jobmon.managers.wrong_answers import installed_as
from jobmon.plugins.describe import describe
from jobmon.processes import identify
from jobmon.requester import Requester
from jobmon.states.names import FINAL_JOB_STATES, JobState
from jobmon.wire import routes
from jobmon.wire.leases import AcquireLease, ExecutorRegistration, Lease, ReleaseLease
from jobmon.wire.runs import ReadWorkflow

#: How often an exclusive executor without the lease looks whether there is work for it, and asks for its turn.
LOOK_AGAIN_S = 0.5
_AT_REST = FINAL_JOB_STATES | {JobState.REGISTERED, JobState.ADJUSTING_RESOURCES}
_log = logging.getLogger(__name__)


class ServedExecutor:
    """Serves one executor of one workflow for as long as the manager lives.

    The lease of an exclusive executor is held only while it has work, so that other workflows get their turn: without
    the lease the workflow's counts are read twice a second (a read, which costs the server no commit), and the lease is
    asked for when jobs of the executor are queued or live.
    """

    def __init__(
        self,
        named: NamedExecutor,
        workflow_id: int,
        requester: Requester,
        clock: Clock,
        *,
        n_queued_jobs: int,
        in_process: bool,
        on_end: Callable[[], None],
    ) -> None:
        self.named = named
        self.renew_every_s = 1.0
        self.failure: Exception | None = None
        self.ended = False
        self._workflow_id, self._requester, self._clock = workflow_id, requester, clock
        self._n_queued_jobs, self._in_process, self._on_end = n_queued_jobs, in_process, on_end
        self._session: Session | None = None
        self._turn = ""  #: why it waits for the lease
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"serve {named.name}", daemon=True)

    @property
    def lease(self) -> Lease | None:
        """The lease that it holds."""
        session = self._session
        return None if session is None else session.service.lease

    @property
    def idle(self) -> bool:
        """It has no live attempt."""
        session = self._session
        return session is None or len(session.service.live) == 0

    def notes(self) -> str:
        """What is waiting and why, in words."""
        session = self._session
        if session is None:
            return self._turn
        return session.service.waiting()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Come to an end, politely; `join` waits for it."""
        self._stopping.set()
        session = self._session
        if session is not None:
            session.stop()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end."""
        self._thread.join(timeout_s)

    def supersede(self, lease: Lease) -> None:
        """The server says that this lease is another manager's now."""
        session = self._session
        if session is not None and session.service.lease == lease:
            session.supersede()

    def refresh_reach(self) -> None:
        """See that the server listens where this executor's workers look for it."""
        session = self._session
        if session is not None:
            session.refresh_reach()

    def let_go(self) -> None:
        """Nothing is left to do: end at once, without waiting for a claim that is under way on the server."""
        self._stopping.set()
        session, self._session = self._session, None
        if session is not None:
            session.let_go()
            self._release(session.service.lease)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if not self.named.exclusive or self._has_work():
                    self._serve()
                    if not self.named.exclusive:
                        break
                self._stopping.wait(LOOK_AGAIN_S)
        except Exception as error:  # noqa: BLE001 - raised again by the manager
            if not (self._stopping.is_set() and isinstance(error, Superseded | ServerUnreachable)):
                self.failure = error
        finally:
            self.ended = True
            self._on_end()

    def _has_work(self) -> bool:
        """Whether jobs of this executor are queued or live."""
        status = self._requester.call(routes.WORKFLOW, ReadWorkflow(self._workflow_id))
        states = next((e.states for e in status.executors if e.executor == self.named.name), {})
        return any(count for state, count in states.items() if state not in _AT_REST)

    def _serve(self) -> None:
        answer = self._requester.call(
            routes.ACQUIRE_LEASE,
            AcquireLease(self._workflow_id, self.named.name, identify(), registration_of(self.named)),
        )
        self.renew_every_s = answer.renew_every_s
        if answer.lease is None:
            self._turn = f"waits for its turn: {answer.why}"
            return
        self._turn = ""
        session = self._session = Session(
            self.named,
            answer.lease,
            self._requester,
            self._clock,
            n_queued_jobs=self._n_queued_jobs,
            in_process=self._in_process,
        )
        try:
            if self._stopping.is_set():  # `stop` may have come before it could see the session
                session.stop()
            session.run()
        finally:
            # First forgotten, then released: the renewals must not take a released lease for a superseded one.
            held, self._session = self._session, None
        if held is not None:
            self._release(answer.lease)

    def _release(self, lease: Lease) -> None:
        try:
            self._requester.call(routes.RELEASE_LEASE, ReleaseLease(lease), patience_s=1.0)
        except (Superseded, ServerUnreachable) as error:
            _log.info("the lease of executor %s is left to expire: %s", self.named.name, error)


def registration_of(named: NamedExecutor) -> ExecutorRegistration:
    """What the server is told of the executor."""
    cls = named.cls
    fields = describe(cls.resources_type)
    installed = installed_as(cls.name)
    return ExecutorRegistration(
        cls.name,
        installed.distribution if installed else "not installed",
        installed.version if installed else metadata.version("jobmon"),
        list(cls.api_version),
        named.exclusive,
        cls.reporting,
        {field.name: field.type for field in fields},
        [field.name for field in fields if field.default is None],
        {key: str(support) for key, support in cls.core_resources.items()},
    )
