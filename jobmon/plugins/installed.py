"""Executor types that are installed, from the metadata of distributions alone: nothing of theirs is imported.

Neither is anything else of Jobmon that takes long, so that `jobmon executors` answers at once.
"""

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from importlib_metadata import EntryPoint, entry_points

GROUP = "jobmon.executors"
DISABLE_VARIABLE = "JOBMON_DISABLE_PLUGINS"

Find = Callable[[], Iterable[EntryPoint]]


class InstalledType(NamedTuple):
    """An installed executor type."""

    name: str
    distribution: str
    version: str
    module: str
    location: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def all_entry_points() -> Iterable[EntryPoint]:
    """The entry points of every distribution on the path."""
    return entry_points(group=GROUP)


def disabled() -> frozenset[str]:
    """The types that JOBMON_DISABLE_PLUGINS blocks: names, with commas between them."""
    return frozenset(name.strip() for name in os.environ.get(DISABLE_VARIABLE, "").split(",")) - {""}


def enabled_entries(find: Find = all_entry_points) -> dict[str, list[EntryPoint]]:
    """Entry points by type, without those that are disabled; a type with more than one has several distributions."""
    blocked = disabled()
    found: dict[str, list[EntryPoint]] = {}
    for entry in find():
        if entry.name not in blocked:
            found.setdefault(entry.name, []).append(entry)
    return dict(sorted(found.items()))


def describe_entry(entry: EntryPoint) -> InstalledType:
    """What the metadata says of the distribution that brings it."""
    dist = entry.dist
    if dist is None:
        return InstalledType(entry.name, "unknown", "?", entry.module, "?")
    return InstalledType(entry.name, dist.name, dist.version, entry.module, str(dist.locate_file("")))


def installed_types(find: Find = all_entry_points) -> list[InstalledType]:
    """Every installed type that is not disabled, one row per distribution that brings it."""
    return [describe_entry(entry) for entries in enabled_entries(find).values() for entry in entries]


def brought_by(types: Iterable[InstalledType]) -> str:
    """What is wrong when several distributions bring one type."""
    found = list(types)
    both = " and ".join(sorted(str(one) for one in found))
    return f"executor type {found[0].name!r} is brought by {both}: uninstall all but one"
