"""`jobmon jobs`: the jobs of a workflow."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from jobmon.cli.asking import find_workflow, reach, read_jobs
from jobmon.cli.exits import Exit
from jobmon.cli.output import Column, json_option, print_json_rows, print_table
from jobmon.client.words import WORDS
from jobmon.states.names import JobState
from jobmon.wire.jobs import JobRow

_COLUMNS = (
    Column("id", importance=6),
    Column("job", least=12),
    Column("executor", importance=4),
    Column("state"),
    Column("attempts", importance=2),
    Column("reason", importance=5),
    Column("detail", importance=1, least=12, soft=True),
)


def _states(_ctx: click.Context, _option: click.Parameter, asked: str | None) -> tuple[JobState, ...]:
    """A job state by its name, or those that `jobmon status` counts under a word; in any case."""
    if asked is None:
        return ()
    if asked.lower() in WORDS:
        return WORDS[asked.lower()]
    if asked.upper() in set(JobState):
        return (JobState(asked.upper()),)
    raise click.BadParameter(f"{asked!r} is no state; there are {', '.join(WORDS)}, and {', '.join(JobState)}")


@click.command(short_help="List the jobs of a workflow.")
@click.argument("workflow")
@click.option(
    "--state",
    "states",
    callback=_states,
    metavar="STATE",
    help="Only jobs in this state: a column of `jobmon status`, such as failed, or a name, such as ERROR_FATAL.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N; all when not given.")
@json_option
def jobs(workflow: str, states: tuple[JobState, ...], limit: int | None, as_json: bool) -> int:
    """List the jobs of WORKFLOW (name or id), with why the last attempt did not succeed.

    With --json also tags, and of the last attempt times, host and usage.
    """
    requester = reach()
    workflow_id = find_workflow(requester, workflow).workflow_id
    found = islice(read_jobs(requester, workflow_id, states, limit=limit, detailed=as_json), limit)
    if as_json:
        print_json_rows(found)
        return Exit.OK
    empty = f"no job is {' or '.join(states)}" if states else "it has no jobs"
    print_table(_COLUMNS, _rows(found), empty=empty)
    return Exit.OK


def _rows(found: Iterator[JobRow]) -> Iterator[dict[str, Any]]:
    for job in found:
        yield {
            "id": job.job_id,
            "job": job.name,
            "executor": job.executor,
            "state": job.state,
            "attempts": job.attempts,
            "reason": job.reason,
            "detail": (job.detail or "").strip().rsplit("\n", 1)[-1],
        }
