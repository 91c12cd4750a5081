"""Hears from the server what became of one executor's attempts."""

from collections.abc import Callable
from datetime import UTC, datetime

from jobmon.managers.live import Attempt, Phase
from jobmon.managers.service import Service
from jobmon.states.evidence import Reporting
from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState
from jobmon.wire import routes
from jobmon.wire.leases import InstanceChange, LiveInstance, ReadInstanceChanges, ReadLiveInstances

_WAIT_S = 5.0
_PAGE = 5000
#: Pauses after an answer, so that many changes come in one. Where the platform reports, nobody waits for them.
_PAUSE_S = {Reporting.PLATFORM: 0.1, Reporting.WORKER: 0.02, Reporting.AGENT: 0.02}


class ChangeListener:
    """Keeps the table of live attempts in step with the server's: at first, whole, and then change by change."""

    def __init__(self, service: Service, *, on_cancel: Callable[[], None]) -> None:
        self._service, self._on_cancel = service, on_cancel
        self._seq, self._database_id = 0, ""

    def adopt(self) -> None:
        """Take up all live attempts, whichever manager made them: those without an id at the platform are uncertain."""
        service = self._service
        known = [attempt.token for attempt in service.live.snapshot()]
        found: list[LiveInstance] = []
        while True:
            after = found[-1].id if found else 0
            page = service.requester.call(
                routes.LIVE_INSTANCES, ReadLiveInstances(service.lease.workflow_id, service.name, after, _PAGE)
            )
            if not found:
                self._seq, self._database_id = page.seq, page.database_id
            found += page.instances
            if len(page.instances) < _PAGE:
                break
        tokens = {instance.token for instance in found}
        service.drop([token for token in known if token not in tokens])
        service.live.add([_adopted(i) for i in found if service.live.get(i.token) is None])

    def run(self) -> None:
        """Follow changes until the service stops.

        Raises:
            ServerUnreachable: the requester was stopped.
        """
        service = self._service
        while not service.stopping.is_set():
            message = ReadInstanceChanges(
                service.lease.workflow_id,
                service.name,
                self._seq,
                self._database_id,
                _WAIT_S,
                _PAGE,
                only_cancelling=service.reporting is Reporting.PLATFORM,
            )
            answer = service.requester.call(routes.INSTANCE_CHANGES, message)
            if answer.reset:
                self.adopt()
                continue
            self._seq = answer.seq
            if answer.instances:
                self._apply(answer.instances)
                service.stopping.wait(_PAUSE_S[service.reporting])

    def _apply(self, changes: list[InstanceChange]) -> None:
        live, cancelling = self._service.live, False
        ended: list[str] = []
        for change in changes:
            if change.state in FINAL_INSTANCE_STATES:
                ended += change.tokens
            elif change.state is InstanceState.CANCELLING:
                for token in change.tokens:
                    live.cancel(token)
                cancelling = True
            elif change.state is InstanceState.RUNNING:
                for token in change.tokens:
                    attempt = live.get(token)
                    if attempt is not None:
                        attempt.running = True
        if ended:
            live.forget_cancels(ended)
            self._service.drop(ended)
        if cancelling:
            self._on_cancel()


def _adopted(instance: LiveInstance) -> Attempt:
    return Attempt(
        instance.token,
        instance.name,
        Phase.UNCERTAIN if instance.executor_job_id is None else Phase.PLACED,
        datetime.fromtimestamp(instance.submitted_at, UTC),
        instance.array,
        instance.executor_job_id,
        cancelling=instance.state is InstanceState.CANCELLING,
        running=instance.state is InstanceState.RUNNING,
    )
