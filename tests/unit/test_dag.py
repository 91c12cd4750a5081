"""The graph, its ready set and its blocked set, by example."""

import pytest

from jobmon.dag import BlockedSet, ReadySet, TaskDag
from jobmon.errors import CycleInGraph

#   a ─► b ─► d
#   └──► c ──┘   e alone
NAMES = ["a", "b", "c", "d", "e"]
UPSTREAM = [[], [0], [0], [1, 2], []]


def test_the_same_edges_are_seen_from_both_ends():
    dag = TaskDag.build(NAMES, UPSTREAM)
    assert list(dag.upstream.of(3)) == [1, 2]
    assert list(dag.downstream.of(0)) == [1, 2]
    assert list(dag.downstream.of(4)) == []
    assert len(dag) == 5


def test_an_upstream_named_twice_counts_once():
    dag = TaskDag.build(["a", "b"], [[], [0, 0]])
    ready = ReadySet(dag)
    assert ready.finish(0) == [1]


def test_a_circle_is_refused_with_its_path():
    with pytest.raises(CycleInGraph) as caught:
        TaskDag.build(["a", "b", "c", "below"], [[2], [0], [1], [2]])
    assert caught.value.path[0] == caught.value.path[-1]
    assert {"a", "b", "c"} == set(caught.value.path)
    assert len(caught.value.path) == 4
    after = dict(zip(caught.value.path, caught.value.path[1:], strict=False))
    assert after == {"a": "b", "b": "c", "c": "a"}  # b waits for a: the path runs in the order of work


def test_a_task_that_waits_for_itself_is_a_circle():
    with pytest.raises(CycleInGraph, match="a -> a"):
        TaskDag.build(["a"], [[0]])


def test_a_chain_of_100000_tasks_is_walked_without_recursion():
    n = 100_000
    dag = TaskDag.build([str(i) for i in range(n)], [[i - 1] if i else [] for i in range(n)])
    assert n - 1 == len(BlockedSet(dag).fail(0))
    with pytest.raises(CycleInGraph):
        TaskDag.build([str(i) for i in range(n)], [[(i - 1) % n] for i in range(n)])


def test_a_task_is_ready_when_its_last_upstream_is_done():
    ready = ReadySet(TaskDag.build(NAMES, UPSTREAM))
    assert [i for i in range(5) if ready.is_ready(i)] == [0, 4]
    assert ready.finish(0) == [1, 2]
    assert ready.finish(2) == []
    assert ready.finish(1) == [3]


def test_a_ready_set_may_start_in_the_middle():
    ready = ReadySet(TaskDag.build(NAMES, UPSTREAM), done={0, 1})
    assert [i for i in range(5) if ready.is_ready(i)] == [0, 1, 2, 4]
    assert ready.finish(2) == [3]


def test_everything_below_a_failure_is_blocked_once():
    blocked = BlockedSet(TaskDag.build(NAMES, UPSTREAM))
    assert blocked.fail(1) == [3]
    assert blocked.fail(2) == []
    assert 3 in blocked
    assert 4 not in blocked
    assert blocked.cause(3, {1}) == 1
    assert blocked.cause(4, {1}) is None
