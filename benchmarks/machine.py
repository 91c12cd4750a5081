"""What the figures depend on: the processor, the disk, the versions, and what else is going on."""

import os
import platform
import sqlite3
import statistics
import time
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import Any

_PACKAGES = ("jobmon", "msgspec", "requests", "sqlalchemy", "starlette", "uvicorn", "uvloop", "httptools")


@cache
def machine(folder: Path) -> Mapping[str, Any]:
    """The machine, and the disk that holds `folder`, with the milliseconds of one `fdatasync` of 100 new bytes, and of
    making one file: where many were deleted of late, ext4 is slow at that (see `benchmarks.scratch.all_scratch`).
    """
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": _field(Path("/proc/cpuinfo"), "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 1e9, 1),
        "kernel": platform.release(),
        "file_system": _file_system(folder),
        "fdatasync_ms": round(_fdatasync_ms(folder), 3),
        "file_creation_ms": round(_file_creation_ms(folder), 3),
    }


def python() -> str:
    """The interpreter's version."""
    return platform.python_version()


def versions() -> Mapping[str, str]:
    """Versions of what takes part."""
    return {package: version(package) for package in _PACKAGES} | {"sqlite": sqlite3.sqlite_version}


def load() -> float:
    """The machine's load of the last minute."""
    return round(os.getloadavg()[0], 2)


def _field(path: Path, name: str) -> str:
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "unknown")


def _file_system(folder: Path) -> str:
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(where, kind) for where, kind in mounts if folder.resolve().is_relative_to(where)]
    return max(above, key=lambda mount: len(mount[0]))[1]


def _fdatasync_ms(folder: Path) -> float:
    costs = []
    with TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(200):
            file.write(b"x" * 100)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            costs.append(time.perf_counter() - began)
    return statistics.median(costs) * 1e3


def _file_creation_ms(folder: Path) -> float:
    costs = []
    inside = Path(mkdtemp(dir=folder))
    for number in range(200):
        began = time.perf_counter()
        os.close(os.open(inside / str(number), os.O_WRONLY | os.O_CREAT, 0o600))
        costs.append(time.perf_counter() - began)
    return statistics.median(costs) * 1e3
