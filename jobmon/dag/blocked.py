"""Which tasks cannot start any more, because something above them failed."""

from jobmon.dag.graph import TaskDag


class BlockedSet:
    """The tasks below failures, kept up to date failure by failure."""

    def __init__(self, dag: TaskDag) -> None:
        self._dag = dag
        self._blocked = bytearray(len(dag))

    def __contains__(self, position: object) -> bool:
        return isinstance(position, int) and self._blocked[position] == 1

    def fail(self, position: int) -> list[int]:
        """The task failed: everything below it that was not blocked before, without the failed task itself."""
        found: list[int] = []
        look_at = [position]
        while look_at:
            for below in self._dag.downstream.of(look_at.pop()):
                if not self._blocked[below]:
                    self._blocked[below] = 1
                    found.append(below)
                    look_at.append(below)
        return found

    def cause(self, position: int, failed: "set[int] | frozenset[int]") -> int | None:
        """One of the `failed` tasks above this one; None when there is none."""
        seen, look_at = {position}, [position]
        while look_at:
            for above in self._dag.upstream.of(look_at.pop()):
                if above in failed:
                    return above
                if above not in seen:
                    seen.add(above)
                    look_at.append(above)
        return None
