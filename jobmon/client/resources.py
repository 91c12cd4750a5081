"""Whether the executors can give what the tasks ask for: all problems of all tasks in one error."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from jobmon.client.elsewhere import ElsewhereExecutor
from jobmon.client.task import Task
from jobmon.config import NamedExecutor
from jobmon.errors import InvalidResources
from jobmon.plugins import SchedulerUnavailable, Support, answers
from jobmon.plugins.resources import CORE_KEYS, parse_resources
from jobmon.worker.values import Plain

if TYPE_CHECKING:
    from jobmon.client.workflow import Workflow

AnyExecutor = NamedExecutor | ElsewhereExecutor
_SHOWN_NAMES, _SHOWN_LINES = 5, 20
_MOST_ITEMS = 10_000


def type_of(executor: AnyExecutor) -> str:
    """The name of its executor type."""
    return executor.type_name if isinstance(executor, ElsewhereExecutor) else executor.cls.name


def merged(workflow: "Workflow", task: Task) -> Mapping[str, Any]:
    """The resources of a task: its own over the workflow's, key by key."""
    if not workflow.resources:
        return task.resources
    return {**workflow.resources, **task.resources} if task.resources else workflow.resources


def check_resources(
    workflow: "Workflow", executor_of: Sequence[int], executors: Sequence[AnyExecutor | None]
) -> tuple[InvalidResources | None, tuple[str, ...]]:
    """What is wrong, if anything; and what executors make no use of, a sentence each.

    Tasks that ask the same of the same executor are checked once. An executor that is None is not checked.
    """
    seen: dict[tuple[int, bytes], list[str]] = {}
    wrong: dict[tuple[int, str], list[str]] = {}
    asked: dict[int, set[str]] = {}
    for task, index in zip(workflow.tasks, executor_of, strict=True):
        executor = executors[index]
        resources = merged(workflow, task)
        if executor is None or not resources:
            continue
        key = (index, _key(resources))
        if key not in seen:
            seen[key] = _problems(executor, resources)
            asked.setdefault(index, set()).update(map(str, resources) if isinstance(resources, Mapping) else ())
        for problem in seen[key]:
            wrong.setdefault((index, problem), []).append(str(task.name))
    notes = tuple(note for index, keys in asked.items() for note in _ignored(executors[index], keys))
    return (_error(wrong, executors) if wrong else None), notes


def _key(resources: Any) -> bytes:
    try:
        return msgspec.msgpack.encode(dict(resources))  # in JSON, what is no number would be one with None
    except (TypeError, ValueError, OverflowError):
        return b"?" + repr(resources).encode("utf-8", "backslashreplace")


def _problems(executor: AnyExecutor, resources: Any) -> list[str]:
    if not isinstance(resources, Mapping):
        return [f"resources must be a mapping such as {{'cores': 1}}, not {type(resources).__name__}"]
    plain = Plain(_MOST_ITEMS)
    plain.take(dict(resources), "resources")
    if plain.problems:
        return plain.problems
    if isinstance(executor, ElsewhereExecutor):
        return executor.resource_problems(resources)
    parsed, problems = parse_resources(resources, type_name=executor.cls.name, own_type=executor.cls.resources_type)
    try:
        return problems or executor.ask(lambda one: _sentences(one.check_resources(resources=parsed)))
    except SchedulerUnavailable:
        return []  # nothing is known to be wrong


def _sentences(answer: object) -> list[str]:
    sentences, faults = answers.sentences(answer)
    if sentences is None:
        raise TypeError(f"check_resources: {faults[0].words}")
    return sentences


def _ignored(executor: AnyExecutor | None, keys: set[str]) -> list[str]:
    if executor is None:
        return []
    support = executor.core_resources if isinstance(executor, ElsewhereExecutor) else executor.cls.core_resources
    ignored = [key for key in CORE_KEYS if key in keys and support.get(key, Support.IGNORED) == Support.IGNORED]
    return [f"executor {executor.name} ({type_of(executor)}) makes no use of: {', '.join(ignored)}"] if ignored else []


def _error(wrong: Mapping[tuple[int, str], Sequence[str]], executors: Sequence[AnyExecutor | None]) -> InvalidResources:
    n_tasks = len({name for names in wrong.values() for name in names})
    rows = []
    for (index, problem), names in wrong.items():
        executor = executors[index]
        shown = ", ".join(names[:_SHOWN_NAMES])
        more = f" and {len(names) - _SHOWN_NAMES:,} more" if len(names) > _SHOWN_NAMES else ""
        where = f"{executor.name} ({type_of(executor)})" if executor else ""
        rows.append((shown + more, f"{where}: {problem}"))
    width = max(len(names) for names, _ in rows)
    lines = [f"  {names:<{width}}   {text}" for names, text in rows[:_SHOWN_LINES]]
    lines += [f"  and {len(rows) - _SHOWN_LINES:,} other problems"] if len(rows) > _SHOWN_LINES else []
    asks = "1 task asks for what its" if n_tasks == 1 else f"{n_tasks:,} tasks ask for what their"
    return InvalidResources(f"{asks} executor cannot give (nothing was started):\n" + "\n".join(lines))
