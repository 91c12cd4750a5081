"""Plain values: what arguments and results may be made of, so that what arrives is what was sent.

None, bool, int of 64 bits, finite float, text, list, tuple, and dict with text as keys, each of that very type: a
subclass would arrive as something else, and is refused. A scalar of numpy is taken as its value. JSON has no tuple: one
travels as `{"$tuple": [...]}`. Standard library only, and nothing of Jobmon (see `calls`).
"""

from __future__ import annotations

import math
import sys
from typing import Any

#: The result of a call as JSON text, in bytes; larger ones belong into files.
MAX_RESULT_BYTES = 64 * 1024
#: The most levels of lists and objects in a value, so that whoever reads or completes one stays within any stack.
DEEPEST = 200
SMALLEST, LARGEST = -(2**63), 2**64 - 1
#: The key of the object that stands for a tuple.
TUPLE_KEY = "$tuple"
_MOST_PROBLEMS, _LONGEST_PATH = 20, 8
_SCALARS_OF_NUMPY = "biufU"  # bool, whole numbers, floats, text; the values of others, such as dates, are no plain ones
_PLAIN = (str, int, float, list, tuple, dict)


class Plain:
    """Takes a copy of values, with tuples as they travel, and collects what is wrong with them in `problems`."""

    def __init__(self, most_items: int) -> None:
        self.problems: list[str] = []
        self._items_left = most_items
        self._path: list[Any] = []
        self._inside: set[int] = set()
        self._depth = 0

    def take(self, value: Any, name: str) -> Any:
        """The copy; of no use once there are problems. `name` is what a problem calls the value."""
        self._path, self._depth = [name], 0
        try:
            return self._taken(value)
        except RecursionError:
            return self.refuse("is nested deeper than Python's recursion limit lets it be read")

    def _taken(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return value if value.isascii() or _is_utf8(value) else self.refuse("holds a lone surrogate")
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if SMALLEST <= value <= LARGEST else self.refuse("does not fit in 64 bits")
        if kind is float:
            return value if math.isfinite(value) else self.not_finite(value)
        if kind is list or kind is dict:
            return self._container(value, 1)
        if kind is tuple:
            return {TUPLE_KEY: self._container(value, 2)}
        scalar = of_numpy(value)
        return self.other(value) if scalar is value else self._taken(scalar)

    def _container(self, value: Any, levels: int) -> Any:
        if id(value) in self._inside:
            return self.refuse("holds itself")
        if self._depth + levels > DEEPEST:
            return self.refuse(f"is nested more than {DEEPEST} deep")
        self._items_left -= len(value)
        if self._items_left < 0:
            return self.refuse("has too many items to travel; write a file and pass its name")
        self._inside.add(id(value))
        self._depth += levels
        copy = self._entries(value) if type(value) is dict else self._items(value)
        self._depth -= levels
        self._inside.discard(id(value))
        return copy

    def _items(self, value: Any) -> list[Any]:
        path, copy = self._path, []
        for i, item in enumerate(value):
            if type(item) is str and item.isascii():  # as most are
                copy.append(item)
                continue
            path.append(i)
            copy.append(self._taken(item))
            path.pop()
        return copy

    def _entries(self, value: dict[Any, Any]) -> dict[str, Any]:
        path, copy = self._path, {}
        for given, item in list(value.items()):
            key = given if type(given) is str else of_numpy(given)
            self.check_key(key)
            if type(item) is str and item.isascii():
                copy[key] = item
                continue
            path.append(given)
            copy[key] = self._taken(item)
            path.pop()
        return copy

    def check_key(self, key: Any) -> None:
        """Refuse what cannot be a key."""
        if type(key) is not str:
            self.refuse(f"has the key {shown(key)}; keys of JSON objects are text")
        elif not (key.isascii() or _is_utf8(key)):
            self.refuse(f"has the key {key!r}, which holds a lone surrogate")
        elif key == TUPLE_KEY:
            self.refuse(f"has the key {key!r}, which is reserved")

    def not_finite(self, value: float) -> Any:
        """What JSON has no number for."""
        return self.refuse(f"is {value}, which JSON cannot say")

    def other(self, value: Any) -> Any:
        """What is none of the plain types."""
        kind = type(value)
        for plain in _PLAIN:
            if issubclass(kind, plain):
                instead = "its .value" if hasattr(kind, "__members__") else f"{plain.__name__}(...)"
                return self.refuse(f"is {shown(value)}, which would arrive as a plain {plain.__name__}; pass {instead}")
        return self.refuse(f"is {shown(value)}, which is not JSON")

    def refuse(self, what: str) -> None:
        """Note what is wrong with the value that is looked at."""
        if len(self.problems) < _MOST_PROBLEMS:
            where = [f"[{shown(key)}]" for key in self._path[1:]]
            if len(where) > _LONGEST_PATH:
                where[3:-1] = ["..."]
            self.problems.append(f"{self._path[0]}{''.join(where)} {what}")


def of_numpy(value: Any) -> Any:
    """The plain value of a scalar of numpy, which is not imported for this; anything else as it is."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    generic = getattr(sys.modules.get("numpy"), "generic", None)
    if not isinstance(generic, type) or not issubclass(kind, generic) or value.dtype.kind not in _SCALARS_OF_NUMPY:
        return value
    plain = value.item()
    return plain if type(plain) in (bool, int, float, str) else value


def restored(value: Any) -> Any:
    """A value as it was sent, from how it travels; what is inside of it is changed in its place."""
    if type(value) is list:
        for i, item in enumerate(value):
            if type(item) is list or type(item) is dict:
                value[i] = restored(item)
    elif type(value) is dict:
        for key, item in value.items():
            if type(item) is list or type(item) is dict:
                value[key] = restored(item)
        if len(value) == 1 and type(value.get(TUPLE_KEY)) is list:
            return tuple(value[TUPLE_KEY])
    return value


def shown(value: Any) -> str:
    """A value in a few words: what is plain as it is written in Python, what is not by its type."""
    kind = type(value)
    if value is None or kind in (bool, float) or (kind is int and SMALLEST <= value <= LARGEST):
        return repr(value)
    if kind is str:
        return repr(value) if len(value) <= 80 else f"{value[:77]!r}..."
    return f"a {kind.__qualname__ if kind.__module__ == 'builtins' else f'{kind.__module__}.{kind.__qualname__}'}"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
