"""A run as the client sees it, against a server that is played by a script of outcomes."""

import os
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path

import attrs
import msgspec
import pytest

import jobmon.client.running
from jobmon import BashTask, PythonTask, Workflow
from jobmon.client import views
from jobmon.config import Config, WorkflowConfig
from jobmon.errors import ConfigurationError, Superseded, WorkflowActive, WorkflowChanged, WorkflowFailed
from jobmon.plugins.registry import Registry
from jobmon.processes import identify
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


@pytest.fixture
def view(monkeypatch):
    view = Lines()
    monkeypatch.setattr(jobmon.client.running, "choose_view", lambda **_: view)
    monkeypatch.setattr("jobmon.client.workflow.Registry", AnyType)
    return view


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


def test_jobs_are_queued_when_their_upstream_is_done_and_each_once(view):
    server = FakeServer()
    result = go(server, *diamond())
    assert RunState.DONE is result.state
    assert result.ok
    assert queued(server) == [["a"], ["b", "c"], ["d"]]
    assert result.counts == {"any": {JobState.DONE: 4}}
    assert view.rows[0].executor == "any"
    assert view.rows[0].words() == "4 done"
    result.raise_for_failures()


def test_what_lies_below_a_failure_is_blocked_and_the_rest_runs(view):
    server = FakeServer({"b": ["RUNNING", "ERROR_FATAL"]})
    result = go(server, *diamond())
    assert RunState.ERROR is result.state
    assert [task.name for task in result.failures] == ["b"]
    assert [task.name for task in result.blocked] == ["d"]
    assert result["c"].ok
    assert "blocked" in result["d"].why
    with pytest.raises(WorkflowFailed, match=r"(?s)2 of 4 tasks are done.*b: ERROR_FATAL EXIT_NONZERO \(status 3\)"):
        result.raise_for_failures()
    with pytest.raises(WorkflowFailed, match="'b' has no value"):
        _ = result["b"].value
    with pytest.raises(KeyError):
        result["no such"]
    assert any("b  attempt 1  EXIT_NONZERO (status 3)" in line for line in view.lines)
    assert view.rows[0].words() == "2 done, 1 failed, 1 blocked"


def test_a_job_that_is_tried_again_is_told_and_goes_on(view):
    fate = ["RUNNING", "QUEUED_FOR_INSTANTIATION", "RUNNING", "DONE"]
    result = go(FakeServer({"a": fate}), *diamond())
    assert result.ok
    assert sum("tried again" in line for line in view.lines) == 1


def test_fail_fast_stops_the_run_at_the_first_failure(view):
    server = FakeServer({"b": ["ERROR_FATAL"], "c": ["RUNNING"]})
    result = go(server, *diamond(), fail_fast=True)
    assert RunState.STOPPED is result.state
    assert JobState.CANCELLED is result["c"].state
    assert [task.name for task in result.cancelled] == ["c"]
    assert server.paths().count("/runs/stop") == 1


def test_without_fail_fast_a_failure_stops_nothing(view):
    server = FakeServer({"b": ["ERROR_FATAL"]})
    go(server, *diamond())
    assert "/runs/stop" not in server.paths()


def test_the_first_ctrl_c_stops_the_run_politely_and_is_raised_at_the_end(view):
    pressed = []

    def press(server):
        if server.state("b") is JobState.RUNNING and not pressed:
            pressed.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    server = FakeServer({"b": ["RUNNING"]}, press)
    before = signal.getsignal(signal.SIGINT)
    wf = Workflow("w", executor="any")
    wf.add_tasks(diamond())
    with pytest.raises(KeyboardInterrupt):
        wf.run(requester=server, manager="none", config=Config(folder=Path("/")))
    assert RunState.STOPPED is wf.result.state
    assert JobState.CANCELLED is wf.result["b"].state
    assert server.paths()[-1] == "/runs/finish"
    assert any("stopping" in line for line in view.lines)
    assert before == signal.getsignal(signal.SIGINT)


