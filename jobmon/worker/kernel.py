"""Two requests to Linux that the standard library has no function for (see prctl(2)); both are best effort.

`_ctypes` directly, because importing `ctypes` costs ten times as much. A Python without it loses nothing but these.
"""

from __future__ import annotations

import _signal
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _prctl(option: int, value: int) -> bool:
    try:
        import _ctypes

        this_program: Any = None  # as dlopen(3) names it; its declared type forgets that
        function = _ctypes.dlsym(_ctypes.dlopen(this_program, 0), "prctl")
        return bool(_ctypes.call_function(function, (option, value, 0, 0, 0)) == 0)
    except (ImportError, AttributeError, OSError, TypeError):
        return False


def adopt_orphans() -> bool:
    """Become the parent of whatever the command leaves behind, so that it can be ended; whether that is so now."""
    return _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """In a child: be killed when the parent ends, also when it is killed itself."""
    if _prctl(_PR_SET_PDEATHSIG, _signal.SIGKILL) and os.getppid() != parent:
        os._exit(128 + _signal.SIGKILL)  # it ended before the request was made


def end_with_parent() -> None:
    """Be asked to end (SIGTERM) when the thread ends that started this process."""
    _prctl(_PR_SET_PDEATHSIG, _signal.SIGTERM)


def children() -> list[int]:
    """The process ids of this process's children, adopted ones included, zombies too."""
    me = os.getpid()
    try:
        with open(f"/proc/{me}/task/{me}/children", encoding="utf-8") as file:
            return [int(pid) for pid in file.read().split()]
    except FileNotFoundError:  # a kernel built without CONFIG_PROC_CHILDREN
        return []
