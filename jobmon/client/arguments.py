"""Arguments of a call: JSON and nothing else, with the places where an upstream's result belongs."""

import math
from collections.abc import Callable
from typing import Any

from jobmon.client.names import is_utf8
from jobmon.client.task import Output, Task

#: The key of the object that stands for an upstream's result on the wire.
OUTPUT_KEY = "$output"
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1
_DEEPEST = 200


class Arguments:
    """Takes a snapshot of values, collecting what is wrong with them and whose outputs they use."""

    __slots__ = ("outputs", "problems")

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.outputs: dict[Task, None] = {}

    def snapshot(self, value: Any, where: str, depth: int = 0) -> Any:
        """A copy of plain JSON types, Outputs kept; tuples become lists. `where` names it in a problem."""
        kind = type(value)
        if value is None or kind is bool:
            return value
        if kind is str:
            return value if value.isascii() or is_utf8(value) else self._refuse(where, "holds a lone surrogate")
        if kind is int:
            return value if _INT_MIN <= value <= _INT_MAX else self._refuse(where, "does not fit in 64 bits")
        if kind is float:
            return value if math.isfinite(value) else self._refuse(where, f"is {value}, which JSON cannot say")
        if kind is Output:
            self.outputs[value.task] = None
            return value
        if depth > _DEEPEST:
            return self._refuse(where, f"is nested more than {_DEEPEST} deep, or holds itself")
        if kind is list or kind is tuple:
            return [self.snapshot(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
        if kind is dict:
            return {
                self._key(key, where): self.snapshot(item, f"{where}[{key!r}]", depth + 1)
                for key, item in value.items()
            }
        return self._other(value, where, depth)

    def _key(self, key: Any, where: str) -> str:
        if type(key) is not str:
            self._refuse(where, f"has the key {key!r}; keys of JSON objects are text")
        elif key == OUTPUT_KEY:
            self._refuse(where, f"has the key {key!r}, which is reserved; use task.output")
        return str(key)

    def _other(self, value: Any, where: str, depth: int) -> Any:
        """Subclasses of the plain types are taken as what they derive from (numpy.float64 is a float)."""
        if isinstance(value, Task):
            return self._refuse(where, f"is the task {value.name!r}; for its result pass task.output")
        plain: Any
        for plain in (str, int, float, list, tuple, dict):
            if isinstance(value, plain):
                return self.snapshot(plain(value), where, depth)
        return self._refuse(where, f"is {_article(type(value))}, which is not JSON")

    def _refuse(self, where: str, what: str) -> None:
        self.problems.append(f"argument {where} {what}")


def _article(kind: type) -> str:
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"a {name}"


def with_outputs(value: Any, refer: Callable[[Task], Any]) -> Any:
    """The snapshot with each Output replaced by `{"$output": refer(task)}`."""
    kind = type(value)
    if kind is Output:
        return {OUTPUT_KEY: refer(value.task)}
    if kind is list:
        return [with_outputs(item, refer) for item in value]
    if kind is dict:
        return {key: with_outputs(item, refer) for key, item in value.items()}
    return value
