"""Tasks as the server binds them."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from jobmon.client.import_paths import import_paths
from jobmon.client.plan import Plan
from jobmon.client.python_task import PythonTask
from jobmon.client.resources import merged
from jobmon.client.task import Task
from jobmon.wire.jobs import Call, JobSpec

if TYPE_CHECKING:
    from jobmon.client.workflow import Workflow

#: Equal dicts are the same work, whatever the order of their keys.
_encode = msgspec.json.Encoder(order="deterministic").encode


def digest(task: Task, upstream: Iterable[str]) -> str:
    """Of name, work and upstream names: what must be the same for a run to be resumed."""
    said = _encode((task.name, task.identity(), sorted(upstream)))
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def digests(plan: Plan) -> Iterator[str]:
    """The digests of all tasks in order."""
    names = plan.dag.names
    for position, task in enumerate(plan.tasks):
        yield digest(task, [names[above] for above in plan.dag.upstream.of(position)])


def specs(workflow: "Workflow", plan: Plan, ids: Sequence[int], positions: Iterable[int]) -> Iterator[JobSpec]:
    """The tasks at these positions, ready to be bound; `ids` are the jobs' ids by position."""
    names, upstream = plan.dag.names, plan.dag.upstream
    id_of: dict[str, int] = {}
    if any(isinstance(task, PythonTask) and task.uses_outputs for task in plan.tasks):
        id_of = dict(zip(names, ids, strict=True))
    paths = import_paths()
    for position in positions:
        task = plan.tasks[position]
        payload = task.payload(lambda other: id_of[str(other.name)], paths)
        above = upstream.of(position)
        is_call = isinstance(payload, Call)
        yield JobSpec(
            job_id=ids[position],
            name=names[position],
            executor=plan.executors[plan.executor_of[position]],
            digest=digest(task, [names[i] for i in above] if above else ()),
            command=None if is_call else payload,  # type: ignore[arg-type]
            call=payload if is_call else None,  # type: ignore[arg-type]
            upstream=[ids[i] for i in above] if above else [],
            resources=dict(resources) if (resources := merged(workflow, task)) else {},
            env=dict(task.env) if task.env else {},
            cwd=None if task.cwd is None else os.path.abspath(task.cwd),  # noqa: PTH100 - as the shell would, symlinks kept
            max_attempts=task.max_attempts or workflow.max_attempts,
            tags=[*workflow.tags, *task.tags],
            needs_outputs=isinstance(task, PythonTask) and task.uses_outputs,
        )
