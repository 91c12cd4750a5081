"""What a process hands down to all that it starts: its environment, umask, limits, priority and processors."""

import os
import resource
from pathlib import Path

import attrs

from jobmon.inherited import lower_limit

#: Python itself adds it, where no locale is set; the token is for Jobmon alone.
_NOT_COMPARED = ("LC_CTYPE", "JOBMON_TOKEN")
_LIMITS = {name: number for name, number in vars(resource).items() if name.startswith("RLIMIT_")}


@attrs.frozen
class Surroundings:
    """Those of one process, as JSON can carry them: `environment` has a character for each byte (Latin-1)."""

    environment: dict[str, str]
    umask: int
    limits: dict[str, list[int]]  #: name in the module `resource` -> soft and hard limit
    priority: int
    cpus: list[int]


def surroundings() -> Surroundings:
    """Those of this process."""
    environment = {_text(name): _text(value) for name, value in os.environb.items()}
    for name in _NOT_COMPARED:
        environment.pop(name, None)
    return Surroundings(
        environment,
        current_umask(),
        {name: list(resource.getrlimit(number)) for name, number in _LIMITS.items()},
        os.getpriority(os.PRIO_PROCESS, 0),
        sorted(os.sched_getaffinity(0)),
    )


def adopt(wanted: Surroundings) -> list[str]:
    """Take them over in this process, but for the environment, as far as it may; what it may not, in words."""
    os.umask(wanted.umask)
    refused = []
    for name, (soft, hard) in wanted.limits.items():
        number = _LIMITS.get(name)
        own = None if number is None else resource.getrlimit(number)
        if number is None or own is None or own == (soft, hard):
            continue
        try:
            resource.setrlimit(number, (lower_limit(soft, own[1]), own[1]))  # a hard limit that is lowered stays so
        except (OSError, ValueError) as error:
            refused.append(f"{name}: {error}")
        if own[1] != hard:
            refused.append(f"{name}: its hard limit stays {own[1]}, not {hard}")
    try:
        os.sched_setaffinity(0, wanted.cpus)
        os.setpriority(os.PRIO_PROCESS, 0, wanted.priority)
    except OSError as error:
        refused.append(f"priority or processors: {error.strerror}")
    return refused


def current_umask() -> int:
    """The umask, as /proc shows it: os.umask() would have to set it, under the eyes of other threads."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1], 8) for line in lines if line.startswith("Umask:"))


def _text(value: bytes) -> str:
    return value.decode("latin-1")
