"""How an interpreter that is kept becomes again what it was before a call.

What cannot be put back ends the interpreter with its call, as every interpreter ends that runs one call alone. Standard
library only; loaded by path, as `warm` is.
"""

import _signal
import builtins
import faulthandler
import random
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__:
    from . import leftovers
else:
    import importlib.util

    _spec = importlib.util.spec_from_file_location("_jobmon_leftovers", Path(__file__).with_name("leftovers.py"))
    assert _spec is not None
    assert _spec.loader is not None
    leftovers = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(leftovers)

_BUILTINS = vars(builtins)
_UNREADABLE = object()


class Surroundings:
    """How an interpreter was before a call, and is again after it."""

    def __init__(self) -> None:
        self._builtins = dict(_BUILTINS)
        leftovers.seed_at_random()
        self._random = random.getstate()
        self._rows: list[leftovers.Row] = []  #: those whose module is loaded, in their order, each with
        self._modules: list[Any] = []  #: its module, and
        self._before: list[Any] = []  #: its value
        self._meet(_read)
        #: What loading the call's module has changed that cannot be put back: no second call finds it as it was.
        self.changed_by_loading: list[str] = []

    def loaded(self) -> None:
        """The module of the calls has been loaded: what that has changed belongs to each of them."""
        self._builtins = dict(_BUILTINS)
        self._meet(_when_imported)
        now = self._now()
        self.changed_by_loading = [
            row.what for row, value, was in zip(self._rows, now, self._before, strict=True)
            if (row.put_back is None or row.what == "open files") and value != was
        ]  # fmt: skip
        if random.getstate() != self._random:  # what was drawn while it was loaded is in it
            self.changed_by_loading.append("random")
        self._before = now

    def restore_builtins(self) -> None:
        """Before all else, because all else uses them."""
        if _BUILTINS != self._builtins:
            _BUILTINS.update(self._builtins)
            leftovers.put_names(_BUILTINS, self._builtins)

    def restore(self, imported: bool) -> list[str]:
        """Put back what the call has changed; what cannot be, and then all is left as it is as far as possible.

        `imported`: it has also imported libraries. Those may have made the changes, as they do but once.
        """
        faulthandler.cancel_dump_traceback_later()
        _signal.set_wakeup_fd(-1)
        getattr(warnings, "_filters_mutated", int)()  # what has been shown to one call is shown to the next, too
        if imported:
            self._meet(_when_imported)
        now = self._now()
        if now == self._before:  # as after nearly every call
            return []
        changed = [at for at, value in enumerate(now) if value != self._before[at]]
        lasting = [
            self._rows[at].what for at in changed
            if self._rows[at].put_back is None or now[at] is _UNREADABLE or (imported and self._rows[at].by_call)
        ]  # fmt: skip
        return lasting or [self._rows[at].what for at in changed if not self._put_back(at)]

    def _put_back(self, at: int) -> bool:
        row, module = self._rows[at], self._modules[at]
        assert row.put_back is not None
        try:
            row.put_back(module, self._before[at])
        except Exception:  # noqa: BLE001 - whatever it is, it is not as it was, and that is told
            return False
        now = _read(row, module)
        if row.renewed:
            self._before[at] = now
        return bool(now == self._before[at])

    def _meet(self, first_value: Callable[[leftovers.Row, Any], Any]) -> None:
        """Take in the rows whose module has been imported since the last time."""
        known = dict(zip((row.what for row in self._rows), self._before, strict=True))
        self._rows = [row for row in leftovers.ROWS if sys.modules.get(row.module) is not None]
        self._modules = [sys.modules[row.module] for row in self._rows]
        self._reads = [(row.read, module) for row, module in zip(self._rows, self._modules, strict=True)]
        self._before = [
            known[row.what] if row.what in known else first_value(row, module)
            for row, module in zip(self._rows, self._modules, strict=True)
        ]

    def _now(self) -> list[Any]:
        try:
            return [read(module) for read, module in self._reads]
        except Exception:  # noqa: BLE001 - a call has put something else in the place of what is read
            return list(map(_read, self._rows, self._modules))


def _read(row: leftovers.Row, module: Any) -> Any:
    try:
        return row.read(module)
    except Exception:  # noqa: BLE001 - whatever it is, it is not as it was
        return _UNREADABLE


def _when_imported(row: leftovers.Row, module: Any) -> Any:
    """What the row's value was when its module had just been imported, as far as that can be known."""
    now = _read(row, module)
    fresh = leftovers.UNSET if now is _UNREADABLE else row.fresh(module)
    return now if fresh is leftovers.UNSET else fresh
