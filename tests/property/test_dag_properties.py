"""What must hold for every graph."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jobmon.dag import BlockedSet, ReadySet, TaskDag
from jobmon.errors import CycleInGraph


@st.composite
def acyclic(draw, most=12):
    """Upstream lists of a graph without circles, in shuffled order."""
    n = draw(st.integers(0, most))
    order = draw(st.permutations(range(n)))
    upstream: list[list[int]] = [[] for _ in range(n)]
    for rank, position in enumerate(order):
        if rank:
            upstream[position] = draw(st.lists(st.sampled_from(order[:rank]), max_size=4))
    return upstream


def build(upstream):
    return TaskDag.build([f"t{i}" for i in range(len(upstream))], upstream)


@given(acyclic(), st.randoms(use_true_random=False))
def test_any_order_of_work_makes_each_task_ready_exactly_once_and_after_its_upstream(upstream, random):
    dag = build(upstream)
    ready = ReadySet(dag)
    pool = [i for i in range(len(dag)) if ready.is_ready(i)]
    done: list[int] = []
    while pool:
        position = pool.pop(random.randrange(len(pool)))
        assert set(upstream[position]) <= set(done)
        done.append(position)
        pool.extend(ready.finish(position))
    assert list(range(len(dag))) == sorted(done)


@given(acyclic(), st.data())
def test_starting_in_the_middle_is_the_same_as_getting_there(upstream, data):
    dag = build(upstream)
    walked, done = ReadySet(dag), set()
    pool = [i for i in range(len(dag)) if walked.is_ready(i)]
    for _ in range(data.draw(st.integers(0, len(dag)))):
        position = pool.pop(0)
        done.add(position)
        pool.extend(walked.finish(position))
    jumped = ReadySet(dag, done)
    assert [walked.is_ready(i) for i in range(len(dag))] == [jumped.is_ready(i) for i in range(len(dag))]


@given(acyclic(), st.sets(st.integers(0, 11)))
def test_blocked_is_exactly_what_has_a_failed_task_somewhere_above(upstream, failures):
    dag = build(upstream)
    failed = {i for i in failures if i < len(dag)}
    blocked = BlockedSet(dag)
    found = [position for failure in sorted(failed) for position in blocked.fail(failure)]

    def above(position):
        return set(upstream[position]).union(*(above(i) for i in upstream[position]))

    assert {i for i in range(len(dag)) if above(i) & failed} == set(found)
    assert len(set(found)) == len(found)
    for position in range(len(dag)):
        assert (position in blocked) == (blocked.cause(position, failed) is not None)


@given(
    st.integers(1, 8).flatmap(lambda n: st.lists(st.lists(st.integers(0, n - 1), max_size=3), min_size=n, max_size=n))
)
def test_a_circle_is_found_if_and_only_if_there_is_one(upstream):
    def reaches(start, goal, seen):
        return any(i == goal or (i not in seen and reaches(i, goal, seen | {i})) for i in upstream[start])

    circular = any(reaches(i, i, frozenset()) for i in range(len(upstream)))
    try:
        build(upstream)
    except CycleInGraph as error:
        assert circular
        path = [int(name[1:]) for name in error.path]
        assert path[0] == path[-1]
        assert all(before in upstream[after] for before, after in pairwise(path))
    else:
        assert not circular
