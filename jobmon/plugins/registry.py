"""Executor types that are installed: found by their entry points, loaded one by one when first used.

Listing reads metadata alone and imports nothing. Nobody but `Registry` touches pluggy.
"""

import difflib
import os
from collections.abc import Callable, Iterable

import attrs
import pluggy
from importlib_metadata import EntryPoint, entry_points

from jobmon.errors import PluginError, PluginIncompatible, UnknownExecutor
from jobmon.plugins import hookspecs
from jobmon.plugins.executor import CONTRACT_VERSION, Executor

GROUP = "jobmon.executors"
DISABLE_VARIABLE = "JOBMON_DISABLE_PLUGINS"


@attrs.frozen
class InstalledType:
    """An installed executor type, from metadata alone."""

    name: str
    distribution: str
    version: str
    module: str
    location: str


def _entry_points() -> Iterable[EntryPoint]:
    return entry_points(group=GROUP)


class Registry:
    """The installed executor types."""

    def __init__(self, find: Callable[[], Iterable[EntryPoint]] = _entry_points) -> None:
        self._find = find
        self._loaded: dict[str, type[Executor]] = {}

    def entries(self) -> dict[str, list[EntryPoint]]:
        """Entry points by type name; a name with more than one belongs to several distributions."""
        disabled = {name.strip() for name in os.environ.get(DISABLE_VARIABLE, "").split(",")}
        found: dict[str, list[EntryPoint]] = {}
        for entry in self._find():
            if entry.name not in disabled and entry not in found.get(entry.name, []):
                found.setdefault(entry.name, []).append(entry)
        return dict(sorted(found.items()))

    def installed(self) -> list[InstalledType]:
        """Every installed type, one row per distribution that brings it."""
        return [_describe(entry) for entries in self.entries().values() for entry in entries]

    def load(self, name: str) -> type[Executor]:
        """The class of a type.

        Raises:
            UnknownExecutor: no such type is installed.
            PluginError: its plugin fails to import or does not keep the contract.
            PluginIncompatible: it was written for another version of the contract.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> type[Executor]:
        entries = self.entries()
        if name not in entries:
            close = difflib.get_close_matches(name, entries, 1)
            raise UnknownExecutor(
                f"executor type {name!r} is not installed; installed types: {', '.join(entries) or 'none'}"
                + (f". Did you mean {close[0]!r}?" if close else "")
            )
        if len(entries[name]) > 1:
            both = " and ".join(f"{t.distribution} {t.version}" for t in map(_describe, entries[name]))
            raise PluginError(f"executor type {name!r} is brought by {both}: uninstall all but one")
        entry = entries[name][0]
        who = f"executor type {name!r} ({_describe(entry).distribution} {_describe(entry).version})"
        try:
            module = entry.load()
        except Exception as error:
            raise PluginError(f"{who} cannot be imported: {type(error).__name__}: {error}") from error
        return _checked(name, who, _types_of(module, who))


def _types_of(module: object, who: str) -> list[object]:
    manager = pluggy.PluginManager("jobmon")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module)
        answers = manager.hook.jobmon_executor_types()
    except Exception as error:
        raise PluginError(f"{who}: its hook jobmon_executor_types fails: {type(error).__name__}: {error}") from error
    if len(answers) != 1 or not isinstance(answers[0], list):
        raise PluginError(f"{who}: its module must have one hook jobmon_executor_types that returns a list of classes")
    return answers[0]


def _checked(name: str, who: str, types: list[object]) -> type[Executor]:
    for cls in types:
        if not (isinstance(cls, type) and issubclass(cls, Executor)):
            raise PluginError(f"{who}: jobmon_executor_types returned {cls!r}, which is no class derived from Executor")
        if getattr(cls, "name", None) == name:
            _check_version(cls, who)
            return cls
    names = ", ".join(repr(getattr(cls, "name", cls)) for cls in types) or "none"
    raise PluginError(f"{who}: its entry point is named {name!r}, but jobmon_executor_types returned {names}")


def _check_version(cls: type[Executor], who: str) -> None:
    version = getattr(cls, "api_version", None)
    if not (isinstance(version, tuple) and len(version) == 2 and all(isinstance(part, int) for part in version)):
        raise PluginError(f"{who}: api_version is {version!r}; it must be a pair of whole numbers, (major, minor)")
    major, minor = CONTRACT_VERSION
    if version[0] != major or version[1] > minor:
        newer = version > CONTRACT_VERSION
        raise PluginIncompatible(
            f"{who} was written for contract {version[0]}.{version[1]}; "
            f"this jobmon speaks {major}.0 to {major}.{minor}. "
            + ("Upgrade jobmon, or install an older version of the plugin." if newer else "Upgrade the plugin.")
        )


def _describe(entry: EntryPoint) -> InstalledType:
    dist = entry.dist
    if dist is None:
        return InstalledType(entry.name, "unknown", "?", entry.module, "?")
    return InstalledType(entry.name, dist.name, dist.version, entry.module, str(dist.locate_file("")))
