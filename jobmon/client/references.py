"""Callables by name: what a worker elsewhere needs to find the same function again."""

import functools
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

import attrs

from jobmon.client.bound_names import A_GENERATOR, AN_AWAITABLE, bound_names, suspends
from jobmon.client.import_paths import is_script, script_folder
from jobmon.worker.calls import SCRIPT_NAME

_REFERENCE = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*(?:\.[^\W\d]\w*)*)")

#: The names of the script itself.
_MAIN = ("__main__", SCRIPT_NAME)


@attrs.frozen
class Reference:
    """A function by name; one record is shared by all tasks that call it. `problem` says why it cannot be used."""

    module: str = ""
    function: str = ""
    is_path: bool = False
    problem: str | None = None


@functools.lru_cache(maxsize=4096)
def reference(target: Callable[..., Any] | str) -> Reference:
    """The reference to a callable, or to what "module:function" names."""
    return _of_text(target) if isinstance(target, str) else _of_callable(target)


def _of_text(text: str) -> Reference:
    match = _REFERENCE.fullmatch(text)
    if not match:
        return Reference(problem=f'{text!r} is no reference to a function; write "package.module:function"')
    module, function = match.groups()
    loaded = sys.modules.get(module)
    if loaded is not None:
        target = _look_up(loaded, function)
        if target is None:
            return Reference(problem=f"module {module!r} has no function {function!r}")
        if gives := _gives(target):
            return Reference(problem=_no_result(function, gives))
        return _in_main(module, function) if module in _MAIN else Reference(module, function)
    return Reference(module, function, problem=_unloaded_problem(module, function))


def _unloaded_problem(module: str, function: str) -> str | None:
    """Why a function of a module that is not loaded here surely cannot be called; None when it may be there.

    The module is not imported for this: its source is read. The package that it is in is imported.
    """
    name, gives = function.partition(".")[0], None
    with _importing_as_a_worker():
        try:
            spec = importlib.util.find_spec(module)
            if spec is None:
                return f"there is no module {module!r}"
            source = spec.loader.get_source(module) if isinstance(spec.loader, InspectLoader) else None
            names = None if source is None else bound_names(source)
            gives = None if source is None else suspends(source, function)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the import of a package may raise anything
            if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
                return f"there is no module {module!r}"
            return f"module {module!r} cannot be loaded: {type(error).__name__}: {error}"
        inside = spec.submodule_search_locations
        if names is None or name in names or (inside and PathFinder.find_spec(f"{module}.{name}", inside)):
            return _no_result(function, gives) if gives else None
    return f"module {module!r} has no function {name!r}"


def _gives(target: object) -> str | None:
    """What the function gives instead of a result when it is called, if it is one of those."""
    if inspect.iscoroutinefunction(target):
        return AN_AWAITABLE
    return A_GENERATOR if inspect.isgeneratorfunction(target) or inspect.isasyncgenfunction(target) else None


def _no_result(function: str, gives: str) -> str:
    instead = "one that calls asyncio.run(...)" if gives == AN_AWAITABLE else "one that returns a list"
    return f"{function!r} gives {gives} when it is called, and runs nothing; call a function with a result: {instead}"


@contextmanager
def _importing_as_a_worker() -> Iterator[None]:
    """With the script's folder among those where modules are looked for."""
    folder = str(script_folder())
    added = folder not in sys.path
    if added:
        sys.path.insert(0, folder)
    try:
        yield
    finally:
        if added:
            sys.path.remove(folder)


def _of_callable(target: Callable[..., Any]) -> Reference:
    module: Any = getattr(target, "__module__", None)
    function: Any = getattr(target, "__qualname__", None)
    if not callable(target) or not isinstance(module, str) or not isinstance(function, str):
        return Reference(
            problem=f"{target!r} cannot be found by name: a task calls a function of a module, no object or partial"
        )
    if "<lambda>" in function:
        return Reference(problem="a lambda cannot be found by name; give it a name with def, at the top of a module")
    if "<locals>" in function:
        outer = function.split(".<locals>")[0]
        return Reference(problem=f"function {function!r} is defined inside {outer!r}; move it to the top of its module")
    if _look_up(sys.modules.get(module), function) != target:
        return Reference(
            problem=f"{module}:{function} names another object than the one given; pass a function of a module"
        )
    if gives := _gives(target):
        return Reference(problem=_no_result(function, gives))
    if module in _MAIN:
        return _in_main(module, function)
    return Reference(module, function, problem=_unimportable(module))


@functools.lru_cache(maxsize=1024)
def _unimportable(module: str) -> str | None:
    """Why a worker would not find the module that is loaded here under this name; None when it will."""
    top = module.partition(".")[0]
    loaded = getattr(sys.modules.get(top), "__file__", None)
    if loaded is None:  # built in, or a namespace of folders
        return None
    with _importing_as_a_worker():
        found = _find(top)
    if found is not None and (not found.has_location or _same_file(found.origin, loaded)):
        return None
    why = f"an import finds {found.origin} first" if found is not None else "which is on no folder of sys.path"
    return f"module {module!r} was loaded from {loaded}; {why}: a worker cannot import it. Put its folder on sys.path"


def _find(top: str) -> ModuleSpec | None:
    """Where an import of a module that is not loaded would find it."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(top, None) if find else None
        if spec is not None:
            return spec
    return None


def _same_file(origin: str | None, loaded: str) -> bool:
    """Of a source and what was compiled from it, as well."""
    one, other = (os.path.realpath(path).removesuffix("c") for path in (origin or "", loaded))
    return one == other


def _in_main(module: str, function: str) -> Reference:
    """A function of the script itself: by the script's path, or by its name when it runs as `python -m NAME`.

    The script is `__main__`, or in a worker and in a child of multiprocessing `__mp_main__`.
    """
    main = sys.modules[module]
    path = getattr(main, "__file__", None)
    if not is_script(main):
        return Reference(main.__spec__.name, function)  # type: ignore[union-attr]
    if not path or not os.path.exists(path):  # noqa: PTH110 - may be "<stdin>"
        where = "in an interactive session" if not path or path.startswith("<") else f"in {path}, which is no file"
        return Reference(problem=f"function {function!r} is defined {where}; put it in a module")
    return Reference(str(Path(path).absolute()), function, is_path=True)


def _look_up(module: Any, function: str) -> Any:
    found = module
    for part in function.split("."):
        found = getattr(found, part, None)
    return found
