"""A server that is played by a script of outcomes, for a client that is looked at without processes."""

from collections import deque
from pathlib import Path

import attrs

from jobmon import BashTask, Workflow
from jobmon.client import views
from jobmon.config import Config
from jobmon.errors import WorkflowActive
from jobmon.plugins.registry import Registry
from jobmon.states.names import JobState, RunState
from jobmon.states.reasons import Reason
from jobmon.wire.jobs import BoundJob, JobChange
from jobmon.wire.runs import Attempts, BoundJobs, Changes, Result, RunOpened, RunStanding

FIRST_ID = 101


class FakeServer:
    """A server that runs each queued job at once. `fates`: the states that a job goes through, by name.

    A fate may end before a final state: the job then lives until the run is stopped. `on_poll` comes before an answer.
    """

    database_id = "db"
    data_folder = None

    def __init__(self, fates=None, on_poll=None):
        self.fates, self.on_poll = fates or {}, on_poll
        self.jobs = {}  # by id: [spec, state]
        self.pending = deque()
        self.seq = 0
        self.run_state = RunState.REGISTERED
        self.run_number = 0
        self.heard = []  # paths and messages in order
        self.unserved, self.reset_next = [], False
        self.active_client = None
        self.results = {}

    def call(self, route, message, **_):
        self.heard.append((route.path, message))
        return getattr(self, route.path.strip("/").replace("/", "_"))(message)

    def paths(self):
        return [path for path, _ in self.heard]

    def runs_open(self, message):
        if self.active_client is not None and message.gone_run != self.run_number:
            raise WorkflowActive("active", {"run_id": self.run_number, "client": attrs.asdict(self.active_client)})
        self.run_state = RunState.REGISTERED
        self.run_number += 1
        return RunOpened(7, self.run_number, self.run_number, FIRST_ID, len(self.jobs))

    def runs_bind(self, message):
        for spec in message.jobs:
            state = self.jobs[spec.job_id][1] if spec.job_id in self.jobs else JobState.REGISTERED
            self.jobs[spec.job_id] = [spec, state]
        return RunStanding(self.run_state)

    def runs_begin(self, _message):
        self.run_state = RunState.RUNNING
        for job in self.jobs.values():
            if job[1] in (JobState.ERROR_FATAL, JobState.CANCELLED):
                job[1] = JobState.REGISTERED
        return RunStanding(self.run_state)

    def runs_queue(self, message):
        if self.run_state is RunState.RUNNING:
            for job_id in message.job_ids:
                spec = self.jobs[job_id][0]
                assert all(self.jobs[above][1] is JobState.DONE for above in spec.upstream), (
                    f"{spec.name} was not ready"
                )
                for state in (
                    "QUEUED_FOR_INSTANTIATION",
                    *self.fates.get(spec.name, ["INSTANTIATED", "RUNNING", "DONE"]),
                ):
                    self._to(job_id, JobState(state))
        return RunStanding(self.run_state)

    def _to(self, job_id, state):
        queued_again = state is JobState.QUEUED_FOR_INSTANTIATION and self.jobs[job_id][1] is JobState.RUNNING
        failed = state is JobState.ERROR_FATAL or queued_again  # a server tells of a failed attempt like this
        self.jobs[job_id][1] = state
        self.pending.append(
            JobChange([job_id], state, 1, Reason.EXIT_NONZERO if failed else None, "status 3" if failed else None)
        )

    def runs_stop(self, _message):
        self.run_state = RunState.STOPPING
        for job_id, (_, state) in self.jobs.items():
            if state not in (JobState.REGISTERED, JobState.DONE, JobState.ERROR_FATAL):
                self._to(job_id, JobState.CANCELLED)
        return RunStanding(self.run_state)

    def runs_finish(self, _message):
        done = all(state is JobState.DONE for _, state in self.jobs.values())
        stopping = self.run_state is RunState.STOPPING
        self.run_state = RunState.DONE if done else RunState.STOPPED if stopping else RunState.ERROR
        return RunStanding(self.run_state)

    def jobs_bound(self, message):
        after = [
            BoundJob(i, spec.name, spec.digest, spec.upstream, state)
            for i, (spec, state) in sorted(self.jobs.items())
            if i > message.after
        ]
        return BoundJobs(self.seq, after[: message.limit])

    def jobs_changes(self, message):
        if self.on_poll:
            self.on_poll(self)
        if self.reset_next:
            self.reset_next = False
            self.pending.clear()
            return Changes(self.seq, [], self.run_state, reset=True)
        assert message.since == self.seq
        jobs = [self.pending.popleft() for _ in range(min(3, len(self.pending)))]
        self.seq += len(jobs)
        return Changes(self.seq, jobs, self.run_state, unserved=self.unserved)

    def jobs_attempts(self, _message):
        return Attempts([])

    def jobs_result(self, message):
        return Result(self.results.get(message.job_id))

    def state(self, name):
        return next(state for spec, state in self.jobs.values() if spec.name == name)


class Lines(views.SilentView):
    """Keeps what is said."""

    def __init__(self):
        self.lines, self.rows = [], []

    def line(self, text):
        self.lines.append(text)

    def end(self, rows):
        self.rows = rows


class AnyType(Registry):
    """One type, `any`."""

    def names(self):
        return ["any"]

    def load(self, name):
        from jobmon.plugins import Executor

        return type("Any", (Executor,), {"name": "any", "api_version": (1, 0)})


def go(server, *tasks, resume=False, **options):
    wf = Workflow("w", workflow_args="1", executor="any", **options)
    wf.add_tasks(tasks)
    return wf.run(requester=server, manager="none", config=Config(folder=Path("/")), resume=resume)


def diamond(command="true"):
    a = BashTask("true", name="a")
    b, c = (BashTask(command, name=name, upstream_tasks=[a]) for name in "bc")
    return a, b, c, BashTask("true", name="d", upstream_tasks=[b, c])


def queued(server):
    return [[server.jobs[i][0].name for i in m.job_ids] for path, m in server.heard if path == "/runs/queue"]
