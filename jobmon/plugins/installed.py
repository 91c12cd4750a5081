"""Executor types that are installed and not disabled."""

import os
from collections.abc import Callable, Iterable

from jobmon.plugins.metadata import Found, InstalledType, read_path

__all__ = ["DISABLE_VARIABLE", "Find", "InstalledType", "brought_by", "by_name", "disabled", "enabled", "read_path"]

DISABLE_VARIABLE = "JOBMON_DISABLE_PLUGINS"

Find = Callable[[], Found]


def disabled() -> frozenset[str]:
    """The types that JOBMON_DISABLE_PLUGINS blocks: names, with commas between them."""
    return frozenset(name.strip() for name in os.environ.get(DISABLE_VARIABLE, "").split(",")) - {""}


def enabled(find: Find = read_path) -> Found:
    """Types by name, and faults, without those that are disabled."""
    blocked, found = disabled(), find()
    types = [one for one in found.types if one.name not in blocked]
    return Found(sorted(types, key=lambda one: one.name), [one for one in found.faults if one.type not in blocked])


def by_name(types: Iterable[InstalledType]) -> dict[str, list[InstalledType]]:
    """A type with more than one has several distributions."""
    named: dict[str, list[InstalledType]] = {}
    for one in types:
        named.setdefault(one.name, []).append(one)
    return named


def brought_by(types: Iterable[InstalledType]) -> str:
    """What is wrong when several distributions bring one type."""
    found = list(types)
    both = " and ".join(sorted(str(one) for one in found))
    return f"executor type {found[0].name!r} is brought by {both}: uninstall all but one"
