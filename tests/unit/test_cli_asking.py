"""Workflows and jobs by name or id."""

import attrs
import pytest

from jobmon.cli.app import run
from jobmon.cli.asking import find_job, find_workflow
from jobmon.cli.exits import Exit
from jobmon.errors import InvalidRequest
from jobmon.states.names import FINAL_RUN_STATES, RunState
from jobmon.wire import routes
from jobmon.wire.runs import ExecutorCounts, JobRows, WorkflowStatus, WorkflowStatuses


class Asked:
    """Knows workflow 7, named "2026", and no job."""

    workflow = WorkflowStatus(7, "2026", None, 1, RunState.DONE, "2026-11-24T00:00:00+00:00", [])

    def call(self, route, message):
        if route is routes.WORKFLOW:
            assert message.workflow_id < 2**63
            if message.workflow_id != 7:
                raise InvalidRequest(f"there is no workflow {message.workflow_id}")
            return self.workflow
        if route is routes.WORKFLOWS:
            return WorkflowStatuses([self.workflow] if message.name == "2026" else [])
        assert message.after < 2**63
        return JobRows([])


def test_a_workflow_is_found_by_its_id_and_by_a_name_that_is_a_number():
    assert find_workflow(Asked(), "7").name == "2026"
    assert find_workflow(Asked(), "2026").workflow_id == 7


@pytest.mark.parametrize("number", ["3", "9" * 30])
def test_a_number_that_is_nothing_is_told_however_large(number):
    with pytest.raises(InvalidRequest, match=f"there is no workflow '{number}'"):
        find_workflow(Asked(), number)
    with pytest.raises(InvalidRequest, match=f"has no job '{number}'"):
        find_job(Asked(), 7, number)


def test_another_users_data_folder_is_told_in_words(monkeypatch, capsys):
    def refused(*_args, **_):
        raise PermissionError(13, "Permission denied", "/of/another/endpoint.json")

    monkeypatch.setattr("jobmon.cli.asking.connect", refused)
    assert run(["status"]) == Exit.CONFIGURATION
    assert "/of/another/endpoint.json cannot be read: it is another user's" in capsys.readouterr().err


def test_a_run_whose_client_has_ended_says_so(monkeypatch, capsys):
    left = attrs.evolve(Asked.workflow, run_state=RunState.RUNNING, client="gone")
    monkeypatch.setattr(Asked, "workflow", left)
    monkeypatch.setattr("jobmon.cli.status.reach", Asked)
    assert run(["status", "7"]) == 0
    said = capsys.readouterr().out
    assert "is RUNNING, client gone" in said
    assert "run(resume=True) goes on" in said


@pytest.mark.parametrize("state", RunState)
def test_whether_an_executor_is_served_is_told_while_a_run_is_not_over(state, monkeypatch, capsys):
    counts = ExecutorCounts("compute", "uge", False, {"DONE": 1})
    monkeypatch.setattr(Asked, "workflow", attrs.evolve(Asked.workflow, run_state=state, executors=[counts]))
    monkeypatch.setattr("jobmon.cli.status.reach", Asked)
    assert run(["status", "7"]) == 0
    assert ("served" in capsys.readouterr().out) == (state not in FINAL_RUN_STATES)
