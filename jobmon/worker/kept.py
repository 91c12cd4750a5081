"""An interpreter that is kept for one Python call after the other, each of which finds it as the first one did.

Standard library only; loaded by path, as `warm` is.
"""

import contextvars
import faulthandler
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any


def _beside(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(f"_jobmon_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __package__:
    from . import calls, kernel, restoring, usage, watched
else:
    calls, kernel, restoring, usage, watched = map(_beside, ("calls", "kernel", "restoring", "usage", "watched"))

_NULL = os.open(os.devnull, os.O_WRONLY)
_OUTPUT = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def _redirect(stdout: str, stderr: str) -> None:
    for fd, path in ((1, stdout), (2, stderr)):
        opened = os.open(path, _OUTPUT, 0o644)
        os.dup2(opened, fd)
        os.close(opened)


def _enter(message: dict[str, Any]) -> dict[str, Any] | None:
    """Take the call's output files and folder; what keeps the call from running, if something does."""
    try:
        _redirect(message["stdout"], message["stderr"])
    except OSError as error:
        told = f"cannot write the output file {error.filename}: {error.strerror}"
        return {"failed": told, "status": 126, "errno": error.errno}
    try:
        os.chdir(message["cwd"])
    except OSError as error:
        return {"failed": f"cannot work in {message['cwd']}: {error.strerror}", "status": 126}
    return None


class Kept:
    """This interpreter, kept for calls of functions of one module; `why_not` says what one has left in it for good."""

    def __init__(self) -> None:
        faulthandler.enable()
        kernel.adopt_orphans()  # what a call leaves running is found, wherever it has put itself
        self._usage = usage.Usage()
        self._surroundings = restoring.Surroundings()
        self._modules = watched.Modules()
        self._is_loaded = False
        self.why_not: list[str] = []

    def stale(self) -> bool:
        """A module was changed after it was loaded."""
        return bool(self._modules.stale())

    def run(self, message: dict[str, Any]) -> dict[str, Any]:
        """Run one call in its folder and environment, its output in its files; all is as before, or `why_not` tells."""
        self._usage.begin()
        os.environ["JOBMON_ATTEMPT"] = message["token"]
        try:
            done = _enter(message)
            if done is None:
                sys.argv = [message["call"]["module"]]
                importlib.invalidate_caches()
                try:
                    done = calls.answer(message["call"], self._apply)
                finally:
                    self._restore()
        except OSError as error:
            done = {"failed": f"its output cannot be written: {error.strerror}", "status": 126}
        if not self.why_not:
            os.dup2(_NULL, 1, inheritable=True)
            os.dup2(_NULL, 2)
        return {**done, "usage": self._usage.ended()}

    def _apply(self, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Call the function; what it sets for its context, this ends with it."""
        if not self._is_loaded:
            self._modules.note()
            self._surroundings.loaded()
            self._is_loaded = True
        return contextvars.copy_context().run(_in_own_context, function, args, kwargs)

    def _restore(self) -> None:
        self._surroundings.restore_builtins()
        if not self._is_loaded:
            self.why_not = ["a module that could not be loaded"]
            return
        changed, imported = self._modules.restore()
        self.why_not = self._surroundings.changed_by_loading + changed
        if not self.why_not:
            self.why_not = self._surroundings.restore(imported)


def _in_own_context(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    decimal: Any = sys.modules.get("decimal")
    if hasattr(decimal, "setcontext"):  # Python's, and its context is an object that is changed in its place
        decimal.setcontext(decimal.getcontext().copy())
    return function(*args, **kwargs)
