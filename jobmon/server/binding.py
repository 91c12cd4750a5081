"""Which of the jobs of a batch can be bound, and how they are stored: none of them fails another one."""

import sqlite3
from collections.abc import Mapping, Sequence

from jobmon.errors import InvalidRequest, JobmonError, WorkflowChanged
from jobmon.server.batches import refusal
from jobmon.server.payloads import OUTPUT_KEY
from jobmon.states.jobs import Job
from jobmon.store import jobs as job_rows
from jobmon.store.connection import Connection
from jobmon.store.workflows import StoredWorkflow
from jobmon.wire.jobs import JobSpec
from jobmon.wire.problems import Problem

_Likes = list[tuple[Job, list[int]]]


def sorted_out(
    specs: Sequence[JobSpec], workflow: StoredWorkflow, bound: Mapping[int, str]
) -> tuple[list[JobSpec], list[JobSpec], list[Problem]]:
    """Those that are bound already, the new ones, and what is refused; `bound` are the digests by job id."""
    block = range(workflow.first_job_id, workflow.first_job_id + workflow.n_jobs)
    again: list[JobSpec] = []
    new: list[JobSpec] = []
    refused: list[Problem] = []
    for spec in specs:
        why = _problem(spec, block, workflow.id, bound)
        if why is not None:
            refused.append(refusal(why, job_id=spec.job_id))
        else:
            (again if spec.job_id in bound else new).append(spec)
    return again, new, refused


def _problem(spec: JobSpec, block: range, workflow_id: int, bound: Mapping[int, str]) -> JobmonError | None:
    if spec.job_id not in block:
        return InvalidRequest(f"job id {spec.job_id} is not of workflow {workflow_id}")
    if bound.get(spec.job_id, spec.digest) != spec.digest:
        return WorkflowChanged(f"task {spec.name!r} is not what it was")
    command = spec.command
    if (command is None) == (spec.call is None):
        return InvalidRequest(f"task {spec.name!r} must have either a command or a call")
    if command is not None and (command.shell is None) == (not command.argv):
        return InvalidRequest(f"the command of task {spec.name!r} must be either shell or argv")
    if spec.call is not None and OUTPUT_KEY in spec.call.kwargs:
        return InvalidRequest(f"no argument of task {spec.name!r} may be named {OUTPUT_KEY!r}: that names a result")
    return None


def insert(connection: Connection, workflow_id: int, specs: Sequence[JobSpec]) -> tuple[_Likes, list[Problem]]:
    """Store new jobs: their records, in groups that are alike, and what clashes with other jobs."""
    if not specs:
        return [], []
    connection.run("SAVEPOINT binding")
    try:
        likes = job_rows.insert(connection, workflow_id, specs)
    except sqlite3.IntegrityError as error:
        connection.run("ROLLBACK TO binding")
        connection.run("RELEASE binding")
        if len(specs) == 1:
            what = InvalidRequest(f"task {specs[0].name!r} contradicts what is bound: {error}")
            return [], [refusal(what, job_id=specs[0].job_id)]
        middle = len(specs) // 2
        first, second = (insert(connection, workflow_id, some) for some in (specs[:middle], specs[middle:]))
        return first[0] + second[0], first[1] + second[1]
    connection.run("RELEASE binding")
    return likes, []
