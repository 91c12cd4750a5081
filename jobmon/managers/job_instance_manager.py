"""Tracks the instances of one workflow on the executors that it was given."""

import threading
from collections.abc import Sequence

from jobmon.clock import Clock, SystemClock
from jobmon.config.named import NamedExecutor
from jobmon.errors import Superseded
from jobmon.managers.served import ServedExecutor
from jobmon.requester import Requester
from jobmon.wire import routes
from jobmon.wire.leases import Lease, RenewLeases
from jobmon.worker.awake import AwakeClock

#: Answers in a row that say that nothing is needed before the manager believes it, and the pause between them.
_SURE = 2
_SURE_PAUSE_S = 0.5
#: A longer gap between two looks at the clock is time in which this process was stopped.
_READ_AT_LEAST_S = 60.0


class JobInstanceManager:
    """Serves executors of one workflow: a JobInstanceFactory and a JobInstanceReconciler for each.

    `dag_id` is the server's id of the workflow; `n_queued_jobs` is the most that is claimed at once. With `in_process`
    everything runs in threads of the user's own process, and calls of executors have no time limit: for debugging.
    """

    def __init__(
        self,
        dag_id: int,
        executors: Sequence[NamedExecutor],
        n_queued_jobs: int = 1000,
        *,
        requester: Requester,
        in_process: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._workflow_id, self._requester = dag_id, requester
        self._awake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None
        clock = clock or SystemClock(AwakeClock(_READ_AT_LEAST_S).now)
        self._served = [
            ServedExecutor(
                named,
                dag_id,
                requester,
                clock,
                n_queued_jobs=n_queued_jobs,
                in_process=in_process,
                on_end=self._wake,
            )
            for named in executors
        ]

    def start(self) -> None:
        """Do `run` in a thread; `join` waits for its end."""

        def body() -> None:
            try:
                self.run()
            except Exception as error:  # noqa: BLE001 - raised again by `join`
                self._failure = error

        self._thread = threading.Thread(target=body, name="job instance manager", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of a manager that was started; whether it has ended.

        Raises:
            JobmonError: what ended it, other than `stop` or having nothing left to do.
        """
        assert self._thread is not None
        self._thread.join(timeout_s)
        if self._failure is not None:
            raise self._failure
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Have `run` return: leases are released, attempts on the platforms live on. Thread-safe."""
        self._stopping = True
        self._wake()

    def run(self) -> None:
        """Serve the executors until the workflow needs none of them, or `stop`.

        Raises:
            Superseded: every executor is served by other managers now.
            ServerUnreachable: the requester was stopped.
        """
        for served in self._served:
            served.start()
        finished = False
        try:
            finished = self._keep_leases()
        finally:
            for served in self._served:
                if finished:
                    served.let_go()
                else:
                    served.stop()
            if not finished:
                for served in self._served:
                    served.join()
        self._raise_failure()

    def _keep_leases(self) -> bool:
        """Renew the leases until the end; True when nothing is left to do."""
        sure = 0
        while not self._stopping and not all(served.ended for served in self._served):
            if self._broken():
                return False
            sure = 0 if self._renew() or not self._idle() else sure + 1
            if sure >= _SURE:
                return True
            self._wait(_SURE_PAUSE_S if sure else min(served.renew_every_s for served in self._served))
        # Told to stop when nothing is left to do: there is no need to wait for claims under way, which bring nothing.
        return self._stopping and self._idle() and not self._renew()

    def _idle(self) -> bool:
        return all(served.idle for served in self._served)

    def _broken(self) -> bool:
        failures = [served.failure for served in self._served if served.failure is not None]
        return any(not isinstance(failure, Superseded) for failure in failures)

    def _renew(self) -> bool:
        """Renew what is held; whether the workflow still needs a manager."""
        leases: dict[str, Lease] = {}
        notes: dict[str, str] = {}
        for served in self._served:
            lease, note = served.lease, served.notes()
            if lease is not None:
                leases[served.named.name] = lease
            if note or lease is None:  # without a lease an empty note takes back what was said before
                notes[served.named.name] = note
        message = RenewLeases(self._workflow_id, list(leases.values()), notes)
        answer = self._requester.call(routes.RENEW_LEASES, message)
        for served in self._served:
            if served.named.name in answer.superseded:
                served.supersede(leases[served.named.name])
            else:
                served.refresh_reach()
        return answer.needed

    def _wait(self, pause_s: float) -> None:
        with self._awake:
            if not self._stopping:
                self._awake.wait(pause_s)

    def _wake(self) -> None:
        with self._awake:
            self._awake.notify_all()

    def _raise_failure(self) -> None:
        failures = [served.failure for served in self._served if served.failure is not None]
        for failure in failures:
            if not isinstance(failure, Superseded):
                raise failure
        if failures and len(failures) == len(self._served):
            raise failures[0]
