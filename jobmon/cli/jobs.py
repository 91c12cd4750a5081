"""`jobmon jobs`: the jobs of a workflow."""

import click

from jobmon.cli.asking import find_workflow, reach, read_jobs
from jobmon.cli.exits import Exit
from jobmon.cli.output import json_option, print_json, print_table
from jobmon.states.names import JobState


@click.command(short_help="List the jobs of a workflow.")
@click.argument("workflow")
@click.option(
    "--state",
    type=click.Choice([state.value for state in JobState], case_sensitive=False),
    metavar="STATE",
    help="Only jobs in this state, such as ERROR_FATAL or RUNNING.",
)
@json_option
def jobs(workflow: str, state: str | None, as_json: bool) -> int:
    """List the jobs of WORKFLOW (name or id), with why the last attempt did not succeed."""
    requester = reach()
    found = list(read_jobs(requester, find_workflow(requester, workflow).workflow_id, state))
    if as_json:
        print_json(found)
        return Exit.OK
    rows = [
        {
            "id": job.job_id,
            "job": job.name,
            "executor": job.executor,
            "state": job.state,
            "attempts": job.attempts,
            "reason": job.reason,
            "detail": (job.detail or "").strip().rsplit("\n", 1)[-1],
        }
        for job in found
    ]
    empty = f"no job is {state}" if state else "it has no jobs"
    print_table(["id", "job", "executor", "state", "attempts", "reason", "detail"], rows, empty=empty)
    return Exit.OK
