"""How the processes of one attempt are ended."""

import contextlib
import os
import signal
from collections.abc import Set

from jobmon.agent.descendants import children, descendants
from jobmon.processes import marked
from jobmon.worker.command import MARK

#: Stands in the environment of everything that an agent starts: which folder's agent it was.
AGENT_MARK = "JOBMON_AGENT"


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the process group that the process leads, if it is still there."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def kill_tree(pid: int, token: str) -> None:
    """SIGKILL the group that `pid` leads, all its descendants, and whatever carries the attempt's mark."""
    below = descendants(pid)
    signal_group(pid, signal.SIGKILL)
    _kill(below)
    kill_marked_once(token)


def kill_marked_once(token: str) -> None:
    """SIGKILL the processes that carry the attempt's mark at this moment."""
    _kill({pid for pid, _ in marked(MARK, token)})


def kill_strays(own: Set[int], live: Set[str]) -> None:
    """SIGKILL children of this process that are not its `own` and carry the mark of an attempt that is not `live`.

    They outlived their command, and became ours because we are their subreaper. A fork of an interpreter, which has the
    mark of its agent alone, comes to us when that interpreter has ended.
    """
    found = set(children(os.getpid())) - own
    if found:
        tokens = dict(marked(MARK))
        forks = {pid for pid, _ in marked(AGENT_MARK) if pid not in tokens}
        _kill({pid for pid in found if pid in forks or (pid in tokens and tokens[pid] not in live)})


def _kill(pids: set[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
