"""Serves executors for every workflow of a server that wants them, until it is told to stop."""

import logging
import threading
from collections.abc import Sequence

from jobmon.config.named import NamedExecutor
from jobmon.errors import JobmonError, Superseded
from jobmon.managers.job_instance_manager import JobInstanceManager
from jobmon.managers.served import registration_of
from jobmon.processes import identify
from jobmon.requester import Requester
from jobmon.wire import routes
from jobmon.wire.leases import ServeExecutors, Wanted

_log = logging.getLogger(__name__)


class StandingManager:
    """Tells the server which executors it serves, and runs a JobInstanceManager for each workflow and executor.

    It takes up only what no live manager serves: a workflow that serves an executor itself keeps it.
    """

    def __init__(self, executors: Sequence[NamedExecutor], *, requester: Requester) -> None:
        self._requester = requester
        self._executors = {named.name: named for named in executors}
        self._me = identify()
        self._managers: dict[Wanted, JobInstanceManager] = {}
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Have `run` return: leases are released, attempts on the platforms live on. Thread-safe."""
        self._stopping.set()

    def run(self) -> None:
        """Serve until `stop`.

        Raises:
            Superseded: newer standing managers serve all of the executors.
            ServerUnreachable: the requester was stopped.
        """
        registrations = {name: registration_of(named) for name, named in self._executors.items()}
        try:
            while not self._stopping.is_set():
                answer = self._requester.call(routes.SERVE_EXECUTORS, ServeExecutors(self._me, registrations))
                for name in answer.superseded:
                    _log.warning("a newer standing manager serves %s now", name)
                    del registrations[name]
                if not registrations:
                    raise Superseded(f"other managers serve {', '.join(self._executors)} now")
                self._forget_ended()
                for wanted in answer.wanted:
                    self._take_up(wanted)
                self._stopping.wait(answer.ask_again_s)
        finally:
            for manager in self._managers.values():
                manager.stop()
            for wanted in list(self._managers):
                self._join(wanted, None)

    def _take_up(self, wanted: Wanted) -> None:
        if wanted in self._managers or wanted.executor not in self._executors:
            return
        _log.info("serving workflow %d: %s", wanted.workflow_id, wanted.executor)
        named = self._executors[wanted.executor]
        manager = self._managers[wanted] = JobInstanceManager(wanted.workflow_id, [named], requester=self._requester)
        manager.start()

    def _forget_ended(self) -> None:
        for wanted in list(self._managers):
            self._join(wanted, 0.0)

    def _join(self, wanted: Wanted, timeout_s: float | None) -> None:
        """Forget a manager that has ended within the time. What ended it is told, and concerns no other one."""
        try:
            if not self._managers[wanted].join(timeout_s):
                return
        except JobmonError as error:
            _log.warning("workflow %d: %s is not served any more: %s", wanted.workflow_id, wanted.executor, error)
        else:
            _log.info("workflow %d: %s has nothing left to do", wanted.workflow_id, wanted.executor)
        del self._managers[wanted]
