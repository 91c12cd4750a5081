"""The end of the command and of everything that it started."""

from __future__ import annotations

import _signal
import os
import time

from .kernel import children
from .signals import signal_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .signals import Signals

#: How long the remains of a command may take to go after SIGKILL; longer ones hang in the kernel (a dead file server).
_KILLED_WITHIN_S = 5.0


class Ended:
    """How the command ended: its wait status, and what it used, with those of its children that it waited for."""

    def __init__(self, status: int, cpu_s: float, max_rss_bytes: float) -> None:
        self.status = status
        self.cpu_s = cpu_s
        self.max_rss_bytes = max_rss_bytes


def reap(pid: int) -> Ended | None:
    """Collect the children that have ended; how `pid` ended, if it is among them."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if found is None:
            return None
        _, status, usage = os.wait4(found.si_pid, 0)
        if found.si_pid == pid:
            return Ended(status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024.0)


def kill(pid: int) -> None:
    """SIGKILL the command, and its process group."""
    for send in (os.killpg, os.kill):
        try:
            send(pid, _signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def kill_rest(group: int, signals: Signals) -> bool:
    """SIGKILL what the command left behind: its process group, and what this process adopted; whether all is gone.

    A killed process's own children are adopted in turn, so this is repeated until there are none.
    """
    signal_group(group, _signal.SIGKILL)
    until = time.monotonic() + _KILLED_WITHIN_S
    while time.monotonic() < until:
        reap(0)
        left = children()
        if not left:
            return True
        for pid in left:
            try:
                os.kill(pid, _signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        signals.wait(until - time.monotonic())
    return False
