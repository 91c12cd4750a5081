"""Follows the jobs of one workflow: binds them, queues those that are ready, hears of changes. Knows no executor."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import attrs

from jobmon.dag import BlockedSet, ReadySet, TaskDag
from jobmon.errors import InvalidTask, MessageTooLarge
from jobmon.states.names import JobState, RunState
from jobmon.wire import routes
from jobmon.wire.jobs import BoundJob, JobChange, JobSpec
from jobmon.wire.problems import error_of_all
from jobmon.wire.runs import (
    BeginRun,
    BindJobs,
    Changes,
    FinishRun,
    QueueJobs,
    ReadBoundJobs,
    ReadChanges,
    RunStanding,
    StopRun,
)

if TYPE_CHECKING:
    from jobmon.requester import Requester

STATES = tuple(JobState)
_CODE = {state: code for code, state in enumerate(STATES)}
_REGISTERED, _DONE = _CODE[JobState.REGISTERED], _CODE[JobState.DONE]
_FATAL = _CODE[JobState.ERROR_FATAL]
_FAILED = frozenset({_FATAL, _CODE[JobState.CANCELLED]})
_ACTIVE = tuple(
    _CODE[state]
    for state in (
        JobState.ADJUSTING_RESOURCES,
        JobState.QUEUED_FOR_INSTANTIATION,
        JobState.INSTANTIATED,
        JobState.RUNNING,
        JobState.ERROR_RECOVERABLE,
    )
)
_BATCH = 1000  # to bind, in one request
_IDS = 5000  # to queue
_PAGE = 5000


@attrs.frozen
class Snapshot:
    """The states of all jobs, read anew; `states` holds a code (an index into STATES) for each position."""

    states: bytearray
    run_state: RunState | None = None


@attrs.frozen
class Notable:
    """A job failed, will be tried again, or was cancelled."""

    position: int
    job_id: int
    change: JobChange


class JobListManager:
    """The jobs of one workflow as one run sees them. Jobs are known here by their position in the graph.

    `poll` may be called in another thread than the rest: it owns the cursor, everything else owns the states.
    """

    def __init__(self, dag_id: int, requester: "Requester") -> None:
        self.dag_id = dag_id
        self._requester = requester
        self._run_id = 0
        self._cursor = 0
        self._ids: Sequence[int] = ()
        self._positions = array("i")
        self._first_id = 0
        self._ready: list[int] = []
        self._states = bytearray()
        self._groups: Sequence[int] = ()
        self.counts: list[list[int]] = []  #: for each group, how many jobs are in each of STATES
        self.failures: dict[int, JobChange] = {}  #: by position, the last word on jobs that failed or were cancelled

    # Before the run begins.

    def read_bound(self) -> Iterator[BoundJob]:
        """Every job of the workflow that is bound, in order of the ids."""
        after = 0
        while True:
            page = self._requester.call(routes.BOUND_JOBS, ReadBoundJobs(self.dag_id, after=after, limit=_PAGE))
            if not page.jobs:
                return
            yield from page.jobs
            after = page.jobs[-1].job_id

    def bind(self, run_id: int, jobs: Iterable[JobSpec]) -> None:
        """Bind jobs, a thousand at a time; those that are bound already take their new executor and resources."""
        specs = iter(jobs)
        under_way: Future[None] | None = None
        with ThreadPoolExecutor(1, "bind") as sender:  # the next batch is made while the server stores this one
            while batch := list(islice(specs, _BATCH)):
                if under_way is not None:
                    under_way.result()
                under_way = sender.submit(self._bind, run_id, batch)
            if under_way is not None:
                under_way.result()

    def _bind(self, run_id: int, batch: list[JobSpec]) -> None:
        try:
            _raise_refused(self._requester.call(routes.BIND_JOBS, BindJobs(run_id, batch)))
        except MessageTooLarge as error:
            if len(batch) == 1:
                raise InvalidTask(
                    f"task {batch[0].name!r} is too large to be sent: {error}. Put data into files"
                ) from error
            self._bind(run_id, batch[: len(batch) // 2])
            self._bind(run_id, batch[len(batch) // 2 :])

    def begin(self, run_id: int, dag: TaskDag, ids: Sequence[int], groups: Sequence[int], *, fresh: bool) -> None:
        """Begin the run: `ids` are the jobs' ids and `groups` the numbers under which they are counted, by position."""
        self._run_id, self._ids, self._groups = run_id, ids, groups
        self._first_id = min(ids, default=0)
        self._positions = array("i", bytes(4 * len(ids)))
        for position, job_id in enumerate(ids):
            self._positions[job_id - self._first_id] = position
        self._requester.call(routes.BEGIN_RUN, BeginRun(run_id))
        self._dag = dag
        self._states = bytearray([_REGISTERED]) * len(dag)
        if fresh:
            self._cursor = self._requester.call(routes.BOUND_JOBS, ReadBoundJobs(self.dag_id, limit=1)).seq
            self._take(self._states)
        else:
            self._take(self._read_states().states)

    def _read_states(self) -> Snapshot:
        """All states; the cursor is set to before the first page, so that what happens meanwhile is heard (again)."""
        states, after, cursor = bytearray([_REGISTERED]) * len(self._ids), 0, None
        while True:
            page = self._requester.call(routes.BOUND_JOBS, ReadBoundJobs(self.dag_id, after=after, limit=_PAGE))
            cursor = page.seq if cursor is None else cursor
            for job in page.jobs:
                states[self._positions[job.job_id - self._first_id]] = _CODE[job.state]
            if not page.jobs:
                self._cursor = cursor
                return Snapshot(states)
            after = page.jobs[-1].job_id

    def _take(self, states: bytearray) -> None:
        n_groups = max(self._groups, default=-1) + 1
        self._states = states
        self.counts = [[0] * len(STATES) for _ in range(n_groups)]
        for group, code in zip(self._groups, states, strict=True):
            self.counts[group][code] += 1
        done = {position for position, code in enumerate(states) if code == _DONE}
        self._waiting, self._blocked = ReadySet(self._dag, done), BlockedSet(self._dag)
        self._ready = [i for i, code in enumerate(states) if code == _REGISTERED and self._waiting.is_ready(i)]
        self.failures = {i: change for i, change in self.failures.items() if states[i] in _FAILED}
        for position, code in enumerate(states):
            if code in _FAILED:
                self.failures.setdefault(position, JobChange([self._ids[position]], STATES[code]))
            if code == _FATAL:
                self._blocked.fail(position)

    # While it runs.

    def poll(self, wait_s: float) -> Changes | Snapshot:
        """What changed since the last time, waiting up to `wait_s` for something; renews the run's lease."""
        asked = ReadChanges(self._run_id, self.dag_id, self._cursor, self._requester.database_id, wait_s, _PAGE)
        answer = self._requester.call(routes.CHANGES, asked)
        if answer.reset:
            return attrs.evolve(self._read_states(), run_state=answer.run_state)
        self._cursor = answer.seq
        return answer

    def apply(self, news: Changes | Snapshot) -> list[Notable]:
        """Take in what `poll` brought: the changes that a user wants to hear of."""
        if isinstance(news, Snapshot):
            known = set(self.failures)
            self._take(news.states)
            return [Notable(i, self._ids[i], change) for i, change in self.failures.items() if i not in known]
        notable = []
        states, positions, first, groups = self._states, self._positions, self._first_id, self._groups
        for change in news.jobs:
            new = _CODE[change.state]
            for job_id in change.job_ids:
                position = positions[job_id - first]
                old = states[position]
                if old in (new, _DONE):
                    continue
                counts = self.counts[groups[position]]
                counts[old] -= 1
                counts[new] += 1
                states[position] = new
                if new == _DONE:
                    self._ready += self._waiting.finish(position)
                elif new in _FAILED or change.reason is not None:
                    notable.append(Notable(position, job_id, change))
                    self._note_failure(position, new, change)
        return notable

    def _note_failure(self, position: int, new: int, change: JobChange) -> None:
        if new in _FAILED:
            self.failures[position] = change
        if new == _FATAL:
            self._blocked.fail(position)

    def queue_ready(self) -> int:
        """Queue the jobs that became ready; how many. Those of a run that is being stopped stay ready."""
        ready, self._ready = self._ready, []
        for start in range(0, len(ready), _IDS):
            batch = [self._ids[position] for position in ready[start : start + _IDS]]
            standing = self._requester.call(routes.QUEUE_JOBS, QueueJobs(self._run_id, batch))
            _raise_refused(standing)
            if standing.state is not RunState.RUNNING:  # it is being stopped: the server queued none of them
                self._ready = [*ready[start:], *self._ready]
                return start
            for position in ready[start : start + _IDS]:
                self._heard_queued(position)
        return len(ready)

    def _heard_queued(self, position: int) -> None:
        """The server has it queued, though the change was not heard yet: the run is not over."""
        if self._states[position] == _REGISTERED:
            queued = _CODE[JobState.QUEUED_FOR_INSTANTIATION]
            counts = self.counts[self._groups[position]]
            counts[_REGISTERED] -= 1
            counts[queued] += 1
            self._states[position] = queued

    def n_active(self) -> int:
        """How many jobs are queued, have a live attempt, or are about to be queued again."""
        return sum(counts[code] for counts in self.counts for code in _ACTIVE)

    def has_ready(self) -> bool:
        """Whether some job could be queued now."""
        return bool(self._ready)

    def stop(self) -> None:
        """End the run politely: the server queues nothing more and has live attempts ended."""
        self._requester.call(routes.STOP_RUN, StopRun(self._run_id))

    def finish(self) -> RunState:
        """End the run; the state that it came to."""
        return self._requester.call(routes.FINISH_RUN, FinishRun(self._run_id)).state

    # How the jobs stand.

    def state(self, position: int) -> JobState:
        """The state of a job as last heard."""
        return STATES[self._states[position]]

    def job_id(self, position: int) -> int:
        """The server's id of a job."""
        return self._ids[position]

    def is_blocked(self, position: int) -> bool:
        """Whether it cannot start because something above it failed."""
        return self._states[position] == _REGISTERED and position in self._blocked

    def failed_above(self, position: int) -> int:
        """A job that failed, by position, above one that is blocked."""
        failed = {at for at, change in self.failures.items() if change.state is JobState.ERROR_FATAL}
        found = self._blocked.cause(position, failed)
        assert found is not None, "it is blocked"
        return found


def _raise_refused(standing: RunStanding) -> None:
    """A run that lacks some of its jobs cannot go on: what the server could not take ends it."""
    if standing.refused:
        raise error_of_all(standing.refused)
