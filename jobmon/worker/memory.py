"""Whether the kernel killed for want of memory in this process's control group (cgroups(7), both versions)."""

from __future__ import annotations

_SYSTEM, _HOST = "/sys/fs/cgroup", "/proc/vmstat"


def oom_kills(own: str = "/proc/self/cgroup", system: str = _SYSTEM, host: str = _HOST) -> int | None:
    """How many processes of the group were killed so far, or of the host, where no group counts; None: not known.

    Schedulers give each job a group of its own. Where the group is shared, as in a login session, a count that rose
    while a command was killed by SIGKILL is still the best evidence that there is.
    """
    try:
        with open(own, encoding="utf-8") as file:
            groups = [line.rstrip("\n").split(":", 2) for line in file]
    except OSError:
        groups = []
    counted = _of_group(groups, system)
    return _count(host) if counted is None else counted


def _of_group(groups: list[list[str]], system: str) -> int | None:
    for _, controllers, path in groups:
        if "memory" in controllers.split(","):
            return _count(f"{system}/memory{path}/memory.oom_control")
    for _, controllers, path in groups:
        if controllers == "":
            return _count(f"{system}{path}/memory.events")
    return None


def _count(path: str) -> int | None:
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, _, value = line.partition(" ")
                if name == "oom_kill":
                    return int(value)
    except (OSError, ValueError):
        return None
    return None
