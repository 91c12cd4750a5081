"""`jobmon logs`: what an attempt of a job wrote."""

import shutil
import sys
from pathlib import Path

import click

from jobmon.cli.asking import find_job, find_workflow, reach
from jobmon.cli.exits import Exit
from jobmon.cli.output import json_option, print_json, printable
from jobmon.client.printing import last_line
from jobmon.client.words import word_of
from jobmon.errors import InvalidRequest
from jobmon.wire import routes
from jobmon.wire.jobs import AttemptRow
from jobmon.wire.runs import ReadAttempts


@click.command(short_help="Print what an attempt of a job wrote.")
@click.argument("workflow")
@click.argument("job")
@click.option("--attempt", type=click.IntRange(min=1), help="Which attempt; the newest when not given.")
@click.option("--stderr", is_flag=True, help="Standard error instead of standard output.")
@json_option
def logs(workflow: str, job: str, attempt: int | None, stderr: bool, as_json: bool) -> int:
    """Print what JOB (name or id) of WORKFLOW (name or id) wrote: the whole file where it can be read from this host.

    Otherwise the tail that its worker reported (at most 10 kB), and on standard error where the rest is. With --json
    all attempts of the job, with paths and tails.
    """
    requester = reach()
    row = find_job(requester, find_workflow(requester, workflow).workflow_id, job)
    attempts = requester.call(routes.ATTEMPTS, ReadAttempts(row.job_id)).attempts
    if as_json:
        print_json(attempts)
        return Exit.OK
    if not attempts:
        click.echo(f"job {row.name!r} has no attempt yet: it is {word_of(row.state)} ({row.state})", err=True)
        return Exit.OK
    chosen = _choose(attempts, attempt, row.name)
    if not _print_output(chosen, stderr):
        _say_where_it_may_be(chosen, stderr)
    return Exit.OK


def _choose(attempts: list[AttemptRow], number: int | None, name: str) -> AttemptRow:
    if number is None:
        return attempts[-1]
    for attempt in attempts:
        if attempt.attempt == number:
            return attempt
    there = ", ".join(str(attempt.attempt) for attempt in attempts)
    raise InvalidRequest(f"job {name!r} has no attempt {number}; there are {there}")


def _print_output(attempt: AttemptRow, stderr: bool) -> bool:
    """Print it, or say why not; False when there is nothing in it."""
    path = Path(attempt.stderr_path if stderr else attempt.stdout_path)
    tail = attempt.stderr_tail if stderr else attempt.stdout_tail
    try:
        file = path.open("rb")
    except OSError as error:
        host = f" on {attempt.host}" if attempt.host else ""
        return _print_tail(attempt, tail, f"{path}{host} ({error.strerror} from here)")
    with file:
        sys.stdout.flush()
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return file.tell() > 0


def _print_tail(attempt: AttemptRow, tail: str | None, where: str) -> bool:
    if tail is None:
        click.echo(
            f"attempt {attempt.attempt} is {attempt.state} and has reported no output; its file is {where}"
            f"{_because(attempt)}",
            err=True,
        )
        return True
    if not tail:
        return False
    click.echo(tail, nl=not tail.endswith("\n"))
    click.echo(f"this is the end of it, as its worker reported it; the whole is in {where}", err=True)
    return True


def _say_where_it_may_be(attempt: AttemptRow, stderr: bool) -> None:
    """Nothing was written to the stream that was asked for: what became of the attempt, and a look at the other one."""
    this, other = ("error", "output") if stderr else ("output", "error")
    said = f"attempt {attempt.attempt} is {attempt.state} and wrote nothing to standard {this}{_because(attempt)}"
    last = last_line(attempt.stdout_tail if stderr else attempt.stderr_tail)
    if last:
        said += f"\nstandard {other} ends: {last}\n(all of it: {'without' if stderr else 'with'} --stderr)"
    click.echo(said, err=True)


def _because(attempt: AttemptRow) -> str:
    detail = f" ({printable(attempt.detail.strip())})" if attempt.detail and attempt.detail.strip() else ""
    return f": {attempt.reason}{detail}" if attempt.reason else ""
