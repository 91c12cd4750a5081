"""A run as the client sees it, against a server that is played by a script of outcomes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from scripted import FIRST_ID, AnyType, FakeServer, Lines, diamond, go, queued

import jobmon.client.running
from jobmon import BashTask, PythonTask, Workflow
from jobmon.client import views
from jobmon.config import Config, WorkflowConfig
from jobmon.errors import ConfigurationError, Superseded, WorkflowActive, WorkflowChanged, WorkflowFailed
from jobmon.processes import identify
from jobmon.states.names import JobState, RunState
from jobmon.states.reasons import Reason
from jobmon.wire.jobs import JobChange
from jobmon.wire.runs import RunStanding


@pytest.fixture
def view(monkeypatch):
    view = Lines()
    monkeypatch.setattr(jobmon.client.running, "choose_view", lambda **_: view)
    monkeypatch.setattr("jobmon.client.workflow.Registry", AnyType)
    return view


def test_jobs_are_queued_when_their_upstream_is_done_and_each_once(view):
    server = FakeServer()
    result = go(server, *diamond())
    assert RunState.DONE is result.state
    assert result.ok
    assert queued(server) == [["a"], ["b", "c"], ["d"]]
    assert result.counts == {"any": {JobState.DONE: 4}}
    assert repr(result.counts) == "{'any': {'DONE': 4}}"
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
    assert result["d"].why == "waiting for 'b', which failed"
    with pytest.raises(WorkflowFailed, match=r"(?s)2 of 4 tasks are done.*b: ERROR_FATAL EXIT_NONZERO \(status 3\)"):
        result.raise_for_failures()
    with pytest.raises(WorkflowFailed, match="'b' has no value"):
        _ = result["b"].value
    with pytest.raises(KeyError):
        result["no such"]
    assert any("b  attempt 1  EXIT_NONZERO (status 3)" in line for line in view.lines)
    assert view.rows[0].words() == "2 done, 1 waiting, 1 failed"


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


def test_resume_without_workflow_args_says_that_it_finds_nothing(view):
    workflow = Workflow("w", executor="any")
    workflow.add_task(BashTask("true", name="a"))
    with pytest.warns(UserWarning, match="has no workflow_args, so that resume=True finds nothing"):
        workflow.run(requester=FakeServer(), manager="none", config=Config(folder=Path("/")), resume=True)


def test_log_lines_tell_the_end_by_executor(capsys):
    out = views.PlainView()
    row = views.ExecutorProgress(
        "compute", "uge", 10, done=8, running=1, submitted=0, queued=0, waiting=0, failed=1, cancelled=0
    )
    out.show([row], ["executor x has queued jobs, and no live manager serves it"])
    out.show([row], ["executor x has queued jobs, and no live manager serves it"])
    out.end([row])
    lines = capsys.readouterr().err.splitlines()
    assert sum("no live manager" in line for line in lines) == 1
    assert lines[-1].endswith("compute  uge  10  8 done, 1 running, 1 failed")
