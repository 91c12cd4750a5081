"""What an attempt is to run: the stored payload, completed with the run's context and upstream results."""

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import msgspec

from jobmon.errors import ServerError
from jobmon.ids import file_name
from jobmon.store import jobs as job_rows
from jobmon.store import workflows
from jobmon.store.connection import Connection
from jobmon.store.jobs import StoredJob
from jobmon.wire.jobs import Call
from jobmon.wire.runs import RunContext

OUTPUT_KEY = "$output"


def environment_of(connection: Connection, workflow_id: int) -> RunContext:
    """The context of the newest run of a workflow: where it was submitted from, and its environment."""
    last = workflows.last_run(connection, workflow_id)
    if last is None:
        raise ServerError(f"workflow {workflow_id} has jobs but no run")
    return last.context


def with_outputs(connection: Connection, specifications: Mapping[int, StoredJob]) -> dict[int, Call]:
    """The calls among the jobs that take upstream results, with the results in their places, by job id."""
    takers = {
        job_id: spec.payload.call
        for job_id, spec in specifications.items()
        if spec.payload.needs_outputs and spec.payload.call is not None
    }
    wanted = {ref for call in takers.values() for ref in _references([call.args, call.kwargs])}
    if not wanted:
        return {}
    values = {job_id: msgspec.json.decode(text) for job_id, text in job_rows.results(connection, wanted).items()}
    return {
        job_id: attrs.evolve(call, args=_replaced(call.args, values), kwargs=_replaced(call.kwargs, values))
        for job_id, call in takers.items()
    }


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get(OUTPUT_KEY), int)


def _references(value: Any) -> Iterable[int]:
    if _is_reference(value):
        yield value[OUTPUT_KEY]
    elif isinstance(value, dict):
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def _replaced(value: Any, values: Mapping[int, Any]) -> Any:
    if _is_reference(value):
        return values.get(value[OUTPUT_KEY])
    if isinstance(value, dict):
        return {key: _replaced(part, values) for key, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, values) for part in value]
    return value


def log_folder(context: RunContext, workflow: str, workflow_id: int) -> str:
    """Where the output of a workflow's attempts goes.

    One folder per workflow: to make one per job costs a local executor nearly as much as to start the job's process.
    """
    return f"{context.log_folder}/{file_name(workflow)}-{workflow_id}"
