"""All writes: each one operation of the writer, checked, applied by the state machines, stored, then answered."""

from collections.abc import Callable, Hashable
from typing import Any

from jobmon.server.attempt_writes import AttemptWrites
from jobmon.server.batches import refuse_if_nothing_is_left
from jobmon.server.credentials import Credentials
from jobmon.server.instance_writes import InstanceWrites
from jobmon.server.lease_writes import LeaseWrites
from jobmon.server.run_writes import RunWrites
from jobmon.server.signs import SignsOfLife
from jobmon.server.writing import Writing
from jobmon.states.evidence import Graces
from jobmon.store.writer import Transaction
from jobmon.wire import routes
from jobmon.wire.routes import Route

Handler = Callable[[Transaction, Any], Any]


class JobStateManager:
    """The one door through which anything changes."""

    def __init__(
        self,
        signs: SignsOfLife,
        credentials: Credentials,
        publish: Callable[[set[Hashable]], None],
        graces: Graces | None = None,
    ) -> None:
        writing = Writing(signs, publish)
        self.live = writing.live  #: what is remembered of the database from one write to the next
        runs = RunWrites(writing)
        leases = LeaseWrites(writing)
        instances = InstanceWrites(writing, credentials, graces or Graces())
        attempts = AttemptWrites(writing)
        self._handlers: dict[str, Handler] = {
            routes.OPEN_RUN.path: runs.open,
            routes.BIND_JOBS.path: runs.bind,
            routes.BEGIN_RUN.path: runs.begin,
            routes.QUEUE_JOBS.path: runs.queue,
            routes.STOP_RUN.path: runs.stop,
            routes.FINISH_RUN.path: runs.finish,
            routes.ACQUIRE_LEASE.path: leases.acquire,
            routes.RENEW_LEASES.path: leases.renew,
            routes.RELEASE_LEASE.path: leases.release,
            routes.CLAIM_JOBS.path: instances.claim,
            routes.RECORD_OUTCOMES.path: instances.record_outcomes,
            routes.RECORD_OBSERVATIONS.path: instances.record_observations,
            routes.START_ATTEMPTS.path: attempts.start,
            routes.HEARTBEAT.path: attempts.heartbeat,
            routes.FINISH_ATTEMPTS.path: attempts.finish,
            routes.GIVE_BACK_ATTEMPTS.path: attempts.give_back,
        }

    def handles(self, route: Route[Any, Any]) -> bool:
        """Whether the route is one of those that go through the writer."""
        return route.path in self._handlers

    def apply(self, route: Route[Any, Any], tx: Transaction, message: Any) -> Any:
        """Do what the message asks, within the transaction, and return the answer.

        Raises:
            JobmonError: it is refused; nothing of it is kept.
        """
        answer = self._handlers[route.path](tx, message)
        if getattr(answer, "refused", None):
            refuse_if_nothing_is_left(message, answer.refused)
        return answer
