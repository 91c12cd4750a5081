"""What a call is given and returns is what was sent, or it is refused; it is never another value."""

import collections
import datetime
import enum
import json
import math
import pathlib
import re
import sys
from typing import Any, NamedTuple

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmon import BashTask, PythonTask, Workflow
from jobmon.client.identity import args_text
from jobmon.client.specs import digest
from jobmon.errors import InvalidWorkflow
from jobmon.worker.calls import CallFailed, run_call
from jobmon.worker.values import DEEPEST, LARGEST, MAX_RESULT_BYTES, SMALLEST, Plain, restored


class Colour(str, enum.Enum):  # noqa: UP042 - what users write; its str() is not its value
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Point(NamedTuple):
    x: int


@attrs.frozen
class Record:
    x: int


class Whole(int):
    pass


scalars = (
    st.none()
    | st.booleans()
    | st.integers(SMALLEST, LARGEST)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
plain_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(), inner, max_size=4)
    ),
)
strange = st.sampled_from(
    [
        Colour.RED, Level.HIGH, Point(1), Record(1), Whole(3), math.nan, math.inf, 2**64, -(2**63) - 1, 2**9000,
        "\udcff", b"x", {1}, frozenset("a"), 1j, datetime.date(2026, 1, 1), pathlib.PurePath("x"), object(), len,
        collections.OrderedDict(a=1), collections.Counter("a"), range(3), {1: "a", "1": "b"}, {None: 1}, {True: 2},
        {"$tuple": [1]}, {Colour.RED: 1}, {("a",): 1}, {"\udcff": 1}, bytearray(b"x"),
    ]
)  # fmt: skip
any_values = st.recursive(
    scalars | strange, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def sent(value: Any) -> Any:
    """The value as it arrives; the problems that it was refused for, if so."""
    plain = Plain(10_000)
    taken = plain.take(value, "it")
    if plain.problems:
        return plain.problems
    on_the_wire = msgspec.json.encode(msgspec.json.decode(msgspec.json.encode(taken)))
    return restored(json.loads(on_the_wire))


def same(one: Any, other: Any) -> bool:
    """Equal, and of the same types all through."""
    return repr(one) == repr(other)


def returned() -> Any:
    return returned.value  # type: ignore[attr-defined]


def result_of(value: Any) -> Any:
    returned.value = value  # type: ignore[attr-defined]
    return restored(json.loads(run_call({"module": __name__, "function": "returned"})))


@given(plain_values)
def test_a_plain_value_arrives_as_it_was_sent(value: Any) -> None:
    assert same(sent(value), value)


@given(any_values)
def test_any_value_arrives_as_it_was_sent_or_is_refused_in_words(value: Any) -> None:
    arrived = sent(value)
    assert same(arrived, value) or all(problem.startswith("it") and len(problem) < 400 for problem in arrived)


@given(strange)
def test_what_would_arrive_as_something_else_is_refused_as_an_argument_and_as_a_result(value: Any) -> None:
    assert PythonTask(math.hypot, args=[value]).problems
    with pytest.raises(CallFailed, match="returned what is not JSON: the result "):
        result_of(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Colour.RED, r"args\[0\] is a .*Colour, which would arrive as a plain str; pass its .value"),
        (Whole(3), r"is a .*Whole, which would arrive as a plain int; pass int\(...\)"),
        (Point(1), r"is a .*Point, which would arrive as a plain tuple; pass tuple\(...\)"),
        ({"a": {1: "x", "1": "y"}}, r"args\[0\]\['a'\] has the key 1; keys of JSON objects are text"),
        ([0, {"a": {2}}], r"args\[0\]\[1\]\['a'\] is a set, which is not JSON"),
        (2**64, "does not fit in 64 bits"),
    ],
)
def test_a_refusal_says_where_and_what_to_do(value: Any, words: str) -> None:
    (problem,) = PythonTask(math.hypot, args=[value]).problems
    assert re.search(words, problem)


def test_results_are_returned_as_they_are_tuples_too() -> None:
    for value in (None, (1, [2.5, ("a",)]), {"a": ()}, [{}], -0.0, "ä"):
        assert same(result_of(value), value)


def test_a_call_finds_the_tuples_that_it_was_sent() -> None:
    task = PythonTask(math.hypot, args=[(1, 2)], kwargs={"k": [(3,)]})
    call = msgspec.json.decode(msgspec.json.encode(task.payload(lambda _: 0, "")))
    shown = run_call({**call, "module": "builtins", "function": "dict", "args": [], "kwargs": call["kwargs"]})
    assert restored(json.loads(shown)) == {"k": [(3,)]}


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_nesting_has_a_bound_that_is_told() -> None:
    assert same(sent(nested(DEEPEST)), nested(DEEPEST))
    for depth in (DEEPEST + 1, 985, 5000):
        assert sent(nested(depth)) == [f"it[0][0][0]...[0] is nested more than {DEEPEST} deep"]
    with pytest.raises(CallFailed, match=r"the result\[0\]\[0\]\[0\]\.\.\.\[0\] is nested more than 200 deep$"):
        result_of(nested(985))


