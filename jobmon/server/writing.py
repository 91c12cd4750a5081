"""What all groups of writes share: signs of life, publication after the commit, and the checks of fences."""

from collections.abc import Callable, Hashable, Iterable

from jobmon.errors import InvalidRequest, Superseded
from jobmon.server.live_records import LiveRecords
from jobmon.server.signs import SignsOfLife
from jobmon.server.transitions import Transitions
from jobmon.states.names import FINAL_JOB_STATES, FINAL_RUN_STATES
from jobmon.store import leases as lease_rows
from jobmon.store import workflows
from jobmon.store.leases import StoredLease
from jobmon.store.workflows import StoredRun
from jobmon.store.writer import Transaction
from jobmon.wire.jobs import JobChange
from jobmon.wire.leases import Lease


def changes_of(workflow_id: int) -> Hashable:
    """The topic of every change of a workflow."""
    return ("changes", workflow_id)


def news_of(workflow_id: int) -> Hashable:
    """The topic of those changes of a workflow that its client acts upon."""
    return ("news", workflow_id)


def instances_of(workflow_id: int) -> Hashable:
    """The topic of attempts of a workflow that began, ended or are to be ended."""
    return ("instances", workflow_id)


def cancellations_of(workflow_id: int) -> Hashable:
    """The topic of attempts of a workflow that are to be ended."""
    return ("cancellations", workflow_id)


def is_news(change: JobChange) -> bool:
    """Whether the client acts upon it: jobs are done, failed or cancelled, or an attempt failed."""
    return change.state in FINAL_JOB_STATES or change.reason is not None


def queue_of(workflow_id: int, executor: str) -> Hashable:
    """The topic of new queued jobs of an executor of a workflow."""
    return ("queue", workflow_id, executor)


class Writing:
    """Shared by the groups of writes."""

    def __init__(self, signs: SignsOfLife, publish: Callable[[set[Hashable]], None]) -> None:
        self.signs = signs
        self.live = LiveRecords()
        self._publish = publish
        self._leases: dict[tuple[int, str], StoredLease] = {}

    def transitions(self, tx: Transaction) -> Transitions:
        """For the events of one operation."""
        return Transitions(tx, self.live)

    def store(self, tx: Transaction, transitions: Transitions) -> None:
        """Store what the transitions came to, and tell those who wait once it is durable."""
        reached = transitions.finish()
        topics = {changes_of(workflow_id) for workflow_id in reached}
        topics |= {news_of(workflow_id) for workflow_id in transitions.news}
        topics |= {instances_of(workflow_id) for workflow_id in transitions.moved}
        topics |= {cancellations_of(workflow_id) for workflow_id in transitions.cancelling}
        topics |= {queue_of(workflow_id, executor) for workflow_id, executor in transitions.queued}
        if topics:
            tx.after_commit(lambda: self._publish(topics))

    def wake_claims(self, tx: Transaction, executors: Iterable[tuple[int, str]]) -> None:
        """Jobs may be queued now for these executors of workflows: whoever waits to claim them looks again."""
        topics = {queue_of(workflow_id, executor) for workflow_id, executor in executors}
        tx.after_commit(lambda: self._publish(topics))

    def active_run(self, tx: Transaction, run_id: int) -> StoredRun:
        """The run, which is not final; its client counts as alive.

        Raises:
            Superseded: it is final: another run has taken its place, or it was ended.
            InvalidRequest: there is none of that id.
        """
        stored = workflows.get_run(tx.connection, run_id)
        if stored is None:
            raise InvalidRequest(f"there is no run {run_id}")
        if stored.run.state in FINAL_RUN_STATES:
            raise Superseded(
                f"run {stored.number} of workflow {stored.run.workflow_id} is {stored.run.state}: "
                "it can change nothing more"
            )
        self.signs.heard_run(run_id)
        return stored

    def lease_of(self, tx: Transaction, workflow_id: int, executor: str) -> StoredLease | None:
        """The newest lease of an executor of a workflow, remembered from one write to the next."""
        key = (workflow_id, executor)
        known = self._leases.get(key)
        if known is None:
            known = lease_rows.get(tx.connection, workflow_id, executor)
            if known is not None:
                self._remember(tx, known, unless_known=True)
        return known

    def _remember(self, tx: Transaction, stored: StoredLease, *, unless_known: bool = False) -> None:
        key = (stored.workflow_id, stored.executor)

        def remember() -> None:
            if not (unless_known and key in self._leases):
                self._leases[key] = stored

        tx.after_commit(remember)

    def save_lease(self, tx: Transaction, stored: StoredLease) -> None:
        """Store a lease in place of the one before."""
        lease_rows.save(tx.connection, stored)
        # Forgotten at once: what follows in this group of operations must read the new one.
        self._leases.pop((stored.workflow_id, stored.executor), None)
        self._remember(tx, stored)

    def holds(self, tx: Transaction, lease: Lease) -> bool:
        """Whether this is the newest lease of its executor, and not released."""
        stored = self.lease_of(tx, lease.workflow_id, lease.executor)
        return stored is not None and stored.epoch == lease.epoch and not stored.released

    def check_lease(self, tx: Transaction, lease: Lease) -> None:
        """Accept writes of the newest holder only.

        Raises:
            Superseded: another manager serves the executor now, or the lease was released.
        """
        if not self.holds(tx, lease):
            raise Superseded(
                f"executor {lease.executor!r} of workflow {lease.workflow_id} is served by another manager now"
            )
        self.signs.heard_manager(lease.workflow_id, lease.executor)
