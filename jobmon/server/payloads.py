"""What an attempt is to run: the stored payload, completed with the run's context and upstream results."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
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
from jobmon.wire.results import result_problem
from jobmon.wire.runs import RunContext

OUTPUT_KEY = "$output"
#: Bytes of the results that one call takes, and that one message holds. A worker takes answers of four times as many.
MOST_INPUT_BYTES = 64 << 20


def environment_of(connection: Connection, workflow_id: int) -> RunContext:
    """The context of the newest run of a workflow: where it was submitted from, and its environment."""
    last = workflows.last_run(connection, workflow_id)
    if last is None:
        raise ServerError(f"workflow {workflow_id} has jobs but no run")
    return last.context


@attrs.frozen
class Inputs:
    """The results that calls take as arguments; `problems` says, by job id, of which calls they cannot be given."""

    references: Mapping[int, Sequence[int]]  #: by job id: the jobs whose results it takes, each as often as it does
    texts: Mapping[int, str]
    problems: Mapping[int, str]

    def fitting(self, job_ids: Iterable[int]) -> list[int]:
        """The first ones of the jobs, as many as fit into one message, and one at least."""
        if not self.references:
            return list(job_ids)
        fitting: list[int] = []
        left = MOST_INPUT_BYTES
        for job_id in job_ids:
            left -= 0 if job_id in self.problems else _size(self.references.get(job_id, ()), self.texts)
            if left < 0 and fitting:
                break
            fitting.append(job_id)
        return fitting

    def calls(self, specifications: Mapping[int, StoredJob]) -> dict[int, Call]:
        """The calls that take results, with these in their places, by job id."""
        takers = self.references.keys() & specifications.keys() - self.problems.keys()
        wanted = {reference for job_id in takers for reference in self.references[job_id]}
        values = {i: msgspec.json.decode(self.texts[i]) for i in wanted if i in self.texts}
        calls = {job_id: specifications[job_id].payload.call for job_id in takers}
        return {
            job_id: attrs.evolve(call, args=_replaced(call.args, values), kwargs=_replaced(call.kwargs, values))
            for job_id, call in calls.items()
            if call is not None
        }


_NO_INPUTS = Inputs({}, {}, {})


def inputs_of(connection: Connection, specifications: Mapping[int, StoredJob]) -> Inputs:
    """What the calls among the jobs take of results."""
    references = {
        job_id: list(_references([spec.payload.call.args, spec.payload.call.kwargs]))
        for job_id, spec in specifications.items()
        if spec.payload.needs_outputs and spec.payload.call is not None
    }
    wanted = set(chain.from_iterable(references.values()))
    if not wanted:
        return _NO_INPUTS
    texts = job_rows.results(connection, wanted)
    wrong = {i: why for i, text in texts.items() if (why := result_problem(text)) is not None}
    problems = {}
    for job_id, taken in references.items():
        bad = next((i for i in taken if i in wrong), None)
        size = _size(taken, texts)
        if bad is not None:
            problems[job_id] = f"the result of its upstream job {bad} {wrong[bad]}"
        elif size > MOST_INPUT_BYTES:
            problems[job_id] = (
                f"the results that it takes as arguments come to {size:,} bytes; at most {MOST_INPUT_BYTES:,} bytes "
                "fit. Let the tasks above it write files and return their names"
            )
    return Inputs(references, texts, problems)


def _size(references: Iterable[int], texts: Mapping[int, str]) -> int:
    """Bytes of the results."""
    found = (texts[i] for i in references if i in texts)
    return sum(len(text) if text.isascii() else len(text.encode()) for text in found)


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
