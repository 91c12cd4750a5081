"""Which tasks may start: those whose upstream tasks are all done."""

from array import array
from collections.abc import Container

from jobmon.dag.graph import TaskDag


class ReadySet:
    """Counts, for each task, the upstream tasks that are not done."""

    def __init__(self, dag: TaskDag, done: Container[int] = frozenset()) -> None:
        self._downstream = dag.downstream
        above = dag.upstream
        edges = above.targets
        self._waiting = array(
            "i",
            [sum(edges[k] not in done for k in range(above.offsets[i], above.offsets[i + 1])) for i in range(len(dag))],
        )

    def is_ready(self, position: int) -> bool:
        """Whether all upstream tasks of this one are done."""
        return self._waiting[position] == 0

    def finish(self, position: int) -> list[int]:
        """The task is done: those that became ready by it. To be told once of each task that was not done at first."""
        ready = []
        for below in self._downstream.of(position):
            self._waiting[below] -= 1
            if self._waiting[below] == 0:
                ready.append(below)
        return ready
