"""Whether a workflow is the one that was bound before, and which job is which."""

from array import array
from collections.abc import Iterable, Mapping, Sequence

import attrs

from jobmon.dag import TaskDag
from jobmon.errors import WorkflowChanged
from jobmon.states.names import JobState
from jobmon.wire.jobs import BoundJob

_SHOWN = 10


@attrs.frozen
class Matched:
    """The ids of the jobs by position, and the positions that are to be bound (all but those that are done)."""

    ids: "array[int]"
    to_bind: "array[int]"


def match(name: str, dag: TaskDag, digests: Iterable[str], bound: Iterable[BoundJob], first_job_id: int) -> Matched:
    """Match tasks to bound jobs by name.

    Tasks may be missing from what is bound when the client died while binding: then no job has begun yet.

    Raises:
        WorkflowChanged: tasks were added, removed or changed; the text names them.
    """
    position_of = {task: position for position, task in enumerate(dag.names)}
    expected = list(digests)
    ids = array("q", bytes(8 * len(dag)))
    done = bytearray(len(dag))
    removed: list[str] = []
    different: list[BoundJob] = []
    names: dict[int, str] = {}
    begun = False
    for job in bound:
        names[job.job_id] = job.name
        begun = begun or job.state is not JobState.REGISTERED
        position = position_of.get(job.name)
        if position is None:
            removed.append(job.name)
            continue
        ids[position] = job.job_id
        done[position] = job.state is JobState.DONE
        if job.digest != expected[position]:
            different.append(job)
    added = [dag.names[position] for position, job_id in enumerate(ids) if job_id == 0]
    if removed or different or (added and begun):
        raise WorkflowChanged(_difference(name, dag, position_of, added, removed, different, names))
    if added:
        _assign_free_ids(ids, first_job_id)
    return Matched(ids, array("i", [position for position, is_done in enumerate(done) if not is_done]))


def _assign_free_ids(ids: "array[int]", first_job_id: int) -> None:
    used = set(ids)
    free = (job_id for job_id in range(first_job_id, first_job_id + len(ids)) if job_id not in used)
    for position, job_id in enumerate(ids):
        if job_id == 0:
            ids[position] = next(free)


def _difference(
    name: str,
    dag: TaskDag,
    position_of: Mapping[str, int],
    added: Sequence[str],
    removed: Sequence[str],
    different: Sequence[BoundJob],
    names: Mapping[int, str],
) -> str:
    rewired = []
    for job in different:
        before = {names.get(i, f"job {i}") for i in job.upstream}
        now = {dag.names[i] for i in dag.upstream.of(position_of[job.name])}
        if before != now:
            parts = [f"no longer {_some(sorted(before - now))}"] if before - now else []
            parts += [f"now also {_some(sorted(now - before))}"] if now - before else []
            rewired.append(f"{job.name} ({'; '.join(parts)})")
    same_wires = [job.name for job in different if not any(text.startswith(f"{job.name} (") for text in rewired)]
    lines = [f"workflow {name!r} is not the one that was run before, so it cannot be resumed; nothing was started:"]
    for what, items in (
        ("added", added),
        ("removed", removed),
        ("changed command or call", same_wires),
        ("changed upstream", rewired),
    ):
        if items:
            lines.append(f"  {what} ({len(items):,}): {_some(items)}")
    lines.append("Run the old graph again, or give the new one other workflow_args.")
    return "\n".join(lines)


def _some(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN:,} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more
