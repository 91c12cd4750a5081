"""What all tasks have in common."""

import os
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from jobmon.errors import InvalidTask
from jobmon.wire.jobs import Call, Command

#: Shared by all tasks without values of their own: 100,000 empty dicts would cost 6 MB.
NOTHING: Mapping[str, Any] = MappingProxyType({})


@attrs.frozen
class Output:
    """The result of a task, to be put where it stands in the arguments of another one."""

    task: "Task"

    def __format__(self, _: str) -> str:
        raise InvalidTask(
            f"the output of task {self.task.name!r} is known when that task is done, so it cannot stand in a text; "
            "pass it among the arguments of a PythonTask"
        )


def _tasks(value: "Iterable[Task] | None") -> "tuple[Task, ...]":
    return () if value is None else several(value, "upstream_tasks", "tasks")


def several(value: Any, what: str, of: str) -> tuple[Any, ...]:
    """A tuple of what stands in a list, tuple or the like.

    Raises:
        InvalidTask: it is no such thing.
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InvalidTask(f"{what} must be a list of {of}, not {type(value).__name__}: {value!r:.200}")
    return tuple(value)


def _mapping(value: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return value or NOTHING


def tags_of(value: Iterable[str] | None) -> tuple[str, ...]:
    """Tags as a tuple; a text alone is one tag."""
    return (value,) if isinstance(value, str) else several(value or (), "tags", "texts")


@attrs.define(eq=False, kw_only=True, weakref_slot=False)
class Task:
    """A piece of work in a workflow. Use BashTask or PythonTask.

    What is None or empty comes from the workflow. `name` None becomes what it does and its position in the workflow.
    """

    name: str | None = None
    upstream_tasks: "tuple[Task, ...]" = attrs.field(default=(), converter=_tasks)
    executor: str | None = None
    resources: Mapping[str, Any] = attrs.field(default=NOTHING, converter=_mapping)
    max_attempts: int | None = None
    env: Mapping[str, str] = attrs.field(default=NOTHING, converter=_mapping)
    cwd: str | os.PathLike[str] | None = None
    tags: tuple[str, ...] = attrs.field(default=(), converter=tags_of)
    #: What is wrong with it; told when the workflow runs, together with what is wrong elsewhere.
    problems: tuple[str, ...] = attrs.field(default=(), init=False, repr=False)

    def add_upstream(self, *tasks: "Task") -> None:
        """This task waits for these, too."""
        self.upstream_tasks = (*self.upstream_tasks, *tasks)

    def default_name(self, position: int) -> str:
        """Its name when it was given none."""
        return f"task-{position}"

    def identity(self) -> Any:
        """JSON that makes it this piece of work: when it changes, a run cannot be resumed."""
        raise NotImplementedError

    def payload(self, refer: "Callable[[Task], Any]", import_paths: list[str]) -> Command | Call:
        """What a worker runs; `refer` says how an upstream task whose output is an argument is named there."""
        raise NotImplementedError

    @property
    def output(self) -> Output:
        """Stands for the result of this task in the arguments of a PythonTask, which then waits for it."""
        raise InvalidTask(f"task {self.name!r} has no output: only a PythonTask that calls a function returns one")
