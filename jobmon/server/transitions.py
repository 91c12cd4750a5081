"""Events applied to stored records: load, let the pure machines decide, store, append the history, tell who waits.

An instance's event has consequences for its job, a job's for its next attempt or its live instance; they are followed
here to the end, within one transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from jobmon.states import instances, jobs
from jobmon.states.instances import InstanceEvent, JobInstance
from jobmon.states.jobs import Job, JobEffect, JobEvent
from jobmon.states.names import FINAL_JOB_STATES, InstanceState, JobState
from jobmon.store import instances as instance_rows
from jobmon.store import jobs as job_rows
from jobmon.store.history import Entry, Log
from jobmon.store.writer import Transaction

_NAMES = {event: event.__name__ for event in (*InstanceEvent.__args__, *JobEvent.__args__)}
_NOT_MOVED = frozenset(
    {InstanceState.INSTANTIATED, InstanceState.SUBMITTING, InstanceState.SUBMITTED_TO_BATCH_EXECUTOR}
)
Key = TypeVar("Key", int, str)
Record = TypeVar("Record", Job, JobInstance)


class Transitions:
    """Applies events within one transaction of one workflow; `finish` stores everything."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._jobs: dict[int, Job] = {}
        self._instances: dict[str, JobInstance] = {}
        self._new: list[JobInstance] = []
        self._stored_jobs: dict[int, Job] = {}
        self._stored_instances: dict[str, JobInstance] = {}
        self._instance_entries: dict[str, Entry] = {}
        self._job_entries: dict[int, Entry] = {}
        self._run_entries: list[tuple[int, int, Entry]] = []
        self.queued: set[tuple[int, str]] = set()  #: (workflow, executor) that have new queued jobs
        self.news: set[int] = set()  #: workflows with changes that their client acts upon
        self.moved: set[int] = set()  #: workflows with attempts that began, ended or are to be ended
        self.cancelling: set[int] = set()  #: workflows with attempts that are to be ended

    def take_jobs(self, found: Iterable[Job]) -> None:
        """Work on these jobs, which were read in this transaction."""
        for job in found:
            self._jobs.setdefault(job.id, job)
            self._stored_jobs.setdefault(job.id, job)

    def take_instances(self, found: Iterable[JobInstance]) -> None:
        """Work on these instances, which were read in this transaction."""
        for instance in found:
            self._instances.setdefault(instance.token, instance)
            self._stored_instances.setdefault(instance.token, instance)

    def instance(self, token: str) -> JobInstance | None:
        """The instance as it stands now."""
        return self._instances.get(token)

    def to_instances(self, events: Sequence[tuple[str, InstanceEvent]]) -> None:
        """Apply events to instances that were taken, and what follows to their jobs."""
        wanted = {self._instances[token].job_id for token, _ in events} - self._jobs.keys()
        if wanted:
            self.take_jobs(job_rows.load(self._tx.connection, wanted).values())
        for token, event in events:
            before = self._instances[token]
            after, effects = instances.apply(before, event)
            self._note_instance(before, after, _NAMES[type(event)])
            if after is not before:
                self._instances[token] = after
                for effect in effects:
                    self._to_job(before.job_id, effect, after)

    def to_jobs(self, events: Sequence[tuple[int, JobEvent]]) -> None:
        """Apply events to jobs that were taken, and what follows to their instances."""
        cancelling: list[int] = []
        for job_id, event in events:
            cancelling.extend(self._to_job(job_id, event, None))
        if cancelling:
            live = instance_rows.live_of_jobs(self._tx.connection, cancelling)
            self.take_instances(live)
            self.to_instances([(instance.token, instances.CancelRequested()) for instance in live])

    def add_instances(self, made: Sequence[JobInstance]) -> None:
        """Store new attempts, INSTANTIATED and given a token."""
        for instance in made:
            self._instances[instance.token] = instance
            self._new.append(instance)
            self._instance_entries[instance.token] = Entry("Claimed", "", None, instance.state, instance.attempt)

    def _to_job(self, job_id: int, event: JobEvent, because: JobInstance | None) -> list[int]:
        """Apply an event to a job and follow it to the end; the jobs whose live instance is to be cancelled."""
        before = self._jobs[job_id]
        after, effects = jobs.apply(before, event)
        self._jobs[job_id] = after
        entry = self._job_entries.get(job_id)
        name = _NAMES[type(event)] if after is not before else f"({_NAMES[type(event)]})"
        if entry is None:
            entry = Entry(name, before.state, None, after.state, after.attempts)
            self._job_entries[job_id] = entry
        else:
            entry.extend(name, after.state)
        if because is not None and because.reason is not None:
            entry.reason, entry.detail = because.reason, because.detail
        if after.state is JobState.QUEUED_FOR_INSTANTIATION:
            self.queued.add((after.workflow_id, after.executor))
        return self._follow(job_id, effects) if effects else []

    def _follow(self, job_id: int, effects: Iterable[JobEffect]) -> list[int]:
        cancelling: list[int] = []
        for effect in effects:
            match effect:
                case jobs.AdjustResources():
                    cancelling += self._to_job(job_id, jobs.ResourcesAdjusted(), None)
                case jobs.RetryJob():
                    cancelling += self._to_job(job_id, jobs.Retried(), None)
                case jobs.CancelInstance():
                    cancelling.append(job_id)
        return cancelling

    def _note_instance(self, before: JobInstance, after: JobInstance, name: str) -> None:
        if after is before:
            name = f"({name})"
        entry = self._instance_entries.get(after.token)
        if entry is None:
            entry = Entry(name, before.state, None, after.state, after.attempt)
            self._instance_entries[after.token] = entry
        else:
            entry.extend(name, after.state)
        if after is not before and after.detail is not None:
            entry.reason, entry.detail = after.reason, after.detail

    def note_run(self, workflow_id: int, run_id: int, event: str, before: str, after: str) -> None:
        """Append an event of a run to the history."""
        self._run_entries.append((workflow_id, run_id, Entry(event, before, None, after)))

    def finish(self) -> dict[int, int]:
        """Store every change; the sequence number that each touched workflow reaches."""
        connection = self._tx.connection
        if self._new:
            instance_rows.insert(connection, [self._instances[i.token] for i in self._new], self._tx.at)
        job_rows.save(connection, _changes(self._stored_jobs, self._jobs))
        instance_rows.save(connection, _changes(self._stored_instances, self._instances))
        return {
            workflow_id: log.append(connection, workflow_id, self._tx.at) for workflow_id, log in self._logs().items()
        }

    def _logs(self) -> dict[int, Log]:
        logs: dict[int, Log] = defaultdict(Log)
        for token, entry in self._instance_entries.items():
            instance = self._instances[token]
            logs[instance.workflow_id].add("instance", instance.id, entry)
            if instance.state not in _NOT_MOVED:
                self.moved.add(instance.workflow_id)
            if instance.state is InstanceState.CANCELLING:
                self.cancelling.add(instance.workflow_id)
        for job_id, entry in self._job_entries.items():
            workflow_id = self._jobs[job_id].workflow_id
            logs[workflow_id].add("job", job_id, entry)
            if entry.reason is not None or entry.to_state in FINAL_JOB_STATES:
                self.news.add(workflow_id)
        for workflow_id, run_id, entry in self._run_entries:
            logs[workflow_id].add("run", run_id, entry)
            self.news.add(workflow_id)
        return logs


def _changes(stored: dict[Key, Record], now: dict[Key, Record]) -> list[tuple[Record, Record]]:
    """`(as read, as it is now)` of the records that are not what they were."""
    return [(stored[key], record) for key, record in now.items() if key in stored and record is not stored[key]]
