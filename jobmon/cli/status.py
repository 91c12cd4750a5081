"""`jobmon status`: how workflows stand."""

from collections.abc import Mapping

import click

from jobmon.cli.asking import find_workflow, reach
from jobmon.cli.exits import Exit
from jobmon.cli.output import json_option, print_json, print_table, printable
from jobmon.states.names import JobState
from jobmon.wire import routes
from jobmon.wire.runs import ReadWorkflows, WorkflowStatus

#: The columns of a table and the job states that each counts.
COLUMNS: dict[str, tuple[JobState, ...]] = {
    "waiting": (JobState.REGISTERED,),
    "queued": (JobState.ADJUSTING_RESOURCES, JobState.QUEUED_FOR_INSTANTIATION, JobState.ERROR_RECOVERABLE),
    "submitted": (JobState.INSTANTIATED,),
    "running": (JobState.RUNNING,),
    "done": (JobState.DONE,),
    "failed": (JobState.ERROR_FATAL,),
    "cancelled": (JobState.CANCELLED,),
}


def counts(states: Mapping[str, int]) -> dict[str, int]:
    """Jobs by column, from jobs by state."""
    return {column: sum(states.get(state, 0) for state in group) for column, group in COLUMNS.items()}


def _totals(workflow: WorkflowStatus) -> dict[str, int]:
    states: dict[str, int] = {}
    for executor in workflow.executors:
        for state, number in executor.states.items():
            states[state] = states.get(state, 0) + number
    return states


@click.command(short_help="Show how workflows stand, or one workflow by executor.")
@click.argument("workflow", required=False)
@json_option
def status(workflow: str | None, as_json: bool) -> int:
    """Show the newest workflows, or how one WORKFLOW (name or id) stands by executor.

    With WORKFLOW the exit code is 1 when a job of it has failed for good.
    """
    requester = reach()
    if workflow is None:
        return _list(requester.call(routes.WORKFLOWS, ReadWorkflows()).workflows, as_json)
    found = find_workflow(requester, workflow)
    failed = counts(_totals(found))["failed"]
    if as_json:
        print_json(found)
    else:
        _print_one(found)
    return Exit.FAILED if failed else Exit.OK


def _list(workflows: list[WorkflowStatus], as_json: bool) -> int:
    if as_json:
        print_json(workflows)
        return Exit.OK
    rows = [
        {
            "id": workflow.workflow_id,
            "workflow": workflow.name,
            "args": workflow.workflow_args,
            "run": workflow.run_number,
            "state": workflow.run_state,
            "created": workflow.created_at,
            **counts(_totals(workflow)),
        }
        for workflow in workflows
    ]
    print_table(["id", "workflow", "args", "run", "state", "created", *COLUMNS], rows, empty="no workflow has been run")
    return Exit.OK


def _print_one(workflow: WorkflowStatus) -> None:
    args = "" if workflow.workflow_args is None else f" {printable(workflow.workflow_args)}"
    click.echo(
        f"{printable(workflow.name)}{args} (workflow {workflow.workflow_id}, run {workflow.run_number}) "
        f"is {workflow.run_state}"
    )
    rows = [
        {
            "executor": executor.executor,
            "type": executor.type or "?",
            "served": "yes" if executor.served else "no",
            **counts(executor.states),
        }
        for executor in workflow.executors
    ]
    print_table(["executor", "type", "served", *COLUMNS], rows, empty="it has no jobs")
    for note in workflow.notes:
        click.echo(printable(note))
