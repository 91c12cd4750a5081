"""Which process is which on this host: identities that survive the reuse of process ids, and orphans by their mark.

Linux only: everything is read from /proc (see proc(5)).
"""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

_PROC = Path("/proc")
_PF_KTHREAD = 0x00200000  # include/linux/sched.h
_LOOKS = 1000  # at a process that shows nothing; some hide their arguments for good


def _between(least: int, most: int) -> Any:
    """It may come from outside; what no process has must reach no call of the kernel."""
    return attrs.validators.and_(attrs.validators.ge(least), attrs.validators.le(most))


_TICKS = _between(0, 2**53)
_SHORT: Any = attrs.validators.max_len(1000)


@attrs.frozen
class ProcessIdentity:
    """One process of one host, for ever: a process id alone is used again."""

    host: str = attrs.field(validator=_SHORT)
    boot_id: str = attrs.field(validator=_SHORT)
    pid: int = attrs.field(validator=_between(0, 2**31 - 1))
    started: int = attrs.field(validator=_TICKS)  #: clock ticks between the boot and the start of the process


def boot_id() -> str:
    """The kernel's id of the current boot of this host."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def start_ticks(pid: int) -> int | None:
    """When the process started, in clock ticks since the boot; None when there is none of that id, or a zombie."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def identify(pid: int | None = None) -> ProcessIdentity:
    """The identity of a live process of this host (this one when no pid is given)."""
    pid = os.getpid() if pid is None else pid
    started = start_ticks(pid)
    if started is None:
        raise ProcessLookupError(f"no process {pid}")
    return ProcessIdentity(socket.gethostname(), boot_id(), pid, started)


def is_alive(identity: ProcessIdentity) -> bool | None:
    """Whether that process still runs; None when it is another host's and cannot be known from here."""
    if identity.host != socket.gethostname():
        return None
    return identity.boot_id == boot_id() and start_ticks(identity.pid) == identity.started


def marked(variable: str, value: str | None = None) -> Iterator[tuple[int, str]]:
    """`(pid, value)` of this user's live processes that carry `variable` (with that value) in their environment."""
    prefix = variable.encode() + b"="
    for entry in os.scandir(_PROC):
        if not entry.name.isdigit():
            continue
        for item in _environment(_PROC / entry.name).split(b"\0"):
            if item.startswith(prefix):
                found = item[len(prefix) :].decode(errors="replace")
                if value in (None, found) and start_ticks(int(entry.name)) is not None:
                    yield int(entry.name), found
                break


def _environment(process: Path) -> bytes:
    """The environment of a process; empty when it has none, is gone, or is another user's.

    While a process is executing its program, /proc shows it without arguments and environment for some microseconds,
    in which whoever started it may know already that the execution succeeded. It is looked at until that has passed.
    """
    arguments = 0
    for _ in range(_LOOKS):
        try:
            environment = (process / "environ").read_bytes()
            if environment or arguments > 1 or not _may_be_executing((process / "stat").read_bytes()):
                return environment
            arguments += bool((process / "cmdline").read_bytes())
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return b""
        os.sched_yield()
    return b""


def _may_be_executing(stat: bytes) -> bool:
    """Neither a zombie nor a thread of the kernel, both of which never show anything."""
    fields = stat[stat.rindex(b")") + 2 :].split()
    return fields[0] not in (b"Z", b"X") and not int(fields[6]) & _PF_KTHREAD


def kill_marked(variable: str, value: str) -> int:
    """SIGKILL every process that carries the mark, until none is left; how many were killed.

    A process may fork while it is being killed, so the search is repeated until it finds none. A zombie counts as gone.
    """
    killed = 0
    while True:
        found = [pid for pid, _ in marked(variable, value) if pid != os.getpid()]
        if not found:
            return killed
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
                killed += 1
            except ProcessLookupError:
                continue
