"""The graph of a workflow: tasks are positions 0 to n - 1, edges are stored flat, a million cost 8 MB."""

from array import array
from collections.abc import Iterable, Sequence

import attrs

from jobmon.errors import CycleInGraph


@attrs.frozen(eq=False)
class Adjacency:
    """For each position a run of neighbours: those of `i` are `targets[offsets[i]:offsets[i + 1]]`."""

    offsets: "array[int]"
    targets: "array[int]"

    def of(self, position: int) -> "array[int]":
        """The neighbours of a position."""
        return self.targets[self.offsets[position] : self.offsets[position + 1]]


@attrs.frozen(eq=False)
class TaskDag:
    """An acyclic graph of named tasks. Made by `TaskDag.build`; `upstream` and `downstream` are the same edges."""

    names: Sequence[str]
    upstream: Adjacency
    downstream: Adjacency

    @classmethod
    def build(cls, names: Sequence[str], upstream: Iterable[Iterable[int]]) -> "TaskDag":
        """The graph in which each task waits for the positions that `upstream` gives for it, in order of the tasks.

        An upstream that is named twice counts once.

        Raises:
            CycleInGraph: tasks wait for each other; the error names them in order.
        """
        above = _adjacency(upstream)
        below = _reversed(above, len(names))
        graph = cls(names, above, below)
        cycle = graph._find_cycle()
        if cycle:
            raise CycleInGraph([names[position] for position in cycle])
        return graph

    def __len__(self) -> int:
        return len(self.names)

    def _find_cycle(self) -> list[int]:
        """The positions of one circle, the first again at the end; empty when there is none.

        Peels off tasks without unpeeled upstream (Kahn's algorithm). What is left lies on a circle or below one, and
        each has an upstream that is left too: walking up from any must come round.
        """
        offsets = self.upstream.offsets
        waiting = array("i", [offsets[i + 1] - offsets[i] for i in range(len(self))])
        peeled = [position for position, count in enumerate(waiting) if count == 0]
        for position in peeled:
            for below in self.downstream.of(position):
                waiting[below] -= 1
                if waiting[below] == 0:
                    peeled.append(below)
        if len(peeled) == len(self):
            return []
        position = next(i for i, count in enumerate(waiting) if count > 0)
        seen: dict[int, int] = {}
        walk: list[int] = []
        while position not in seen:
            seen[position] = len(walk)
            walk.append(position)
            position = next(above for above in self.upstream.of(position) if waiting[above] > 0)
        circle = walk[seen[position] :]
        return [*circle, circle[0]][::-1]


def _adjacency(neighbours: Iterable[Iterable[int]]) -> Adjacency:
    offsets, targets = array("i", [0]), array("i")
    for positions in neighbours:
        targets.extend(dict.fromkeys(positions))
        offsets.append(len(targets))
    return Adjacency(offsets, targets)


def _reversed(edges: Adjacency, n: int) -> Adjacency:
    offsets = array("i", bytes(4 * (n + 1)))
    for target in edges.targets:
        offsets[target + 1] += 1
    for position in range(n):
        offsets[position + 1] += offsets[position]
    targets = array("i", bytes(4 * len(edges.targets)))
    free = offsets[:]
    for position in range(n):
        for target in edges.of(position):
            targets[free[target]] = position
            free[target] += 1
    return Adjacency(offsets, targets)
