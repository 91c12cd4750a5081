"""What the commands that ask a server share: reaching it, and finding a workflow or a job by name or id."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

from jobmon.cli.streams import argument_text
from jobmon.errors import ConfigurationError, InvalidRequest, ServerUnreachable
from jobmon.requester import Requester, connect
from jobmon.requester.connecting import data_folder
from jobmon.states.names import JobState
from jobmon.wire import routes
from jobmon.wire.jobs import JobRow
from jobmon.wire.runs import ReadJobs, ReadWorkflow, ReadWorkflows, WorkflowStatus

_PATIENCE_S = 10.0
_FIRST_PAGE, _PAGE = 500, 5000
_LONGEST_ID = 16  # digits; no id is as long


def reach() -> Requester:
    """A requester to the server in use; an embedded one is started when something has been run in its data folder.

    Raises:
        ServerUnreachable: none can be reached; the text says whether anything has been run at all.
        ConfigurationError: the data folder is another user's.
    """
    try:
        return connect(os.environ, start=data_folder(os.environ).database.exists(), patience_s=_PATIENCE_S)
    except ServerUnreachable as error:
        raise ServerUnreachable(_explained(error)) from error
    except PermissionError as error:
        raise ConfigurationError(
            f"{error.filename} cannot be read: it is another user's, or its folder is. Jobmon shows what was run with "
            "your own data folder; set JOBMON_DATA to that"
        ) from error


def _explained(error: ServerUnreachable) -> str:
    if os.environ.get("JOBMON_SERVER"):
        return f"{error}. JOBMON_SERVER names it: is the address right, and does the server run?"
    folder = data_folder(os.environ)
    if folder.served():
        return str(error)  # one runs, here or in another container, and cannot be reached
    if not folder.database.exists():
        return f"no server is running; nothing has been run in {folder.path}. JOBMON_DATA names another folder"
    return str(error)


def find_workflow(requester: Requester, asked: str) -> WorkflowStatus:
    """The workflow of that id, or else the newest of that name (said on standard error when there are several).

    Raises:
        InvalidRequest: there is none.
    """
    asked, number = argument_text(asked), _id(asked)
    if number is not None:
        with suppress(InvalidRequest):  # a name may be a number, too
            return requester.call(routes.WORKFLOW, ReadWorkflow(number))
    found = requester.call(routes.WORKFLOWS, ReadWorkflows(name=asked)).workflows
    if not found:
        raise InvalidRequest(f"there is no workflow {asked!r}; `jobmon status` lists them")
    newest = max(found, key=lambda workflow: workflow.workflow_id)
    if len(found) > 1:
        args = newest.workflow_args
        which = "without workflow_args" if args is None else f"workflow_args {args!r}"
        click.echo(
            f"{len(found)} workflows are named {asked!r}; this is the newest, {newest.workflow_id} ({which})", err=True
        )
    return newest


def _id(asked: str) -> int | None:
    """The id that is asked for; None when it can be none."""
    return int(asked) if asked.isdecimal() and len(asked) < _LONGEST_ID else None


def read_workflows(requester: Requester, limit: int) -> list[WorkflowStatus]:
    """The newest workflows, at most `limit` of them, page by page."""
    found: list[WorkflowStatus] = []
    before = None
    while len(found) < limit:
        asked = ReadWorkflows(limit=min(limit - len(found), _PAGE), before=before)
        page = requester.call(routes.WORKFLOWS, asked).workflows
        if not page:
            break
        found += page
        before = page[-1].workflow_id
    return found


def read_jobs(
    requester: Requester,
    workflow_id: int,
    states: Sequence[JobState] = (),
    *,
    limit: int | None = None,
    detailed: bool = False,
) -> Iterator[JobRow]:
    """All jobs of a workflow, or those in one of the states, page by page, the first one a short one. `limit`: as many
    are wanted."""
    after, size = 0, min(_FIRST_PAGE, limit or _FIRST_PAGE)
    while True:
        asked = ReadJobs(workflow_id, list(states), after=after, limit=size, detailed=detailed)
        page = requester.call(routes.JOBS, asked).jobs
        if not page:
            return
        yield from page
        after, size = page[-1].job_id, _PAGE


def find_job(requester: Requester, workflow_id: int, asked: str) -> JobRow:
    """The job of that name, or else of that id.

    Raises:
        InvalidRequest: the workflow has none.
    """
    asked = argument_text(asked)
    found = requester.call(routes.JOBS, ReadJobs(workflow_id, name=asked, limit=1)).jobs
    number = _id(asked)
    if not found and number is not None:
        page = requester.call(routes.JOBS, ReadJobs(workflow_id, after=max(0, number - 1), limit=1)).jobs
        found = [job for job in page if job.job_id == number]
    if not found:
        raise InvalidRequest(f"workflow {workflow_id} has no job {asked!r}; `jobmon jobs {workflow_id}` lists them")
    return found[0]
