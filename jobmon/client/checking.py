"""Everything that can be wrong with a workflow, looked for before anything runs and told in one error."""

import os
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jobmon.client.elsewhere import ElsewhereExecutor
from jobmon.client.import_paths import import_paths
from jobmon.client.names import is_utf8, name_problem, text_problem
from jobmon.client.plan import Plan
from jobmon.client.resources import AnyExecutor, check_resources, type_of
from jobmon.client.task import Task
from jobmon.config import Config, NamedExecutor, describe_choices, resolve
from jobmon.dag import TaskDag
from jobmon.errors import CycleInGraph, InvalidTask, InvalidWorkflow, JobmonError, UnknownExecutor
from jobmon.plugins.registry import Registry
from jobmon.whereabouts import working_folder
from jobmon.worker.values import shown

if TYPE_CHECKING:
    from jobmon.client.workflow import Workflow

_SHOWN = 20
_MOST_ATTEMPTS = 1_000_000


def check(
    workflow: "Workflow",
    config: Config,
    registry: Registry,
    *,
    elsewhere: bool = False,
    served: Callable[[], Mapping[str, ElsewhereExecutor]] = dict,
) -> Plan:
    """The plan of a workflow. With `elsewhere` executors that are configured need not be installed here.

    `served` finds out which executors standing managers serve; it is asked only for a name that is not known here.

    Raises:
        InvalidTask, CycleInGraph, UnknownExecutor, InvalidResources: one kind of problem was found, all of it is told.
        InvalidWorkflow: several kinds were found; all are told.
        ConfigurationError, PluginError: an executor that is asked for cannot be used.
    """
    tasks = workflow.tasks
    names = [task.name if isinstance(task.name, str) else repr(task.name) for task in tasks]
    errors: list[JobmonError] = []
    problems = [*_workflow_problems(workflow), *_task_problems(tasks)]
    upstream = _upstream(tasks, names, problems)
    if problems:
        errors.append(
            InvalidTask(f"{_count(len(problems), 'problem')} in workflow {workflow.name!r}:\n{_listed(problems)}")
        )
    dag = None
    try:
        dag = TaskDag.build(names, upstream)
    except CycleInGraph as error:
        errors.append(error)
    n_before = len(errors)
    executors, executor_of = _executor_names(workflow, config, registry, errors)
    resolved = _resolved(executors, executor_of, names, config, registry, errors, elsewhere, served)
    notes: tuple[str, ...] = ()
    if len(errors) == n_before:
        resource_error, notes = check_resources(workflow, executor_of, resolved)
        errors += [resource_error] if resource_error else []
    _raise(errors)
    assert dag is not None
    usable = tuple(executor for executor in resolved if isinstance(executor, NamedExecutor))
    types = {executor.name: type_of(executor) for executor in resolved if executor is not None}
    return Plan(tasks, dag, tuple(executors), executor_of, usable, types, notes)


def _raise(errors: Sequence[JobmonError]) -> None:
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InvalidWorkflow("\n".join(str(error) for error in errors))


def _workflow_problems(workflow: "Workflow") -> Iterator[str]:
    problem = name_problem(workflow.name)
    if problem:
        yield f"the workflow: {problem}"
    if not workflow.tasks:
        yield "the workflow has no tasks"
    if workflow.workflow_args is not None and (problem := text_problem(workflow.workflow_args)):
        yield f"the workflow: workflow_args {problem}"
    yield from (f"the workflow: {problem}" for problem in _common_problems(workflow))
    yield from _folder_problems()


def _folder_problems() -> Iterator[str]:
    """Of the folders that jobs are told of."""
    folders = [
        ("the working folder", str(working_folder())),
        *(("a folder of sys.path", path) for path in import_paths()),
    ]
    for what, folder in folders:
        if not is_utf8(folder):
            yield f"{what} {os.fsencode(folder)!r} has a name that is not UTF-8; rename it"


