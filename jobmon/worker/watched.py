"""The modules that the calls of one interpreter use: whether a call has changed something in the user's own.

A counter, a cache, a default that grows, a function put in another's place: what a call leaves there would reach the
next. Caches of `functools` are not looked at: they hold what would be computed again. Standard library only; loaded by
path, as `warm` is.
"""

import collections
import itertools
import os
import random
import sys
import types
from collections.abc import Callable, Iterator
from operator import is_
from pathlib import Path
from typing import Any

_LIBRARIES = tuple(str(Path(folder).resolve()) + os.sep for folder in {sys.prefix, sys.base_prefix})
_HERE = str(Path(__file__).resolve().parent) + os.sep
_MOST, _DEEPEST = 5000, 5
_LARGEST_BUFFER = 64 * 1024
_CONTAINERS = (dict, list, set, collections.deque, tuple)
_NAMESPACES = (types.SimpleNamespace, type(sys.implementation))
_Reader = Callable[[Any], Any]


def _is_library(path: str) -> bool:
    real = os.path.realpath(path)
    return real.startswith((*_LIBRARIES, _HERE)) or "/site-packages/" in real or "/dist-packages/" in real


def _own(module: Any) -> str | None:
    """The file of a module of the user's; None for any other."""
    path = getattr(module, "__file__", None)
    return path if isinstance(path, str) and not _is_library(path) else None


class Modules:
    """What is loaded, and how it was when it was loaded."""

    def __init__(self) -> None:
        self._changed_at: dict[str, int] = {}
        self._values: list[Any] = []
        self._own: list[Any] = []
        self._places: list[tuple[_Reader, Any, Any]] = []
        self._patchable: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def note(self) -> None:
        """This is how the next call shall find them."""
        self._values = list(sys.modules.values())
        own = {id(module): module for module in self._values if _own(module)}
        self._own = list(own.values())
        self._changed_at = {path: _changed_at(path) for module in self._own if (path := _own(module))}
        for module in self._own:
            vars(module).pop("__warningregistry__", None)
        self._places = list(itertools.islice(_places(self._own), _MOST))
        used = [value for module in self._own for value in vars(module).values() if type(value) is types.ModuleType]
        self._patchable = [
            (vars(module), dict(vars(module))) for module in {id(one): one for one in used}.values()
            if id(module) not in own
        ]  # fmt: skip

    def stale(self) -> bool:
        """Some file is not what was loaded."""
        return any(_changed_at(path) != when for path, when in self._changed_at.items())

    def restore(self) -> tuple[list[str], bool]:
        """Forget the user's modules that the call imported; what it has changed in others, and whether it imported
        libraries.
        """
        now, before = list(sys.modules.values()), len(self._values)
        if (now if len(now) == before else now[:before]) != self._values:
            return ["loaded modules"], True
        imported = False
        new = list(itertools.islice(sys.modules.items(), before, None)) if len(now) > before else ()
        if new and all(getattr(module, "__spec__", None) is None for _, module in new):
            return ["loaded modules"], True  # none of an import's making
        for name, module in new:
            path = _own(module)
            if path is None:
                imported = True
                self._values.append(module)
            elif path.endswith(".py"):
                self._forget(name, module)
            else:  # machine code cannot be loaded twice
                return [f"module {name}"], True
        for module in self._own:
            vars(module).pop("__warningregistry__", None)
        changed = [] if all(_same(read(thing), was) for read, thing, was in self._places) else ["the task's modules"]
        if not all(map(_unpatched, self._patchable)):
            changed.append("functions of a library")
        return changed, imported

    @staticmethod
    def _forget(name: str, module: Any) -> None:
        del sys.modules[name]
        parent, _, child = name.rpartition(".")
        if parent in sys.modules and vars(sys.modules[parent]).get(child) is module:
            delattr(sys.modules[parent], child)


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _unpatched(known: tuple[dict[str, Any], dict[str, Any]]) -> bool:
    """Each function and class of a library's module is its own. Its other names are its own business."""
    space, items = known
    try:  # what is identical is not compared any further, so this is fast
        same = bool(space == items)
    except Exception:  # noqa: BLE001 - arrays, say, that cannot tell whether they are equal
        same = False
    return same or all(space.get(name) is value for name, value in items.items() if callable(value))


def _same(one: Any, other: Any) -> bool:
    if type(one) is not tuple:
        return bool(one == other)
    return len(one) == len(other) and all(map(is_, one, other))


def _places(modules: list[Any]) -> Iterator[tuple[_Reader, Any, Any]]:
    """What can be changed below the modules: each with its reader and its content now, the outermost first."""
    names = {module.__name__ for module in modules}
    front: list[Any] = list(map(vars, modules))
    seen: set[int] = set()
    for _ in range(_DEEPEST):
        further: list[Any] = []
        for thing in front:
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            if issubclass(type(thing), type | types.FunctionType) and thing.__module__ not in names:
                continue
            read = _reader(type(thing))
            content = None if read is None else read(thing)
            if read is not None and content is not None:
                yield read, thing, content
            further += _below(thing, content, names)
        front = further


def _reader(kind: type) -> _Reader | None:
    """Reads the content of things of that kind, a tuple of objects or a value; None for a kind that does not change."""
    if issubclass(kind, dict):
        return _items
    if issubclass(kind, _CONTAINERS):
        return tuple if kind is not tuple else None
    if issubclass(kind, type):
        return _attributes
    if kind is types.FunctionType:
        return _parts
    if kind is itertools.count:
        return repr
    if issubclass(kind, random.Random):
        return _state
    if str(kind.__module__).startswith("numpy.random"):
        return _state_of_numpy
    if kind is bytearray or hasattr(kind, "__array_interface__") or kind.__name__ == "array":
        return _bytes
    return None


def _items(thing: dict[Any, Any]) -> tuple[Any, ...]:
    return (*dict.keys(thing), *dict.values(thing))


def _attributes(thing: type) -> tuple[Any, ...]:
    return tuple(vars(thing).values())


def _parts(thing: types.FunctionType) -> tuple[Any, ...]:
    if thing.__closure__ is None:
        return thing.__code__, thing.__defaults__
    cells = [cell.cell_contents for cell in thing.__closure__ if cell != types.CellType()]
    return thing.__code__, thing.__defaults__, *cells


def _state(thing: random.Random) -> list[Any]:
    return [thing.getstate()]


def _state_of_numpy(thing: Any) -> str:
    return repr(getattr(getattr(thing, "bit_generator", None), "state", None))


def _bytes(thing: Any) -> bytes | None:
    try:
        view = memoryview(thing)
        return bytes(view) if view.nbytes <= _LARGEST_BUFFER else None
    except (TypeError, ValueError, BufferError):
        return None


def _below(thing: Any, content: Any, names: set[str]) -> list[Any]:
    """Where to look further."""
    kind = type(thing)
    if kind is types.FunctionType:
        return [*content[2:], *(thing.__defaults__ or ()), thing.__kwdefaults__, vars(thing)]
    if issubclass(kind, type):
        return list(content)
    own = kind.__module__ in names or issubclass(kind, _NAMESPACES)
    inside = [vars(thing)] if own and hasattr(thing, "__dict__") else []
    if kind in (staticmethod, classmethod):
        inside.append(thing.__func__)
    elif kind is property:
        inside.append(thing.fget)
    if issubclass(kind, dict):
        return inside + list(dict.values(thing))
    return inside + (list(thing) if issubclass(kind, _CONTAINERS) else [])
