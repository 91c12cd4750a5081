"""All reads. They use connections that cannot write, in threads of their own, and never wait for the writer."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from jobmon.errors import InvalidRequest
from jobmon.ids import output_paths
from jobmon.processes import is_alive
from jobmon.server.payloads import log_folder
from jobmon.server.signs import SignsOfLife
from jobmon.states.names import FINAL_RUN_STATES, RunState
from jobmon.store import history, instances, jobs, leases, overview, workflows
from jobmon.store.connection import Connection
from jobmon.store.database import Database, database_id, explain
from jobmon.store.leases import StoredLease
from jobmon.store.work import with_work
from jobmon.store.workflows import StoredRun, StoredWorkflow
from jobmon.wire import routes
from jobmon.wire.jobs import AttemptRow
from jobmon.wire.leases import (
    ExecutorsToServe,
    InstanceChanges,
    LiveInstances,
    ReadExecutors,
    ReadInstanceChanges,
    ReadLiveInstances,
    ServedExecutors,
    ServeExecutors,
    Wanted,
)
from jobmon.wire.routes import Route
from jobmon.wire.runs import (
    Attempts,
    BoundJobs,
    Changes,
    ExecutorCounts,
    History,
    JobRows,
    ReadAttempts,
    ReadBoundJobs,
    ReadChanges,
    ReadHistory,
    ReadJobs,
    ReadResult,
    ReadWorkflow,
    ReadWorkflows,
    Result,
    WorkflowStatus,
    WorkflowStatuses,
)

#: How often a standing manager asks whether it is wanted: a read, which costs no commit.
_ASK_AGAIN_S = 0.5
_MOST_COUNTED = 10_000
_CLIENT_POLLS_S = 5.0  # a client that lives is heard of within this

Reader = Callable[[Connection, Any], Any]


class JobQueryServer:
    """Answers every read from a snapshot of the database."""

    def __init__(self, database: Database, signs: SignsOfLife) -> None:
        self._database = database
        self._signs = signs
        with database.reading.connect() as connection:
            self.database_id = database_id(connection)
        #: Of runs that are over: the run, the workflow's newest change, and what was counted then.
        self._counted: dict[int, tuple[tuple[int, int], dict[str, dict[str, int]]]] = {}
        self._readers: dict[str, Reader] = {
            routes.BOUND_JOBS.path: self._bound_jobs,
            routes.CHANGES.path: self._changes,
            routes.WORKFLOWS.path: self._workflows,
            routes.WORKFLOW.path: self._workflow,
            routes.JOBS.path: self._jobs,
            routes.ATTEMPTS.path: self._attempts,
            routes.RESULT.path: self._result,
            routes.HISTORY.path: self._history,
            routes.LIVE_INSTANCES.path: self._live_instances,
            routes.INSTANCE_CHANGES.path: self._instance_changes,
            routes.SERVE_EXECUTORS.path: self._to_serve,
            routes.EXECUTORS.path: self._executors,
        }

    def read(self, route: Route[Any, Any], message: Any) -> Any:
        """The answer to a read. Called in any thread.

        Raises:
            InvalidRequest: what it asks for does not exist.
            StoreError: the database cannot be read; DatabaseGone, if its file is not there any more.
        """
        try:
            return self._read(route, message)
        except sqlite3.Error as error:
            self._database.presence.check()
            raise explain(self._database.path, error) from error

    def _read(self, route: Route[Any, Any], message: Any) -> Any:
        with self._database.reading.connect() as connection:
            connection.run("BEGIN")  # one snapshot for all its statements
            try:
                return self._readers[route.path](connection, message)
            finally:
                connection.run("COMMIT")

    def _bound_jobs(self, connection: Connection, message: ReadBoundJobs) -> BoundJobs:
        seq = history.current_seq(connection, message.workflow_id)
        return BoundJobs(seq, jobs.bound(connection, message.workflow_id, message.after, message.limit))

    def _changes(self, connection: Connection, message: ReadChanges) -> Changes:
        run = workflows.get_run(connection, message.run_id)
        if run is None or run.run.workflow_id != message.workflow_id:
            raise InvalidRequest(f"there is no run {message.run_id} of workflow {message.workflow_id}")
        self._signs.heard_run(message.run_id)
        notes, unserved = self._signs.notes(message.workflow_id), self._unserved(connection, message.workflow_id)
        if self._unknown(connection, message):
            seq = history.current_seq(connection, message.workflow_id)
            return Changes(seq, [], run.run.state, unserved, notes, reset=True)
        seq, found = history.job_changes(connection, message.workflow_id, message.since, message.limit)
        return Changes(seq, found, run.run.state, unserved, notes)

    def _unknown(self, connection: Connection, message: ReadChanges | ReadInstanceChanges) -> bool:
        """Whether the cursor is not of this database, or ahead of it (the database was replaced by an older copy)."""
        if message.database_id != self.database_id:
            return True
        return message.since > history.current_seq(connection, message.workflow_id)

    def _unserved(self, connection: Connection, workflow_id: int) -> list[str]:
        queued = workflows.queued_executors(connection, workflow_id)
        return sorted(executor for executor in queued if not self._signs.manager_may_live(workflow_id, executor))

    def _to_serve(self, connection: Connection, message: ServeExecutors) -> ExecutorsToServe:
        superseded = self._signs.standing.heard(message.manager, message.executors)
        names = set(message.executors) - set(superseded)
        wanted = [
            Wanted(workflow_id, executor)
            for workflow_id, executor in with_work(connection)
            if executor in names and self._is_free(connection, workflow_id, executor)
        ]
        return ExecutorsToServe(_ASK_AGAIN_S, wanted, superseded)

    def _is_free(self, connection: Connection, workflow_id: int, executor: str) -> bool:
        lease = leases.get(connection, workflow_id, executor)
        return lease is None or lease.released or not self._signs.manager_may_live(workflow_id, executor)

    def _executors(self, _connection: Connection, _message: ReadExecutors) -> ServedExecutors:
        return ServedExecutors(self._signs.standing.live())

    def _workflows(self, connection: Connection, message: ReadWorkflows) -> WorkflowStatuses:
        found = overview.newest(connection, message.name, message.before, message.limit)
        return WorkflowStatuses(self._statuses(connection, found))

    def _workflow(self, connection: Connection, message: ReadWorkflow) -> WorkflowStatus:
        found = workflows.get(connection, message.workflow_id)
        if found is None:
            raise InvalidRequest(f"there is no workflow {message.workflow_id}")
        return self._statuses(connection, [found])[0]

    def _statuses(self, connection: Connection, found: Sequence[StoredWorkflow]) -> list[WorkflowStatus]:
        ids = [workflow.id for workflow in found]
        last = overview.last_runs(connection, ids)
        counts = self._counts(connection, found, last)
        served = leases.of_workflows(connection, ids)
        return [
            self._status(workflow, last.get(workflow.id), counts.get(workflow.id, {}), served) for workflow in found
        ]

    def _counts(
        self, connection: Connection, found: Sequence[StoredWorkflow], last: Mapping[int, StoredRun]
    ) -> dict[int, dict[str, dict[str, int]]]:
        """How many jobs are in each state; they are counted again only where something may have changed."""
        over = {
            workflow.id: (last[workflow.id].run.id, workflow.seq)
            for workflow in found
            if workflow.id in last and last[workflow.id].run.state in FINAL_RUN_STATES
        }
        known = {
            workflow_id: counted[1]
            for workflow_id, when in over.items()
            if (counted := self._counted.get(workflow_id)) is not None and counted[0] == when
        }
        unknown = [workflow.id for workflow in found if workflow.id not in known]
        counts = overview.counts(connection, unknown) if unknown else {}
        if len(self._counted) > _MOST_COUNTED:
            self._counted.clear()
        self._counted.update({i: (when, counts[i]) for i, when in over.items() if i in counts})
        return counts | known

    def _status(
        self,
        workflow: StoredWorkflow,
        last: StoredRun | None,
        counts: Mapping[str, dict[str, int]],
        served: Mapping[tuple[int, str], StoredLease],
    ) -> WorkflowStatus:
        executors = []
        for executor, states in sorted(counts.items()):
            lease = served.get((workflow.id, executor))
            type_name = None if lease is None else lease.registration.type
            executors.append(
                ExecutorCounts(executor, type_name, self._signs.manager_alive(workflow.id, executor), states)
            )
        return WorkflowStatus(
            workflow.id,
            workflow.name,
            workflow.workflow_args,
            0 if last is None else last.number,
            RunState.REGISTERED if last is None else last.run.state,
            history.iso(workflow.created_at),
            executors,
            self._signs.notes(workflow.id),
            None if last is None else self._client(last),
        )

    def _client(self, run: StoredRun) -> Literal["alive", "silent", "gone"] | None:
        if run.run.state in FINAL_RUN_STATES:
            return None
        if self._signs.run_seconds_left(run.run.id) <= 0:
            return "silent" if is_alive(run.client) is not False else "gone"
        if self._signs.run_silence_s(run.run.id) > _CLIENT_POLLS_S and is_alive(run.client) is False:
            return "gone"
        return "alive"

    def _jobs(self, connection: Connection, message: ReadJobs) -> JobRows:
        m = message
        rows = overview.job_rows(
            connection, m.workflow_id, states=m.states, name=m.name, after=m.after, limit=m.limit, detailed=m.detailed
        )
        return JobRows(rows)

    def _attempts(self, connection: Connection, message: ReadAttempts) -> Attempts:
        job = jobs.load(connection, [message.job_id]).get(message.job_id)
        if job is None:
            raise InvalidRequest(f"there is no job {message.job_id}")
        name = jobs.specifications(connection, [job.id])[job.id].name
        workflow = workflows.get(connection, job.workflow_id)
        last = workflows.last_run(connection, job.workflow_id)
        assert workflow is not None
        assert last is not None
        folder = log_folder(last.context, workflow.name, workflow.id)
        rows = []
        for i, times, report in instances.attempts_of(connection, job.id):
            host, usage, out, err = report or (None, "{}", None, None)
            paths = output_paths(folder, name, job.id, i.attempt)
            rows.append(
                AttemptRow(
                    i.token, i.attempt, i.executor, i.state, i.executor_job_id, i.reason, i.exit_status, i.signal,
                    i.detail, host, *paths, out, err, msgspec.json.decode(usage),
                    history.iso(times[0]), overview.time_of(times[1]),
                    overview.time_of(times[2]),
                )
            )  # fmt: skip
        return Attempts(rows)

    def _result(self, connection: Connection, message: ReadResult) -> Result:
        return Result(jobs.results(connection, [message.job_id]).get(message.job_id))

    def _history(self, connection: Connection, message: ReadHistory) -> History:
        return History(history.page(connection, message.workflow_id, message.since, message.job_id, message.limit))

    def _live_instances(self, connection: Connection, message: ReadLiveInstances) -> LiveInstances:
        m = message
        found = instances.live_page(connection, m.workflow_id, m.executor, m.after, m.limit)
        return LiveInstances(history.current_seq(connection, m.workflow_id), self.database_id, found)

    def _instance_changes(self, connection: Connection, message: ReadInstanceChanges) -> InstanceChanges:
        m = message
        if self._unknown(connection, m):
            return InstanceChanges(history.current_seq(connection, m.workflow_id), [], reset=True)
        return InstanceChanges(
            *history.instance_changes(
                connection, m.workflow_id, m.executor, m.since, m.limit, only_cancelling=m.only_cancelling
            )
        )