def _task_problems(tasks: Sequence[Task]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for position, task in enumerate(tasks):
        name = task.name
        problem = name_problem(name)
        if problem:
            yield f"task {position + 1} of {len(tasks)} ({name!r}): {problem}"
        elif seen.setdefault(name, position) != position:  # type: ignore[arg-type]
            same = " (the same task was added twice)" if tasks[seen[name]] is task else ""  # type: ignore[index]
            yield f"task {name!r}: tasks {seen[name] + 1} and {position + 1} have this name{same}"  # type: ignore[index]
        for problem in task.problems:
            yield f"task {name!r}: {problem}"
        for problem in _common_problems(task):
            yield f"task {name!r}: {problem}"


def _common_problems(given: "Task | Workflow") -> Iterator[str]:
    """Of what workflows and tasks can both say."""
    if given.max_attempts is not None and not _is_count(given.max_attempts):
        yield f"max_attempts is {given.max_attempts!r}; it must be a whole number from 1 to {_MOST_ATTEMPTS:,}"
    if given.env:
        yield from _env_problems(given.env)
    if given.cwd is not None:
        folder = os.fspath(given.cwd) if isinstance(given.cwd, str | os.PathLike) else ""
        if not folder or text_problem(folder):
            yield f"cwd is {given.cwd!r}, which is no folder"
    for tag in given.tags:
        problem = name_problem(tag)
        if problem:
            yield f"tag {tag!r}: {problem.replace('its name', 'it')}"


def _env_problems(env: Any) -> Iterator[str]:
    if not isinstance(env, Mapping):
        yield f"env must be a mapping of text to text, not {type(env).__name__}"
        return
    for key, value in env.items():
        if type(key) is not str or not key or "=" in key or text_problem(key):
            yield f"env: {shown(key)} cannot be the name of an environment variable"
        elif type(value) is not str:
            yield f"env: {key} is {shown(value)}; it must be text"
        elif problem := text_problem(value):
            yield f"env: {key} {problem}"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST_ATTEMPTS


def _upstream(tasks: Sequence[Task], names: Sequence[str], problems: list[str]) -> Iterator[list[int]]:
    """The upstream positions of each task; what is no task of this workflow is left out and told as a problem."""
    position_of: dict[str, int] = {}
    for position, name in enumerate(names):
        position_of.setdefault(name, position)
    members = frozenset(map(id, tasks)) if len(position_of) < len(tasks) else frozenset()  # for tasks of the same name
    found = []
    for task in tasks:
        above = []
        other: Any
        for other in task.upstream_tasks:
            if not isinstance(other, Task):
                problems.append(f"task {task.name!r}: upstream {other!r} is {type(other).__name__}, not a task")
                continue
            position = position_of.get(other.name, -1) if isinstance(other.name, str) else -1
            if position < 0 or (tasks[position] is not other and id(other) not in members):
                problems.append(
                    f"task {task.name!r}: its upstream task {other.name!r} is not in the workflow; add it, too"
                )
            else:
                above.append(position)
        found.append(above)
    return iter(found)


def _executor_names(
    workflow: "Workflow", config: Config, registry: Registry, errors: list[JobmonError]
) -> tuple[list[str], "array[int]"]:
    """The names of the executors in use, and which of them each task uses."""
    default = workflow.executor or config.workflow.executor
    index: dict[str, int] = {}
    executor_of = array("H")
    without: list[str] = []
    for task in workflow.tasks:
        name = task.executor or default
        if name is None:
            without.append(str(task.name))
            executor_of.append(0)
            continue
        executor_of.append(index.setdefault(str(name), len(index)))
    if without:
        errors.append(
            UnknownExecutor(
                f"{_count(len(without), 'task')} ({_some(without)}) and the workflow name no executor: "
                f'say executor=..., or set executor = "NAME" under [workflow] in jobmon.toml.\n'
                + describe_choices(config, registry)
            )
        )
    return list(index), executor_of


def _resolved(
    executors: Sequence[str],
    executor_of: Sequence[int],
    names: Sequence[str],
    config: Config,
    registry: Registry,
    errors: list[JobmonError],
    elsewhere: bool,
    served: Callable[[], Mapping[str, ElsewhereExecutor]],
) -> list[AnyExecutor | None]:
    resolved: list[AnyExecutor | None] = []
    known: Mapping[str, ElsewhereExecutor] | None = None
    for index, name in enumerate(executors):
        type_name = config.executors[name].type if name in config.executors else name
        if type_name not in registry.names():
            known = served() if known is None else known
            if name in known or (elsewhere and name in config.executors):
                resolved.append(known.get(name))
                continue
        first = names[next(i for i, used in enumerate(executor_of) if used == index)]
        try:
            resolved.append(resolve(name, config, registry, asked_by=f'task "{first}"'))
        except JobmonError as error:
            errors.append(error)
    return resolved


def _listed(problems: Sequence[str]) -> str:
    lines = [f"  {problem}" for problem in problems[:_SHOWN]]
    return "\n".join([*lines, f"  and {len(problems) - _SHOWN:,} more"] if len(problems) > _SHOWN else lines)


def _some(names: Sequence[str], shown: int = 3) -> str:
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
