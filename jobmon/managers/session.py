"""The time for which one executor is served under one lease: its threads, from adoption to the last record."""

import logging
import math
import random
import sys
import threading
from collections.abc import Callable, Mapping

from jobmon.clock import Clock
from jobmon.config.named import NamedExecutor
from jobmon.errors import ConfigurationError, Superseded
from jobmon.managers.asking import Asking
from jobmon.managers.breaker import Breaker
from jobmon.managers.bucket import TokenBucket
from jobmon.managers.changes import ChangeListener
from jobmon.managers.context import HostContext
from jobmon.managers.folders import folders_of
from jobmon.managers.host import ExecutorHost
from jobmon.managers.job_instance_factory import JobInstanceFactory
from jobmon.managers.job_instance_reconciler import JobInstanceReconciler
from jobmon.managers.live import LiveTable
from jobmon.managers.outbox import Outbox
from jobmon.managers.platform_output import PlatformOutput
from jobmon.managers.put_off import PutOff
from jobmon.managers.reach import Reach
from jobmon.managers.recorder import Recorder
from jobmon.managers.run_here import run_here
from jobmon.managers.service import Notes, Service
from jobmon.managers.start_files import StartFiles
from jobmon.managers.wrong_answers import WrongAnswers, plugin_of
from jobmon.plugins import Observation, Placement, Reporting, SchedulerUnavailable
from jobmon.requester import Requester
from jobmon.wire.leases import Lease

_REMOTE_RATE_PER_S = 50.0
_REACH_AGAIN_S = 2.0
#: How long a call of the executor, and then the last records, may take when the manager stops.
_LAST_CALL_S = 5.0
_LAST_RECORDS_S = 10.0
_log = logging.getLogger(__name__)


class Session:
    """Serves one executor under a lease: hosts its factory and its reconciler."""

    def __init__(
        self,
        named: NamedExecutor,
        lease: Lease,
        requester: Requester,
        clock: Clock,
        *,
        n_queued_jobs: int,
        in_process: bool,
    ) -> None:
        self._requester = requester
        live, stopping = LiveTable(), threading.Event()
        folders = folders_of(requester, lease.workflow_id, named.name, named.host.shared_folder)
        reach = Reach(named, requester, folders)
        python = named.host.python or sys.executable
        context = HostContext(
            named.name, lease.workflow_id, folders, in_process, self._pushed, lambda r: run_here(requester, r), python
        )
        host = ExecutorHost(
            named.name,
            plugin_of(named.cls),
            named.make,
            context,
            clock=clock,
            bucket=TokenBucket(_rate_per_s(named), named.host.burst, clock.monotonic()),
            breaker=Breaker(random.random),
            timeout_s=None if in_process else named.host.call_timeout_s,
        )
        wrong = WrongAnswers(named.cls, live, clock)
        start_files = outbox = None
        if named.cls.reporting is Reporting.WORKER:
            start_files = StartFiles(reach, folders, named.host, named.cls.exit_map)
            outbox = Outbox(requester, folders.outbox)
        recorder = Recorder(lease, requester, named.cls.reporting, self._ended)
        self.service = Service(
            named, lease, requester, clock, host, Asking(host, clock, wrong), wrong, live, recorder, Notes(), PutOff(),
            reach, PlatformOutput(folders), start_files, outbox, n_queued_jobs, stopping,
        )  # fmt: skip
        self._reconciler = JobInstanceReconciler(self.service)
        self._listener = ChangeListener(self.service, on_cancel=self._reconciler.cancel)
        self._factory = JobInstanceFactory(
            self.service, on_uncertain=self._reconciler.look_for_uncertain, on_placed=self._reconciler.placed
        )
        self._failure: Exception | None = None
        self._superseded = False

    def run(self) -> None:
        """Adopt what is live, then create, submit and reconcile until `stop`, or an exclusive executor is idle.

        Raises:
            Superseded: another manager serves the executor now; the platform was left alone from then on.
            ServerUnreachable: the requester was stopped.
        """
        service = self.service
        sender = self._thread("recorder", service.recorder.run)
        try:
            self._listener.adopt()
            if self._get_ready():
                self._thread("reconciler", self._reconciler.run)
                self._thread("changes", self._listener.run)
                self._reconciler.look_for_uncertain()
                self._factory.run()
        except Exception as error:  # noqa: BLE001 - kept, the threads are ended, raised again below
            self._end(error)
        self.stop()
        service.host.stop(0.0 if self._superseded else _LAST_CALL_S)
        service.recorder.close()
        if not self._superseded:
            sender.join(_LAST_RECORDS_S)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Have `run` come to its end; attempts on the platform live on. Thread-safe."""
        self.service.stopping.set()
        self.service.live.close()
        self._reconciler.stop()

    def refresh_reach(self) -> None:
        """See that the server still listens where this executor's workers look for it."""
        reach = self.service.reach
        if not reach.begun:
            return
        try:
            reach.refresh()
        except ConfigurationError as error:
            self.service.notes.say("reach", _unreached(error))
        else:
            self.service.notes.say("reach", "")

    def supersede(self) -> None:
        """Another manager serves the executor: end at once, without another call of the platform."""
        self._end(Superseded(f"executor {self.service.name} is served by another manager now"))

    def let_go(self) -> None:
        """Nothing is live or queued any more: stop the executor now, whatever `run` still waits for."""
        self.stop()
        self.service.host.stop(_LAST_CALL_S)

    def _end(self, error: Exception) -> None:
        if isinstance(error, Superseded):
            self._superseded = True
            self.service.host.stop()
        self._failure = self._failure or error
        self.stop()

    def _get_ready(self) -> bool:
        """Start the executor, again and again while its platform is away; False when stopped meanwhile."""
        service = self.service
        while not service.stopping.is_set():
            wait_s = service.host.breaker.wait_s(service.clock.monotonic())
            if wait_s > 0:
                service.stopping.wait(wait_s)
                continue
            try:
                service.host.call("start", lambda _: None)
                if not service.reach.remote:
                    return True
                service.reach.begin(service.asking.cluster_host())
            except SchedulerUnavailable as error:
                _log.warning("executor %s cannot be started: %s", service.name, error)
            except ConfigurationError as error:
                service.notes.say("reach", _unreached(error))
                service.stopping.wait(_REACH_AGAIN_S)
            else:
                service.notes.say("reach", "")
                return True
        return False

    def _thread(self, what: str, body: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                body()
            except Exception as error:  # noqa: BLE001 - raised again by `run`
                self._end(error)

        thread = threading.Thread(target=guarded, name=f"{what} {self.service.name}", daemon=True)
        thread.start()
        return thread

    def _pushed(self, observations: Mapping[str, Observation]) -> None:
        self._reconciler.pushed(observations)

    def _ended(self, tokens: list[str]) -> None:
        self.service.drop(tokens)


def _unreached(error: ConfigurationError) -> str:
    return f"its workers cannot reach the server: {' '.join(str(error).split())}"


def _rate_per_s(named: NamedExecutor) -> float:
    if named.host.rate_per_s is not None:
        return named.host.rate_per_s
    return _REMOTE_RATE_PER_S if named.cls.placement is Placement.REMOTE else math.inf
