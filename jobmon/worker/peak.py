"""The peak memory of one call among those that a process runs.

Standard library only; loaded by path, as `warm` is.
"""

import os
import resource


class Peak:
    """The most memory that this process, or a child that it waited for, has held since this was made.

    What getrusage(2) tells is the peak of the whole life of the process, which an earlier call may have reached.
    """

    def __init__(self) -> None:
        self._begun_again = _peak_begins_again()
        self._children = _max_rss(resource.RUSAGE_CHILDREN)

    def bytes(self) -> float:
        """In bytes. Where the kernel cannot begin a peak again it is that of the whole life."""
        own = _status_bytes(b"VmHWM:") if self._begun_again else 0.0
        children = _max_rss(resource.RUSAGE_CHILDREN)
        return max(own or _max_rss(resource.RUSAGE_SELF), children if children > self._children else 0.0)


def _peak_begins_again() -> bool:
    """Whether the peak is from now on counted from what is held now (proc_pid_clear_refs(5))."""
    try:
        fd = os.open("/proc/self/clear_refs", os.O_WRONLY)
        try:
            os.write(fd, b"5")
        finally:
            os.close(fd)
    except OSError:
        return False
    return True


def _status_bytes(name: bytes) -> float:
    fd = os.open("/proc/self/status", os.O_RDONLY)
    try:
        _, _, value = os.read(fd, 4096).partition(name)
    finally:
        os.close(fd)
    return float(value.split(None, 1)[0]) * 1024 if value else 0.0


def _max_rss(who: int) -> float:
    return resource.getrusage(who).ru_maxrss * 1024.0