def test_the_second_ctrl_c_leaves_at_once(view):
    presses = []

    def press(server):
        wanted = 2 if server.run_state is RunState.STOPPING else 1
        if server.state("b") is JobState.RUNNING and len(presses) < wanted:
            presses.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    class NeverEnding(FakeServer):
        def runs_stop(self, _message):
            self.run_state = RunState.STOPPING
            return RunStanding(self.run_state)

    server = NeverEnding({"b": ["RUNNING"]}, press)
    with pytest.raises(KeyboardInterrupt):
        go(server, *diamond())
    assert len(presses) == 2
    assert "/runs/stop" in server.paths()
    assert "/runs/finish" not in server.paths()


def test_ctrl_c_while_jobs_are_bound_ends_the_run_before_it_begins(view):
    class Pressing(FakeServer):
        def runs_bind(self, message):
            os.kill(os.getpid(), signal.SIGINT)
            return super().runs_bind(message)

    server = Pressing()
    with pytest.raises(KeyboardInterrupt):
        go(server, *[BashTask("true", name=f"t{i}") for i in range(1500)])
    assert server.paths() == ["/runs/open", "/runs/bind", "/runs/stop"]


def test_a_run_that_is_stopped_by_somebody_else_ends_as_stopped(view):
    server = FakeServer({"a": ["RUNNING"]})
    server.on_poll = lambda server: server.runs_stop(None) if server.run_state is RunState.RUNNING else None
    assert RunState.STOPPED is go(server, *diamond()).state
    assert queued(server) == [["a"]]


def test_a_client_that_was_superseded_says_so_and_finishes_nothing(view):
    def supersede(_server):
        raise Superseded("another run took over")

    server = FakeServer(on_poll=supersede)
    with pytest.raises(Superseded):
        go(server, *diamond())
    assert "/runs/finish" not in server.paths()


def test_a_cursor_that_the_server_does_not_know_makes_it_read_all_again(view):
    resets = []

    def lose_the_first_changes(server):
        if not resets:
            resets.append(True)
            server.reset_next = True

    server = FakeServer({"b": ["ERROR_FATAL"]}, lose_the_first_changes)
    result = go(server, *diamond())
    assert [task.name for task in result.failures] == ["b"]
    assert queued(server) == [["a"], ["b", "c"]]


def test_resume_runs_only_what_is_not_done(view):
    server = FakeServer({"b": ["ERROR_FATAL"]})
    go(server, *diamond())
    server.fates, before = {}, len(queued(server))
    result = go(server, *reversed(diamond()), resume=True)
    assert result.ok
    assert queued(server)[before:] == [["b"], ["d"]]
    bound_again = [spec.name for path, m in server.heard if path == "/runs/bind" for spec in m.jobs][4:]
    assert {"b", "d"} == set(bound_again)
    assert result["b"].job_id == 102


def test_resume_adopts_what_runs(view):
    server = FakeServer({"b": ["RUNNING"]})
    tasks = diamond()
    finished = []

    def end_b(server):
        if server.run_number == 2 and not finished:
            finished.append(True)
            server._to(FIRST_ID + 1, JobState.DONE)
        elif server.run_number == 1 and server.state("c") is JobState.DONE and not server.pending:
            raise Superseded("the first client is gone")

    server.on_poll = end_b
    with pytest.raises(Superseded):
        go(server, *tasks)
    result = go(server, *diamond(), resume=True)
    assert result.ok
    assert queued(server) == [["a"], ["b", "c"], ["d"]]


def test_resume_of_another_graph_shows_the_difference_and_begins_nothing(view):
    server = FakeServer()
    go(server, *diamond())
    begun = server.paths().count("/runs/begin")
    with pytest.raises(WorkflowChanged, match=r"changed command or call \(2\): b, c"):
        go(server, *diamond("false"), resume=True)
    a, b, c, _ = diamond()
    with pytest.raises(WorkflowChanged, match=r"changed upstream \(1\): d \(no longer c; now also a\)"):
        go(server, a, b, c, BashTask("true", name="d", upstream_tasks=[a, b]), resume=True)
    with pytest.raises(WorkflowChanged, match=r"(?s)added \(1\): e.*removed \(1\): d"):
        go(server, a, b, c, BashTask("true", name="e"), resume=True)
    assert begun == server.paths().count("/runs/begin")
    assert server.paths()[-1] == "/runs/stop"


