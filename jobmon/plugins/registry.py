"""Loads executor types one by one, when first used. Nobody else touches pluggy."""

import difflib
import functools
from importlib import import_module
from typing import NoReturn

import pluggy
from importlib_metadata import version

from jobmon.errors import PluginError, PluginIncompatible, UnknownExecutor
from jobmon.plugins import hookspecs
from jobmon.plugins.declared import wrong_declarations
from jobmon.plugins.executor import CONTRACT_VERSION, Executor
from jobmon.plugins.installed import (
    DISABLE_VARIABLE,
    Find,
    InstalledType,
    brought_by,
    by_name,
    disabled,
    enabled,
)
from jobmon.plugins.metadata import Found, lost, read_path
from jobmon.plugins.trial import refuse_harm


class Registry:
    """The installed executor types."""

    def __init__(self, find: Find = read_path, *, try_first: bool = True) -> None:
        self._find, self._try_first = find, try_first
        self._loaded: dict[str, type[Executor]] = {}

    @functools.cached_property
    def _found(self) -> Found:
        return enabled(self._find)

    def installed(self) -> list[InstalledType]:
        """Every type that can be loaded, as far as metadata tell; one row per distribution that brings it."""
        return self._found.types

    def names(self) -> list[str]:
        """The names of those types."""
        return list(by_name(self._found.types))

    def knows(self, name: str) -> bool:
        """Whether `load` has more to say of it than that it is not installed."""
        return name in self.names() or bool(lost(self._found.faults, name))

    def load(self, name: str) -> type[Executor]:
        """The class of a type.

        Raises:
            UnknownExecutor: no such type is installed, or it is disabled.
            PluginError: its plugin fails to import or does not keep the contract.
            PluginIncompatible: it was written for another version of the contract.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> type[Executor]:
        if name in disabled():
            raise UnknownExecutor(f"executor type {name!r} is disabled: {DISABLE_VARIABLE} names it")
        types = by_name(self._found.types)
        if name not in types:
            self._refuse(name, list(types))
        if len(types[name]) > 1:
            raise PluginError(brought_by(types[name]))
        installed = types[name][0]
        who = f"executor type {name!r} ({installed})"
        if self._try_first:
            refuse_harm(installed)
        try:
            module: object = import_module(installed.module)
            for part in filter(None, installed.attribute.split(".")):
                module = getattr(module, part)
        except (Exception, SystemExit) as error:
            raise PluginError(f"{who} cannot be imported: {_what_failed(error, installed)}") from error
        return _checked(name, installed, _types_of(module, who))

    def _refuse(self, name: str, types: list[str]) -> NoReturn:
        if fault := lost(self._found.faults, name):
            raise PluginError(
                f"executor type {name!r} cannot be used, as its distribution is damaged: {fault}. "
                "Install it again, or remove what is left of it"
            )
        close = difflib.get_close_matches(name, types, 1)
        raise UnknownExecutor(
            f"executor type {name!r} is not installed; installed types: {', '.join(types) or 'none'}"
            + (f". Did you mean {close[0]!r}?" if close else "")
        )


def _what_failed(error: BaseException, installed: InstalledType) -> str:
    said = f"{type(error).__name__}: {error}"
    if not isinstance(error, ImportError) or error.name is None:
        return said
    if error.name == "jobmon.plugins":
        return (
            f"{said}. This {_this_jobmon()}, where there is no such name: "
            f"upgrade jobmon, or install an older {installed.distribution}"
        )
    if isinstance(error, ModuleNotFoundError) and error.name.split(".")[0] != installed.module.split(".")[0]:
        return f"{said}. A package that it needs is missing; to bring it: pip install {installed.distribution}"
    return said


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


def _checked(name: str, installed: InstalledType, types: list[object]) -> type[Executor]:
    who = f"executor type {name!r} ({installed})"
    for cls in types:
        if not (isinstance(cls, type) and issubclass(cls, Executor)):
            raise PluginError(f"{who}: jobmon_executor_types returned {cls!r}, which is no class derived from Executor")
        if getattr(cls, "name", None) == name:
            _check_version(cls, who, installed.distribution)
            if wrong := wrong_declarations(cls):
                raise PluginError(f"{who}: its class {cls.__name__} declares what cannot be: {'; '.join(wrong)}")
            return cls
    names = ", ".join(repr(getattr(cls, "name", cls)) for cls in types) or "none"
    raise PluginError(f"{who}: its entry point is named {name!r}, but jobmon_executor_types returned {names}")


def _check_version(cls: type[Executor], who: str, distribution: str) -> None:
    spoken = getattr(cls, "api_version", None)
    if not (isinstance(spoken, tuple) and len(spoken) == 2 and all(type(part) is int for part in spoken)):
        raise PluginError(f"{who}: api_version is {spoken!r}; it must be a pair of whole numbers, (major, minor)")
    major, minor = CONTRACT_VERSION
    if spoken[0] == major and spoken[1] <= minor:
        return
    what_to_do = (
        f"Upgrade jobmon, or install an older {distribution}."
        if spoken > CONTRACT_VERSION
        else f"Upgrade {distribution}, or install an older jobmon."
    )
    raise PluginIncompatible(
        f"{who} was written for contract {spoken[0]}.{spoken[1]}; this {_this_jobmon()}. {what_to_do}"
    )


def _this_jobmon() -> str:
    major, minor = CONTRACT_VERSION
    speaks = f"{major}.{minor}" if minor == 0 else f"{major}.0 to {major}.{minor}"
    return f"jobmon {version('jobmon')} speaks {speaks}"
