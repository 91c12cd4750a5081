"""The records of live jobs and attempts, kept in memory from one write to the next, so that they need not be read.

Records that are alike share one object: a *like* is a Job or a JobInstance without what is its own (ids and token). So
an event is applied once to all that share a like. The database stays the truth: whatever fails empties this memory, and
what is not here is read.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from jobmon.states.instances import JobInstance
from jobmon.states.jobs import Job
from jobmon.states.names import FINAL_INSTANCE_STATES, FINAL_JOB_STATES
from jobmon.store import instances as instance_rows
from jobmon.store import jobs as job_rows
from jobmon.store.writer import Transaction

#: Stands in a like for the id that each of them has at its platform.
HAS_ID = "(its own)"
#: More than this are not kept, whatever the number of live jobs.
_MOST_RECORDS = 500_000
_MOST_LIKES = 10_000
Record = TypeVar("Record", Job, JobInstance)


class KnownInstance:
    """An attempt: what is its own, and the like that it shares."""

    __slots__ = ("executor_job_id", "id", "job_id", "like", "token")

    def __init__(self, id: int, job_id: int, token: str, executor_job_id: str | None, like: JobInstance) -> None:  # noqa: A002
        self.id, self.job_id, self.token = id, job_id, token
        self.executor_job_id = executor_job_id
        self.like = like

    def whole(self, like: JobInstance) -> JobInstance:
        """The record of an attempt that is as `like` says."""
        return replace(like, id=self.id, job_id=self.job_id, token=self.token, executor_job_id=self.executor_job_id)


class LiveRecords:
    """Jobs and attempts that are not final. Belongs to the thread that writes."""

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._instances: dict[str, KnownInstance] = {}
        self._likes: dict[Job | JobInstance, Job | JobInstance] = {}
        self._watched: Transaction | None = None

    def clear(self) -> None:
        """Forget everything: what is asked for next is read."""
        self._jobs.clear()
        self._instances.clear()

    def watch(self, tx: Transaction) -> None:
        """Forget everything should the operation, or the group that it is of, not be kept. Called before any use."""
        if tx is not self._watched:
            self._watched = tx
            tx.on_failure(self.clear)
            if len(self._jobs) + len(self._instances) > _MOST_RECORDS:
                self.clear()

    def jobs(self, tx: Transaction, ids: Iterable[int]) -> dict[int, Job]:
        """The likes of those of the jobs that there are, by id."""
        self.watch(tx)
        known, found, missing = self._jobs, {}, []
        for job_id in ids:
            like = known.get(job_id)
            if like is None:
                missing.append(job_id)
            else:
                found[job_id] = like
        if missing:
            found.update(self.take_jobs(tx, job_rows.load(tx.connection, missing).values()))
        return found

    def take_jobs(self, tx: Transaction, read: Iterable[Job]) -> dict[int, Job]:
        """The likes of jobs that were read in this transaction, by id."""
        self.watch(tx)
        found = {job.id: self.shared(replace(job, id=0)) for job in read}
        self._jobs.update((job_id, like) for job_id, like in found.items() if like.state not in FINAL_JOB_STATES)
        return found

    def instances(self, tx: Transaction, tokens: Iterable[str]) -> dict[str, KnownInstance]:
        """Those of the attempts that there are, by token."""
        self.watch(tx)
        known, found, missing = self._instances, {}, []
        for token in tokens:
            instance = known.get(token)
            if instance is None:
                missing.append(token)
            else:
                found[token] = instance
        if missing:
            found.update(self.take_instances(tx, instance_rows.load(tx.connection, missing).values()))
        return found

    def take_instances(self, tx: Transaction, read: Iterable[JobInstance]) -> dict[str, KnownInstance]:
        """The attempts that were read in this transaction, by token."""
        self.watch(tx)
        found: dict[str, KnownInstance] = {}
        for i in read:
            instance = self._instances.get(i.token)
            if instance is None:
                instance = KnownInstance(i.id, i.job_id, i.token, i.executor_job_id, self.like_of(i))
                if i.state not in FINAL_INSTANCE_STATES:
                    self._instances[i.token] = instance
            found[i.token] = instance
        return found

    def like_of(self, instance: JobInstance) -> JobInstance:
        """What an attempt shares with others."""
        its = None if instance.executor_job_id is None else HAS_ID
        return self.shared(replace(instance, id=0, job_id=0, token="", executor_job_id=its))

    def shared(self, like: Record) -> Record:
        """The one object of its kind."""
        known = self._likes.get(like)
        if known is None:
            if len(self._likes) >= _MOST_LIKES:
                self._likes.clear()
            self._likes[like] = known = like
        return known  # type: ignore[return-value]

    def keep_jobs(self, tx: Transaction, ids: Sequence[int], like: Job) -> None:
        """The jobs were stored in this transaction, as `like` says."""
        self.watch(tx)
        like = self.shared(like)
        if like.state in FINAL_JOB_STATES:
            for job_id in ids:
                self._jobs.pop(job_id, None)
        else:
            self._jobs.update(dict.fromkeys(ids, like))

    def keep_instances(self, instances: Sequence[KnownInstance], like: JobInstance) -> None:
        """The attempts are stored as `like` says."""
        final, known = like.state in FINAL_INSTANCE_STATES, self._instances
        for instance in instances:
            instance.like = like
            if final:
                known.pop(instance.token, None)
            else:
                known[instance.token] = instance

    def forget_jobs(self, tx: Transaction, ids: Iterable[int]) -> None:
        """The jobs are being changed past this memory."""
        self.watch(tx)
        for job_id in ids:
            self._jobs.pop(job_id, None)

    def known(self) -> tuple[dict[int, Job], dict[str, JobInstance]]:
        """All that is remembered, as whole records: for whoever holds it against the database."""
        return (
            {job_id: replace(like, id=job_id) for job_id, like in self._jobs.items()},
            {token: instance.whole(instance.like) for token, instance in self._instances.items()},
        )
