"""A workflow that was checked: what is needed to bind and run it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from jobmon.config import NamedExecutor
from jobmon.dag import TaskDag

if TYPE_CHECKING:
    from jobmon.client.task import Task


@attrs.frozen(eq=False)
class Plan:
    """Tasks by position; `executor_of` says which of `executors` (names) each one uses."""

    tasks: "Sequence[Task]"
    dag: TaskDag
    executors: tuple[str, ...]
    executor_of: Sequence[int]
    usable: tuple[NamedExecutor, ...]  #: of the executors those that can be used on this host
    types: Mapping[str, str]  #: the types of the executors, where they are known
    notes: tuple[str, ...] = ()  #: what the user should know beforehand, a sentence each
