"""Events applied to stored records: load, let the pure machines decide, store, append the history, tell who waits.

An instance's event has consequences for its job, a job's for its next attempt or its live instance; they are followed
here to the end, within one transaction. The machines decide once for all records that are alike and of which the same
has become so far: such records share a *course*.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from jobmon.errors import InvalidTransition
from jobmon.server.batches import refusal
from jobmon.server.courses import Course, alike, by_course, of_one_course
from jobmon.server.live_records import KnownInstance, LiveRecords
from jobmon.states import instances, jobs
from jobmon.states.instances import Accepted, InstanceEvent, JobInstance
from jobmon.states.jobs import Job, JobEffect, JobEvent
from jobmon.states.names import FINAL_JOB_STATES, InstanceState, JobState
from jobmon.store import instances as instance_rows
from jobmon.store import jobs as job_rows
from jobmon.store.history import Entry, Log
from jobmon.store.writer import Transaction
from jobmon.wire.problems import Problem

_NAMES = {event: event.__name__ for event in (*InstanceEvent.__args__, *JobEvent.__args__)}
_NOT_MOVED = frozenset(
    {InstanceState.INSTANTIATED, InstanceState.SUBMITTING, InstanceState.SUBMITTED_TO_BATCH_EXECUTOR}
)


class Transitions:
    """Applies events within one transaction of one workflow; `finish` stores everything."""

    def __init__(self, tx: Transaction, live: LiveRecords) -> None:
        live.watch(tx)
        self._tx, self._live = tx, live
        self._jobs: dict[int, Course[Job]] = {}
        self._instances: dict[str, Course[JobInstance]] = {}
        self._known: dict[str, KnownInstance] = {}
        self._run_entries: list[tuple[int, int, Entry]] = []
        self.queued: set[tuple[int, str]] = set()  #: (workflow, executor) that have new queued jobs
        self.news: set[int] = set()  #: workflows with changes that their client acts upon
        self.moved: set[int] = set()  #: workflows with attempts that began, ended or are to be ended
        self.cancelling: set[int] = set()  #: workflows with attempts that are to be ended

    def take_jobs(self, found: Mapping[int, Job]) -> None:
        """Work on these jobs, of which the likes are given."""
        begun = {id(like): Course(like, like) for like in found.values()}
        for job_id, like in found.items():
            if job_id not in self._jobs:
                self._jobs[job_id] = begun[id(like)]

    def take_instances(self, found: Mapping[str, KnownInstance]) -> None:
        """Work on these attempts."""
        begun: dict[int, Course[JobInstance]] = {}
        for token, instance in found.items():
            if token not in self._known:
                self._known[token] = instance
                like = instance.like
                self._instances[token] = begun.get(id(like)) or begun.setdefault(id(like), Course(like, like))

    def instance(self, token: str) -> JobInstance | None:
        """The instance as it stands now."""
        course = self._instances.get(token)
        return None if course is None else self._known[token].whole(course.now)

    def like(self, token: str) -> JobInstance:
        """How an instance that was taken stands now, without its ids and token."""
        return self._instances[token].now

    def to_instances(self, events: Iterable[tuple[str, InstanceEvent]], refused: list[Problem] | None = None) -> None:
        """Apply events to instances that were taken, and what follows to their jobs.

        Instances go together when they are given the very same event object; acceptances go together anyhow. Events
        without a meaning are listed in `refused`.

        Raises:
            InvalidTransition: an event has no meaning, and there is no such list.
        """
        for group in alike(events, self._instances):
            token, event = group[0]
            had_id = self.like(token).executor_job_id
            self._move_instances([token for token, _ in group], event, refused)
            if self.like(token).executor_job_id != had_id:
                for token, event in group:
                    assert isinstance(event, Accepted), "nothing else gives an id"
                    self._known[token].executor_job_id = event.executor_job_id

    def to_each_instance(
        self, event: InstanceEvent, tokens: Sequence[str], refused: list[Problem] | None = None
    ) -> None:
        """Apply an event other than an acceptance to each of the instances; else as `to_instances`."""
        for group in of_one_course(tokens, self._instances):
            self._move_instances(group, event, refused)

    def _move_instances(self, tokens: Sequence[str], event: InstanceEvent, refused: list[Problem] | None) -> None:
        """Apply an event to instances of one course, and what follows to their jobs."""
        course, first = self._instances[tokens[0]], self._known[tokens[0]]
        before = first.whole(course.now)
        try:
            after, effects = instances.apply(before, event)
        except InvalidTransition as error:
            if refused is None:
                raise
            refused += [refusal(error, token=token) for token in tokens]
            return
        now = course.now if after is before else self._live.like_of(after)
        moved = course.happened(_NAMES[type(event)], now, now.attempt)
        if after is not before and after.detail is not None and moved.entry is not None:
            moved = replace(moved, entry=replace(moved.entry, reason=after.reason, detail=after.detail))
        self._instances.update(dict.fromkeys(tokens, moved))
        if effects:
            job_ids = [self._known[token].job_id for token in tokens]
            unknown = [job_id for job_id in job_ids if job_id not in self._jobs]
            if unknown:
                self.take_jobs(self._live.jobs(self._tx, unknown))
            for effect in effects:
                for ids in of_one_course(job_ids, self._jobs):
                    self._move_jobs(ids, effect, after)

    def to_jobs(self, event: JobEvent, ids: Sequence[int]) -> None:
        """Apply an event to each of the jobs, which were taken, and what follows to their instances."""
        cancelling: list[int] = []
        for group in of_one_course(ids, self._jobs):
            cancelling += self._move_jobs(group, event, None)
        if cancelling:
            live = instance_rows.live_of_jobs(self._tx.connection, cancelling)
            self.take_instances(self._live.take_instances(self._tx, live))
            self.to_each_instance(instances.CancelRequested(), [instance.token for instance in live])

    def add_instances(self, made: Sequence[KnownInstance]) -> None:
        """Store new attempts, INSTANTIATED and given a token."""
        begun: dict[int, Course[JobInstance]] = {}
        for instance in made:
            like = instance.like
            course = begun.get(id(like))
            if course is None:
                entry = Entry("Claimed", "", None, like.state, like.attempt)
                course = begun[id(like)] = Course(None, like, entry)
            self._instances[instance.token] = course
            self._known[instance.token] = instance

    def _move_jobs(self, ids: Sequence[int], event: JobEvent, because: JobInstance | None) -> list[int]:
        """Apply an event to jobs of one course and follow it to the end; those whose live attempt is to be ended."""
        course = self._jobs[ids[0]]
        before = replace(course.now, id=ids[0])
        after, effects = jobs.apply(before, event)
        now = course.now if after is before else self._live.shared(replace(after, id=0))
        moved = course.happened(_NAMES[type(event)], now, now.attempts)
        if because is not None and because.reason is not None and moved.entry is not None:
            moved = replace(moved, entry=replace(moved.entry, reason=because.reason, detail=because.detail))
        self._jobs.update(dict.fromkeys(ids, moved))
        if now.state is JobState.QUEUED_FOR_INSTANTIATION:
            self.queued.add((now.workflow_id, now.executor))
        return self._follow(ids, effects) if effects else []

    def _follow(self, ids: Sequence[int], effects: Iterable[JobEffect]) -> list[int]:
        cancelling: list[int] = []
        for effect in effects:
            match effect:
                case jobs.AdjustResources():
                    cancelling += self._move_jobs(ids, jobs.ResourcesAdjusted(), None)
                case jobs.RetryJob():
                    cancelling += self._move_jobs(ids, jobs.Retried(), None)
                case jobs.CancelInstance():
                    cancelling += ids
        return cancelling

    def note_run(self, workflow_id: int, run_id: int, event: str, before: str, after: str) -> None:
        """Append an event of a run to the history."""
        self._run_entries.append((workflow_id, run_id, Entry(event, before, None, after)))

    def finish(self) -> dict[int, int]:
        """Store every change; the sequence number that each touched workflow reaches."""
        logs: dict[int, Log] = defaultdict(Log)
        self._finish_instances(logs)
        self._finish_jobs(logs)
        for workflow_id, run_id, entry in self._run_entries:
            logs[workflow_id].add("run", [run_id], entry)
            self.news.add(workflow_id)
        connection, at = self._tx.connection, self._tx.at
        return {workflow_id: log.append(connection, workflow_id, at) for workflow_id, log in logs.items()}

    def _finish_instances(self, logs: Mapping[int, Log]) -> None:
        changes = []
        for course, tokens in by_course(self._instances):
            if course.entry is None:
                continue
            like, group = course.now, [self._known[token] for token in tokens]
            logs[like.workflow_id].add("instance", [instance.id for instance in group], course.entry)
            if like.state not in _NOT_MOVED:
                self.moved.add(like.workflow_id)
            if like.state is InstanceState.CANCELLING:
                self.cancelling.add(like.workflow_id)
            if course.stored is None:
                own = [(i.id, i.job_id, i.token) for i in group]
                instance_rows.insert(self._tx.connection, like, own, self._tx.at)
            elif course.now is not course.stored:
                changes.append((course.stored, like, [(i.id, i.executor_job_id) for i in group]))
            self._live.keep_instances(group, like)
        instance_rows.save(self._tx.connection, changes, self._tx.at)

    def _finish_jobs(self, logs: Mapping[int, Log]) -> None:
        changes = []
        for course, ids in by_course(self._jobs):
            if course.entry is None:
                continue
            like = course.now
            logs[like.workflow_id].add("job", ids, course.entry)
            if course.entry.reason is not None or course.entry.to_state in FINAL_JOB_STATES:
                self.news.add(like.workflow_id)
            if course.stored is not None and like is not course.stored:
                changes.append((course.stored, like, ids))
            self._live.keep_jobs(self._tx, ids, like)
        job_rows.save(self._tx.connection, changes)
