"""The processes below this one. Linux only. Light: the keeper imports little else of Jobmon."""

import ctypes
import os
import signal
from collections.abc import Iterator

from jobmon.agent.saying import say

_PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """From now on orphans among the descendants of this process become its children (see prctl(2)).

    Raises:
        OSError: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def _parents() -> Iterator[tuple[int, int]]:
    """`(pid, parent)` of every process that is not a zombie."""
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit():
            try:
                fd = os.open(f"/proc/{name}/stat", os.O_RDONLY)
            except OSError:
                continue
            try:
                stat = os.read(fd, 512)
            except OSError:
                continue
            finally:
                os.close(fd)
            state, parent = stat[stat.rindex(b")") + 2 :].split(None, 2)[:2]
            if state not in (b"Z", b"X"):
                yield int(name), int(parent)


def children(pid: int) -> list[int]:
    """The live processes whose parent it is."""
    return [child for child, parent in _parents() if parent == pid]


def descendants(root: int) -> set[int]:
    """The live processes below it, at this moment."""
    below: dict[int, list[int]] = {}
    for pid, parent in _parents():
        below.setdefault(parent, []).append(pid)
    found: set[int] = set()
    front = [root]
    while front:
        front = [pid for parent in front for pid in below.get(parent, ()) if pid not in found]
        found.update(front)
    return found


def end_descendants() -> None:
    """SIGKILL everything below this process, which must be a subreaper, and wait until nothing is left.

    A process that forks while it is killed leaves a child that becomes ours before we can reap its parent: so the
    search is repeated after each reaping, and the end is certain when it finds nothing.
    """
    spared: set[int] = set()
    while True:
        _reap(os.WNOHANG)
        found = descendants(os.getpid()) - spared
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            except PermissionError:
                say(f"agent: process {pid} belongs to another user and cannot be ended")
                spared.add(pid)
        if found - spared:
            _reap(0)


def _reap(options: int) -> None:
    try:
        while os.waitpid(-1, options)[0]:
            options = os.WNOHANG
    except ChildProcessError:
        return
