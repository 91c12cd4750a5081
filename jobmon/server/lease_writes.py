"""Writes of managers about themselves: who serves which executor of which workflow."""

from jobmon.server.writing import Writing
from jobmon.states import instances
from jobmon.states.names import FINAL_RUN_STATES, InstanceState
from jobmon.store import instances as instance_rows
from jobmon.store import leases as lease_rows
from jobmon.store import workflows
from jobmon.store.leases import StoredLease
from jobmon.store.writer import Transaction
from jobmon.wire.leases import AcquireLease, Lease, LeaseAnswer, LeasesRenewed, Recorded, ReleaseLease, RenewLeases


class LeaseWrites:
    """Granting, renewing and releasing leases."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def acquire(self, tx: Transaction, message: AcquireLease) -> LeaseAnswer:
        """Grant the lease, superseding an older manager; an exclusive executor only while no other workflow uses it."""
        patience = self._writing.signs.patience
        why_not = self._in_use(tx, message) if message.registration.exclusive else None
        if why_not is not None:
            return LeaseAnswer(None, patience.renew_every_s, why_not)
        before = self._writing.lease_of(tx, message.workflow_id, message.executor)
        epoch = 1 if before is None else before.epoch + 1
        self._writing.save_lease(
            tx,
            StoredLease(message.workflow_id, message.executor, epoch, False, message.manager, message.registration),
        )
        self._return_unsent(tx, message.workflow_id, message.executor)
        tx.after_commit(lambda: self._writing.signs.heard_manager(message.workflow_id, message.executor, ""))
        return LeaseAnswer(Lease(message.workflow_id, message.executor, epoch), patience.renew_every_s)

    def _in_use(self, tx: Transaction, message: AcquireLease) -> str | None:
        """Why an exclusive executor cannot be had now; None when it can."""
        for other in lease_rows.of_executor(tx.connection, message.executor):
            if other.workflow_id == message.workflow_id:
                continue
            if not other.released and self._writing.signs.manager_may_live(other.workflow_id, other.executor):
                return f"workflow {other.workflow_id} is using it (pid {other.manager.pid} on {other.manager.host})"
            live = instance_rows.count_live(tx.connection, other.workflow_id, other.executor)
            if live:
                return (
                    f"workflow {other.workflow_id} has {live} live attempt on it and no manager that watches it: "
                    f"resume that workflow"
                )
        return None

    def _return_unsent(self, tx: Transaction, workflow_id: int, executor: str) -> None:
        """What the manager before had claimed and not begun to send is given back."""
        unsent = instance_rows.of_executor(tx.connection, workflow_id, executor, InstanceState.INSTANTIATED)
        transitions = self._writing.transitions(tx)
        transitions.take_instances(self._writing.live.take_instances(tx, unsent))
        transitions.to_each_instance(instances.ManagerLost(), [instance.token for instance in unsent])
        self._writing.store(tx, transitions)

    def renew(self, tx: Transaction, message: RenewLeases) -> LeasesRenewed:
        """Keep the leases alive; tell which are lost, and whether the manager is needed any longer."""
        superseded = []
        for lease in message.leases:
            if not self._writing.holds(tx, lease):
                superseded.append(lease.executor)
            else:
                note = message.notes.get(lease.executor, "")
                self._writing.signs.heard_manager(lease.workflow_id, lease.executor, note)
        held = {lease.executor for lease in message.leases}
        for executor, note in message.notes.items():
            if executor not in held:
                self._writing.signs.waits(message.workflow_id, executor, note)
        return LeasesRenewed(superseded, self._needed(tx, message.workflow_id))

    def _needed(self, tx: Transaction, workflow_id: int) -> bool:
        last = workflows.last_run(tx.connection, workflow_id)
        active = last is not None and last.run.state not in FINAL_RUN_STATES
        if last is not None and active and self._writing.signs.run_seconds_left(last.run.id) > 0:
            return True
        return bool(
            instance_rows.count_live(tx.connection, workflow_id)
            or workflows.queued_executors(tx.connection, workflow_id)
        )

    def release(self, tx: Transaction, message: ReleaseLease) -> Recorded:
        """Give the lease back; one that is lost already is no error."""
        stored = self._writing.lease_of(tx, message.lease.workflow_id, message.lease.executor)
        if stored is not None and self._writing.holds(tx, message.lease):
            self._writing.save_lease(
                tx,
                StoredLease(
                    stored.workflow_id, stored.executor, stored.epoch, True, stored.manager, stored.registration
                ),
            )
            tx.after_commit(lambda: self._writing.signs.manager_gone(message.lease.workflow_id, message.lease.executor))
        return Recorded([])
