"""Writes of the client: a run is opened, its jobs are bound and queued, and it ends."""

import attrs

from jobmon.errors import InvalidRequest, InvalidWorkflow, WorkflowActive, WorkflowChanged, WorkflowExists
from jobmon.server import binding
from jobmon.server.batches import refusal
from jobmon.server.transitions import Transitions
from jobmon.server.writing import Writing
from jobmon.states import jobs, runs
from jobmon.states.names import FINAL_INSTANCE_STATES, FINAL_RUN_STATES, JobState, RunState
from jobmon.states.runs import RunEvent, WorkflowRun
from jobmon.store import instances as instance_rows
from jobmon.store import jobs as job_rows
from jobmon.store import workflows
from jobmon.store.workflows import StoredRun, StoredWorkflow
from jobmon.store.writer import Transaction
from jobmon.wire.runs import BeginRun, BindJobs, FinishRun, OpenRun, QueueJobs, RunOpened, RunStanding, StopRun

_UNFINISHED = (
    JobState.ADJUSTING_RESOURCES,
    JobState.QUEUED_FOR_INSTANTIATION,
    JobState.INSTANTIATED,
    JobState.RUNNING,
    JobState.ERROR_RECOVERABLE,
)


class RunWrites:
    """Opening, binding, queueing, stopping and finishing runs."""

    def __init__(self, writing: Writing) -> None:
        self._writing = writing

    def open(self, tx: Transaction, message: OpenRun) -> RunOpened:
        """Open a run of a workflow that is new, or that no other client runs.

        Raises:
            WorkflowExists: it is not new and `resume` is not said.
            WorkflowActive: another run is active and its client may be alive.
            InvalidWorkflow: it would wait for the task that it runs in, which waits for it.
        """
        self._refuse_circle(tx, message)
        if message.n_jobs < 0:
            raise InvalidRequest(f"a workflow cannot have {message.n_jobs} jobs")
        found = None
        if message.workflow_args is not None:
            found = workflows.find(tx.connection, message.name, message.workflow_args)
        number = 1
        if found is None:
            found = workflows.create(tx.connection, message.name, message.workflow_args, message.n_jobs, tx.at)
        else:
            number = self._take_up(tx, found, message)
        run = workflows.insert_run(tx.connection, found.id, number, message.client, message.context, tx.at)
        tx.after_commit(lambda: self._writing.signs.heard_run(run.id))
        n_bound = workflows.count_bound(tx.connection, found.id) if number > 1 else 0
        return RunOpened(found.id, run.id, number, found.first_job_id, n_bound)

    def _refuse_circle(self, tx: Transaction, message: OpenRun) -> None:
        """Refuse a workflow inside an attempt that needs the exclusive executor on which the attempt itself runs."""
        if message.inside is None or not message.exclusive:
            return
        outer = instance_rows.load(tx.connection, [message.inside]).get(message.inside)
        if outer is None or outer.state in FINAL_INSTANCE_STATES or outer.executor not in message.exclusive:
            return
        raise InvalidWorkflow(
            f"workflow {message.name!r} runs inside a task of workflow {outer.workflow_id} (job {outer.job_id}) on "
            f"executor {outer.executor!r}, which its own tasks need, too, and which serves one workflow at a time: "
            "each would wait for the other for ever. Give one of the two another executor"
        )

    def _take_up(self, tx: Transaction, found: StoredWorkflow, message: OpenRun) -> int:
        """Make way for a further run of a workflow; its number."""
        label = f"workflow {found.name!r} with workflow_args {found.workflow_args!r}"
        last = workflows.last_run(tx.connection, found.id)
        if last is not None and last.run.state not in FINAL_RUN_STATES:
            self._end_predecessor(tx, last, message, label)
        elif not message.resume:
            raise WorkflowExists(
                f"{label} exists already (workflow {found.id}"
                + (f", its last run is {last.run.state}" if last else "")
                + "). To go on with it: run(resume=True). To run it anew: give other workflow_args, or none"
            )
        if found.n_jobs != message.n_jobs:
            raise WorkflowChanged(
                f"{label} has {found.n_jobs} tasks on the server and {message.n_jobs} now; "
                "a resumed workflow must be the same",
                {"workflow_id": found.id},
            )
        return 1 if last is None else last.number + 1

    def _end_predecessor(self, tx: Transaction, last: StoredRun, message: OpenRun, label: str) -> None:
        left = self._writing.signs.run_seconds_left(last.run.id)
        gone = message.gone_run == last.run.id or left <= 0
        if not gone and not message.take_over:
            raise WorkflowActive(
                f"{label} is being run by process {last.client.pid} on {last.client.host} (run {last.number}). If that "
                f"process is gone, wait {max(1, round(left))} s; or end it now: run(resume=True, take_over=True)",
                {"run_id": last.run.id, "client": attrs.asdict(last.client), "seconds_left": max(0.0, left)},
            )
        if not message.resume:
            raise WorkflowExists(f"{label} exists already; its last client is gone. To go on with it: run(resume=True)")
        self._to_run(tx, last.run, runs.ClientGone())

    def bind(self, tx: Transaction, message: BindJobs) -> RunStanding:
        """Bind jobs; those that are bound already take the new executor and resources.

        Refused are a job that is bound with another digest (WorkflowChanged), an id outside the workflow's block, a
        name or an id that another job has, and what runs nothing.
        """
        stored = self._writing.active_run(tx, message.run_id)
        workflow = workflows.get(tx.connection, stored.run.workflow_id)
        assert workflow is not None
        bound = job_rows.digests(tx.connection, [spec.job_id for spec in message.jobs]) if stored.number > 1 else {}
        again, new, refused = binding.sorted_out(message.jobs, workflow, bound)
        likes, clashing = binding.insert(tx.connection, workflow.id, new)
        for like, ids in likes:
            self._writing.live.keep_jobs(tx, ids, like)
        if again:
            self._writing.live.forget_jobs(tx, [spec.job_id for spec in again])
            job_rows.rebind(tx.connection, again)
            self._writing.wake_claims(tx, {(workflow.id, spec.executor) for spec in again})
        return RunStanding(stored.run.state, [*refused, *clashing])

    def begin(self, tx: Transaction, message: BeginRun) -> RunStanding:
        """All jobs are bound: the run begins; what failed, was cancelled or is being ended is taken up again."""
        stored = self._writing.active_run(tx, message.run_id)
        workflow = workflows.get(tx.connection, stored.run.workflow_id)
        assert workflow is not None
        bound = workflows.count_bound(tx.connection, workflow.id)
        if bound != workflow.n_jobs:
            raise InvalidRequest(f"workflow {workflow.id} has {bound} of its {workflow.n_jobs} jobs bound")
        transitions = self._writing.transitions(tx)
        if stored.number > 1:
            again = job_rows.in_states(
                tx.connection, workflow.first_job_id, workflow.n_jobs, (JobState.ERROR_FATAL, JobState.CANCELLED)
            )
            live = job_rows.in_states(
                tx.connection, workflow.first_job_id, workflow.n_jobs, (JobState.INSTANTIATED, JobState.RUNNING)
            )
            again += [job for job in live if job.cancel_requested]
            transitions.take_jobs(self._writing.live.take_jobs(tx, again))
            transitions.to_jobs(jobs.Resumed(), [job.id for job in again])
        run = self._to_run(tx, self._to_run(tx, stored.run, runs.Bound(), transitions), runs.Began(), transitions)
        self._writing.store(tx, transitions)
        return RunStanding(run.state)

    def queue(self, tx: Transaction, message: QueueJobs) -> RunStanding:
        """Queue jobs whose upstream jobs are done; a run that is being stopped queues nothing."""
        stored = self._writing.active_run(tx, message.run_id)
        if stored.run.state is not RunState.RUNNING:
            return RunStanding(stored.run.state)
        found = self._writing.live.jobs(tx, message.job_ids)
        workflow_id = stored.run.workflow_id
        theirs = {i: like for i, like in found.items() if like.workflow_id == workflow_id}
        transitions = self._writing.transitions(tx)
        transitions.take_jobs(theirs)
        transitions.to_jobs(jobs.Ready(), [i for i in message.job_ids if i in theirs])
        self._writing.store(tx, transitions)
        strange = [i for i in message.job_ids if i not in theirs]
        refused = [refusal(InvalidRequest(f"job {i} is not of workflow {workflow_id}"), job_id=i) for i in strange]
        return RunStanding(stored.run.state, refused)

    def stop(self, tx: Transaction, message: StopRun) -> RunStanding:
        """Stop the run: jobs that wait for a place or have a live attempt are cancelled, no others."""
        stored = self._writing.active_run(tx, message.run_id)
        workflow = workflows.get(tx.connection, stored.run.workflow_id)
        assert workflow is not None
        transitions = self._writing.transitions(tx)
        # A run that never began (its graph was refused, say) must not end what an earlier run left running.
        begun = stored.run.state in (RunState.RUNNING, RunState.STOPPING)
        found = job_rows.in_states(tx.connection, workflow.first_job_id, workflow.n_jobs, _UNFINISHED) if begun else []
        transitions.take_jobs(self._writing.live.take_jobs(tx, found))
        transitions.to_jobs(jobs.CancelRequested(), [job.id for job in found])
        run = self._to_run(tx, stored.run, runs.StopRequested(), transitions)
        self._writing.store(tx, transitions)
        return RunStanding(run.state)

    def finish(self, tx: Transaction, message: FinishRun) -> RunStanding:
        """End the run, of which no job is ready, live or adjusting.

        Raises:
            InvalidRequest: some job still is.
        """
        stored = self._writing.active_run(tx, message.run_id)
        counts = workflows.count_by_state(tx.connection, stored.run.workflow_id)
        unfinished = sum(n for (_, state), n in counts.items() if state in _UNFINISHED)
        if unfinished:
            raise InvalidRequest(f"{unfinished} jobs of run {stored.number} are not finished")
        all_done = all(state == JobState.DONE for _, state in counts)
        transitions = self._writing.transitions(tx)
        run = self._to_run(tx, stored.run, runs.Finished(all_done), transitions)
        self._writing.store(tx, transitions)
        tx.after_commit(lambda: self._writing.signs.run_over(run.id))
        return RunStanding(run.state)

    def _to_run(
        self, tx: Transaction, run: WorkflowRun, event: RunEvent, transitions: Transitions | None = None
    ) -> WorkflowRun:
        after = runs.apply(run, event)
        if after is not run:
            workflows.save_run(tx.connection, after)
        noted = transitions or self._writing.transitions(tx)
        name = type(event).__name__ if after is not run else f"({type(event).__name__})"
        noted.note_run(run.workflow_id, run.id, name, run.state, after.state)
        if transitions is None:
            self._writing.store(tx, noted)
        return after