def test_a_value_that_holds_itself_is_refused_at_once_however_often_it_does() -> None:
    loop: list[Any] = []
    loop += [loop, loop, {"a": loop}]
    assert "it[0] holds itself" in sent(loop)
    twice = [1]
    assert same(sent([twice, twice]), [[1], [1]])


def test_a_value_that_is_small_in_memory_and_endless_in_json_is_refused() -> None:
    value: list[Any] = []
    for _ in range(60):
        value = [value, value]
    assert any("too many items" in problem for problem in sent(value))


def test_a_result_is_at_most_64_kb_of_json_in_bytes() -> None:
    assert result_of("ä" * (MAX_RESULT_BYTES // 2 - 1))
    with pytest.raises(CallFailed, match="returned 65538 bytes of JSON; at most 65536 fit"):
        result_of("ä" * (MAX_RESULT_BYTES // 2))


def test_scalars_of_numpy_are_their_values_both_ways() -> None:
    numpy = pytest.importorskip("numpy")
    values = {
        numpy.int64(3): 3, numpy.float64(2.5): 2.5, numpy.float32(0.1): float(numpy.float32(0.1)),
        numpy.uint64(LARGEST): LARGEST, numpy.bool_(1): True, numpy.str_("a"): "a",
    }  # fmt: skip
    for scalar, value in values.items():
        assert same(sent([scalar]), [value])
        assert same(result_of({"a": scalar}), {"a": value})
    assert same(sent({numpy.str_("a"): 1}), {"a": 1})
    assert PythonTask(script=__file__, args=[numpy.int64(3), numpy.str_("a")]).args == ("3", "a")
    assert BashTask(["echo", numpy.str_("a")]).problems == ()
    strange = [
        numpy.float64("nan"), numpy.datetime64(5, "ns"), numpy.timedelta64(5, "ns"), numpy.complex128(1),
        numpy.bytes_(b"a"), numpy.longdouble(1), numpy.arange(2), numpy.array(3),
    ]  # fmt: skip
    for value in strange:
        assert sent(value)[0].startswith("it is ")


def test_numpy_is_not_imported_to_look_for_its_scalars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    assert same(sent([1, "a"]), [1, "a"])


def test_a_script_finds_texts_numbers_and_paths_and_nothing_that_is_written_otherwise() -> None:
    task = PythonTask(script=__file__, args=["a", 1, 2.5, pathlib.PurePath("x")])
    assert task.args == ("a", "1", "2.5", "x")
    for value in (Colour.RED, Level.HIGH, True, None, Whole(3), 10**5000, [1]):
        (problem,) = PythonTask(script=__file__, args=[value]).problems
        assert problem.startswith("script argument 0 is ")
        assert "Colour.RED" not in problem


def test_equal_dicts_are_the_same_work_whatever_their_order() -> None:
    one = PythonTask(math.hypot, kwargs={"a": 1, "b": {"x": [{"p": 1, "q": 2}], "y": 2}}, name="t")
    other = PythonTask(math.hypot, kwargs={"b": {"y": 2, "x": [{"q": 2, "p": 1}]}, "a": 1}, name="t")
    assert digest(one, ["u", "v"]) == digest(other, ["v", "u"])
    changed = PythonTask(math.hypot, kwargs={"a": 1, "b": {"x": [{"p": 1, "q": 2}], "y": 3}}, name="t")
    assert digest(one, []) != digest(changed, [])


@given(plain_values, plain_values)
def test_workflow_args_name_the_same_workflow_exactly_when_they_are_the_same(one: Any, other: Any) -> None:
    def key(value: Any) -> str:
        return json.dumps(Plain(10_000).take(value, ""), sort_keys=True)

    assert (args_text(one) == args_text(other)) == (key(one) == key(other))
    assert args_text(one) == args_text(one)


def test_workflow_args_that_look_alike_are_not_one_workflow() -> None:
    values = [
        5, "5", 5.0, True, "true", "null", [1], (1,), "[1]", {"a": None}, {"a": math.nan}, {"a": math.inf}, "NaN",
        math.nan, {"a": -math.inf}, {}, "", '"5"', '"', {"a": "NaN"},
    ]  # fmt: skip
    assert len({args_text(value) for value in values}) == len(values)
    assert args_text("2026-11") == "2026-11"
    assert args_text({"b": 1, "a": 2}) == args_text({"a": 2, "b": 1}) == '{"a":2,"b":1}'


@pytest.mark.parametrize("value", [{1: 2}, Colour.RED, [Level.HIGH], b"x", {2}, "\ud800", {"a": nested(300)}])
def test_workflow_args_that_are_not_plain_are_refused_at_once(value: Any) -> None:
    with pytest.raises(InvalidWorkflow, match="workflow_args must be text or JSON: workflow_args"):
        Workflow("w", workflow_args=value)


def test_a_number_that_python_does_not_write_out_is_refused_in_words() -> None:
    assert sent([10**5000]) == ["it[0] does not fit in 64 bits"]
    assert sent({10**5000: 1}) == ["it has the key a int; keys of JSON objects are text"]
