"""`jobmon status`: how workflows stand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from jobmon.cli.asking import find_workflow, reach, read_workflows
from jobmon.cli.exits import Exit
from jobmon.cli.output import Column, json_option, print_json, print_json_rows, print_table, printable
from jobmon.client.words import WORDS, counted
from jobmon.states.names import FINAL_RUN_STATES
from jobmon.wire.runs import WorkflowStatus

_LIMIT = 50
_HEAD = (
    Column("id"),
    Column("workflow", least=12),
    Column("args", importance=14, least=8, soft=True),
    Column("run", importance=12),
    Column("state"),
    Column("created", importance=15),
)
#: Which counts are left out first where there is no room for all; those that count nothing go before these.
_IMPORTANCE = {"submitted": 21, "queued": 22, "waiting": 23, "cancelled": 24, "running": 25, "done": 26, "failed": 27}
#: What a user must know of a client that is not there.
_CLIENT = {
    "gone": "its client has ended: jobs that are queued or running go on while a manager serves them, no others begin; "
    "run(resume=True) goes on with all",
    "silent": "its client has not been heard of for a minute: it hangs, or its host cannot reach the server. "
    "run(resume=True, take_over=True) takes its place",
}


def totals(workflow: WorkflowStatus) -> dict[str, int]:
    """How many jobs are in each state, over all executors."""
    states: dict[str, int] = {}
    for executor in workflow.executors:
        for state, number in executor.states.items():
            states[state] = states.get(state, 0) + number
    return states


@click.command(short_help="Show how workflows stand, or one workflow by executor.")
@click.argument("workflow", required=False)
@click.option(
    "--limit", type=click.IntRange(min=1), default=_LIMIT, show_default=True, metavar="N", help="How many workflows."
)
@json_option
def status(workflow: str | None, limit: int, as_json: bool) -> int:
    """Show the newest workflows, or how one WORKFLOW (name or id) stands by executor.

    With WORKFLOW the exit code is 1 when a job of it has failed for good.
    """
    requester = reach()
    if workflow is None:
        found = read_workflows(requester, limit + 1)
        _list(found[:limit], as_json)
        if len(found) > limit:
            click.echo(f"these are the newest {limit:,} workflows; --limit {10 * limit} shows more of them", err=True)
        return Exit.OK
    one = find_workflow(requester, workflow)
    failed = counted(totals(one))["failed"]
    if as_json:
        print_json(one)
    else:
        _print_one(one)
    return Exit.FAILED if failed else Exit.OK


def _list(workflows: Sequence[WorkflowStatus], as_json: bool) -> None:
    if as_json:
        print_json_rows(workflows)
        return
    rows = [
        {
            "id": workflow.workflow_id,
            "workflow": workflow.name,
            "args": workflow.workflow_args,
            "run": workflow.run_number,
            "state": _state(workflow),
            "created": datetime.fromisoformat(workflow.created_at).astimezone().strftime("%Y-%m-%d %H:%M"),
            **counted(totals(workflow)),
        }
        for workflow in workflows
    ]
    print_table([*_HEAD, *_counts(rows)], rows, empty="no workflow has been run")


def _counts(rows: Sequence[dict[str, Any]]) -> list[Column]:
    needed = {word for word in WORDS if any(row[word] for row in rows)}
    return [Column(word, importance=_IMPORTANCE[word] - (0 if word in needed else 20)) for word in WORDS]


def _state(workflow: WorkflowStatus) -> str:
    gone = workflow.client in _CLIENT
    return f"{workflow.run_state}, client {workflow.client}" if gone else str(workflow.run_state)


def _print_one(workflow: WorkflowStatus) -> None:
    args = "" if workflow.workflow_args is None else f" {printable(workflow.workflow_args)}"
    click.echo(
        f"{printable(workflow.name)}{args} (workflow {workflow.workflow_id}, run {workflow.run_number}) "
        f"is {_state(workflow)}"
    )
    if workflow.client in _CLIENT:
        click.echo(_CLIENT[workflow.client])
    rows = [
        {
            "executor": executor.executor,
            "type": executor.type or "?",
            "served": "yes" if executor.served else "no",
            **counted(executor.states),
        }
        for executor in workflow.executors
    ]
    head = [Column("executor", least=12), Column("type", importance=13)]
    if workflow.run_state not in FINAL_RUN_STATES:  # nobody needs to serve what is over
        head.append(Column("served", importance=12))
    print_table([*head, *_counts(rows)], rows, empty="it has no jobs")
    for note in workflow.notes:
        click.echo(printable(note))
