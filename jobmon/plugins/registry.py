"""Loads executor types one by one, when first used. Nobody else touches pluggy."""

import difflib
import functools
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import pluggy
from importlib_metadata import version as metadata_version

from jobmon.errors import PluginError, PluginIncompatible, UnknownExecutor
from jobmon.plugins import hookspecs
from jobmon.plugins.contracts import SPOKEN, Contract, contract_of, what_to_install, words
from jobmon.plugins.declared import wrong_declarations
from jobmon.plugins.executor import Executor
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
from jobmon.plugins.wording import cut, said, shown


class Registry:
    """The installed executor types."""

    def __init__(self, find: Find = read_path, *, try_first: bool = True, spoken: Sequence[Contract] = SPOKEN) -> None:
        self._find, self._try_first, self._spoken = find, try_first, spoken
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
            raise PluginError(f"{who} cannot be imported: {self._what_failed(error, installed)}") from error
        cls = self._adapted(_class_of(name, _types_of(module, who), who), installed, who)
        if wrong := wrong_declarations(cls):
            raise PluginError(f"{who}: its class {cls.__name__} declares what cannot be: {'; '.join(wrong)}")
        return cls

    def _adapted(self, cls: type[Executor], installed: InstalledType, who: str) -> type[Executor]:
        """The class as the host's own contract has it, whichever it was written for."""
        version = _version_of(cls, who)
        contract = contract_of(version, self._spoken)
        if contract is None:
            what = what_to_install(
                version,
                self._spoken,
                distribution=installed.distribution,
                installed=installed.version,
                jobmon=metadata_version("jobmon"),
            )
            raise PluginIncompatible(
                f"{who} was written for contract {version[0]}.{version[1]}; this {self._this_jobmon()}. {what}"
            )
        return cls if contract.adapt is None else contract.adapt(cls)

    def _this_jobmon(self) -> str:
        return f"jobmon {metadata_version('jobmon')} speaks {words(self._spoken)}"

    def _what_failed(self, error: BaseException, installed: InstalledType) -> str:
        told = said(error)
        if not isinstance(error, ImportError) or error.name is None:
            return told
        if error.name == "jobmon.plugins":
            return (
                f"{told}. This {self._this_jobmon()}, where there is no such name: "
                f"upgrade jobmon, or install an older {installed.distribution}"
            )
        if isinstance(error, ModuleNotFoundError) and error.name.split(".")[0] != installed.module.split(".")[0]:
            return f"{told}. A package that it needs is missing; to bring it: pip install {installed.distribution}"
        return told

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


def _types_of(module: object, who: str) -> list[object]:
    manager = pluggy.PluginManager("jobmon")
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module)
        answers = manager.hook.jobmon_executor_types()
    except Exception as error:
        raise PluginError(f"{who}: its hook jobmon_executor_types fails: {said(error)}") from error
    if len(answers) != 1 or not isinstance(answers[0], list):
        raise PluginError(f"{who}: its module must have one hook jobmon_executor_types that returns a list of classes")
    return answers[0]


def _class_of(name: str, types: list[object], who: str) -> type[Executor]:
    """The one class among them that is named as the entry point."""
    named = []
    for cls in types:
        if not (isinstance(cls, type) and issubclass(cls, Executor)):
            raise PluginError(
                f"{who}: jobmon_executor_types returned {shown(cls)}, which is no class derived from Executor"
            )
        if getattr(cls, "name", None) == name:
            named.append(cls)
    if len(named) == 1:
        return named[0]
    if named:
        both = " and ".join(cls.__qualname__ for cls in named)
        raise PluginError(f"{who}: jobmon_executor_types returned several classes of that name: {both}")
    names = ", ".join(shown(getattr(cls, "name", cls)) for cls in types) or "none"
    raise PluginError(f"{who}: its entry point is named {name!r}, but jobmon_executor_types returned {cut(names)}")


def _version_of(cls: type[Executor], who: str) -> tuple[int, int]:
    """The version of the contract that a class was written for."""
    stated: object = getattr(cls, "api_version", None)
    if isinstance(stated, tuple) and len(stated) == 2 and all(type(part) is int and part >= 0 for part in stated):
        return stated
    raise PluginError(f"{who}: api_version is {shown(stated)}; it must be a pair of whole numbers, (major, minor)")