def test_resume_after_a_client_that_died_while_binding_binds_the_rest(view):
    server = FakeServer()
    server.run_number = 1
    tasks = [BashTask("true", name=f"t{i}") for i in range(5)]

    class Dying(FakeServer):
        def runs_bind(self, message):
            super().runs_bind(type(message)(message.run_id, message.jobs[:2]))
            raise Superseded("died")

    server = Dying()
    with pytest.raises(Superseded):
        go(server, *tasks)
    server.__class__ = FakeServer
    assert go(server, *tasks, resume=True).ok
    assert sorted(server.jobs) == [101, 102, 103, 104, 105]


def test_a_dead_client_on_this_host_is_known_at_once(view):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    server = FakeServer()
    server.active_client = identify(child.pid)
    child.communicate()
    server.run_number = 4
    assert go(server, *diamond(), resume=True).ok
    assert [message.gone_run for path, message in server.heard if path == "/runs/open"] == [None, 4]


def test_a_live_client_on_this_host_is_named(view):
    server = FakeServer()
    server.active_client = identify()
    with pytest.raises(WorkflowActive, match=f"process {os.getpid()} on this host"):
        go(server, *diamond(), resume=True)
    assert server.paths() == ["/runs/open"]


def test_a_value_is_asked_for_when_it_is_wanted(view):
    server = FakeServer()
    server.results = {FIRST_ID: msgspec.json.encode({"e0": [81.5]}).decode()}
    result = go(server, PythonTask("math:sqrt", args=[4], name="root"), BashTask("true", name="shell"))
    assert "/jobs/result" not in server.paths()
    assert result["root"].value == {"e0": [81.5]}
    assert result["shell"].value is None


def test_a_failure_cannot_steer_the_users_terminal(capsys):
    out = views.PlainView()
    out.line("boom raised \x1b[31m red\nsecond line\r\x07")
    assert capsys.readouterr().err[9:] == "boom raised \\x1b[31m red\nsecond line\\r\\x07\n"


def test_a_failure_is_told_by_a_result_without_what_steers_a_terminal(view, monkeypatch):
    server = FakeServer({"a": ["ERROR_FATAL"]})
    monkeypatch.setattr(server, "_to", lambda job_id, state: server.pending.append(
        JobChange([job_id], state, 1, Reason.EXIT_NONZERO, "raised \x1b[31m")))  # fmt: skip
    result = go(server, BashTask("true", name="a"))
    assert result["a"].detail == "raised \x1b[31m"
    assert result["a"].why == "ERROR_FATAL EXIT_NONZERO (raised \\x1b[31m)"


def test_a_log_folder_that_cannot_be_made_is_told_before_a_run_is_opened(view, tmp_path):
    (tmp_path / "file").touch()
    server, wf = FakeServer(), Workflow("w", executor="any")
    wf.add_task(BashTask("true"))
    config = Config(folder=tmp_path, workflow=WorkflowConfig(log_folder=str(tmp_path / "file" / "logs")))
    with pytest.raises(ConfigurationError, match=r"the log folder .* cannot be made: Not a directory"):
        wf.run(requester=server, config=config)
    assert server.paths() == []


def test_whatever_goes_wrong_before_a_run_begins_ends_it(view, monkeypatch):
    server = FakeServer()
    monkeypatch.setattr(server, "runs_bind", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        go(server, BashTask("true", name="a"))
    assert server.paths()[-1] == "/runs/stop"


def test_a_flood_of_failures_is_cut(view):
    names = [f"t{i}" for i in range(150)]
    server = FakeServer({name: ["ERROR_FATAL"] for name in names})
    result = go(server, *[BashTask("true", name=name) for name in names])
    assert len(result.failures) == 150
    assert sum("EXIT_NONZERO" in line for line in view.lines) == 100
    assert any("jobmon jobs 7" in line for line in view.lines)


def test_log_lines_tell_the_end_by_executor(capsys):
    out = views.PlainView()
    row = views.ExecutorProgress(
        "compute", "uge", 10, done=8, running=1, queued=0, waiting=0, failed=1, cancelled=0, blocked=0
    )
    out.show([row], ["executor x has queued jobs, and no live manager serves it"])
    out.show([row], ["executor x has queued jobs, and no live manager serves it"])
    out.end([row])
    lines = capsys.readouterr().err.splitlines()
    assert sum("no live manager" in line for line in lines) == 1
    assert lines[-1].endswith("compute  uge  10  8 done, 1 running, 1 failed")
