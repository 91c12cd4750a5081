"""Callables by name: what a worker elsewhere needs to find the same function again."""

import functools
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.abc import InspectLoader
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import attrs

from jobmon.client.bound_names import bound_names

_REFERENCE = re.compile(r"([^\W\d]\w*(?:\.[^\W\d]\w*)*):([^\W\d]\w*(?:\.[^\W\d]\w*)*)")


@attrs.frozen
class Reference:
    """A function by name; one record is shared by all tasks that call it. `problem` says why it cannot be used."""

    module: str = ""
    function: str = ""
    is_path: bool = False
    problem: str | None = None


def script_folder() -> Path:
    """The folder of the script that runs; the working folder in an interactive session or under `python -m`."""
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    return Path(path).absolute().parent if path and getattr(main, "__spec__", None) is None else Path.cwd()


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
        if _look_up(loaded, function) is None:
            return Reference(problem=f"module {module!r} has no function {function!r}")
        return _in_main(function) if module == "__main__" else Reference(module, function)
    return Reference(module, function, problem=_unloaded_problem(module, function.partition(".")[0]))


def _unloaded_problem(module: str, name: str) -> str | None:
    """Why `name` surely cannot be found in a module that is not loaded here; None when it may be there.

    The module is not imported for this: its source is read. The package that it is in is imported.
    """
    with _importing_as_a_worker():
        try:
            spec = importlib.util.find_spec(module)
            if spec is None:
                return f"there is no module {module!r}"
            source = spec.loader.get_source(module) if isinstance(spec.loader, InspectLoader) else None
            names = None if source is None else bound_names(source)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the import of a package may raise anything
            if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
                return f"there is no module {module!r}"
            return f"module {module!r} cannot be loaded: {type(error).__name__}: {error}"
        inside = spec.submodule_search_locations
        if names is None or name in names or (inside and PathFinder.find_spec(f"{module}.{name}", inside)):
            return None
    return f"module {module!r} has no function {name!r}"


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
    return _in_main(function) if module == "__main__" else Reference(module, function)


def _in_main(function: str) -> Reference:
    """A function of the script itself: by the script's path, or by its name when it runs as `python -m NAME`."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return Reference(spec.name, function)
    path = getattr(main, "__file__", None)
    if not path or not os.path.exists(path):  # noqa: PTH110 - may be "<stdin>"
        return Reference(problem=f"function {function!r} is defined in an interactive session; put it in a module")
    return Reference(str(Path(path).absolute()), function, is_path=True)


def _look_up(module: Any, function: str) -> Any:
    found = module
    for part in function.split("."):
        found = getattr(found, part, None)
    return found
