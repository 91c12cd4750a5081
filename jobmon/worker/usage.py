"""What each of the calls that a process runs has used.

Standard library only; loaded by path, as `warm` is.
"""

import os
import resource

#: Of an earlier call's peak, so much may be taken for this one's, in bytes: to begin a peak again has its price.
SLACK = 1 << 20
_PAGE = resource.getpagesize()


class Usage:
    """The processor time of one call after the other, and the most memory that this process, or a child that it waited
    for, has held during each.

    What getrusage(2) tells is the peak of the whole life of the process, which an earlier call may have reached; so the
    kernel is made to begin it again. Memory grows by page faults alone: a call without any has held no more than when
    it began, and then nothing needs to be read.
    """

    def __init__(self) -> None:
        self._statm = _opened("/proc/self/statm")
        self._highest = float("inf")  #: the peak as the kernel has it
        self._begins_again = True

    def begin(self) -> None:
        """A call begins."""
        self._held = self._held_now()
        if self._highest > self._held + SLACK and self._begins_again:
            self._begins_again = self._held > 0 and _peak_begins_again()
            self._highest = self._held
        own, children = _both()
        self._faults = own.ru_minflt + own.ru_majflt
        self._largest_child = children.ru_maxrss
        self._cpu_s = _cpu_s(own, children)

    def ended(self) -> dict[str, float]:
        """What the call has used, in seconds and bytes. Where the kernel cannot begin a peak again it is that of the
        whole life.
        """
        own, children = _both()
        peak = self._held
        if not self._begins_again:
            peak = own.ru_maxrss * 1024.0
        elif own.ru_minflt + own.ru_majflt != self._faults:
            peak = self._highest = _status_bytes(b"VmHWM:")
        if children.ru_maxrss > self._largest_child:
            peak = max(peak, children.ru_maxrss * 1024.0)
        return {"cpu_s": _cpu_s(own, children) - self._cpu_s, "max_rss_bytes": peak}

    def _held_now(self) -> float:
        """In bytes; 0 where it cannot be told."""
        try:
            return float(os.pread(self._statm, 64, 0).split(None, 2)[1]) * _PAGE
        except OSError:
            return 0.0


def _both() -> tuple[resource.struct_rusage, resource.struct_rusage]:
    return resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)


def _cpu_s(own: resource.struct_rusage, children: resource.struct_rusage) -> float:
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError:
        return -1


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
