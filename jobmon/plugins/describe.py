"""An executor type described for people and programs, from what its class declares. Nothing is run."""

import re
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any

import attrs
import msgspec

from jobmon.plugins.executor import Executor
from jobmon.plugins.records import Support
from jobmon.plugins.resources import CORE_KEYS
from jobmon.plugins.settings import HELP


@attrs.frozen
class FieldHelp:
    """One setting or resource."""

    name: str
    type: str  #: as it is written in Python, without the names of modules
    required: bool
    default: Any  #: a JSON value; of no meaning where it is required
    help: str


@attrs.frozen
class TypeHelp:
    """An executor type."""

    name: str
    about: str  #: the first line of its class's docstring
    contract: str
    settings: list[FieldHelp]
    resources: list[FieldHelp]  #: its own, beside the core's
    core_resources: Mapping[str, Support]
    capabilities: Mapping[str, str | bool]


def describe_type(cls: type[Executor]) -> TypeHelp:
    """What a type declares."""
    about = (cls.__doc__ or "").strip().splitlines()
    return TypeHelp(
        name=cls.name,
        about=about[0].strip() if about and cls.__doc__ != Executor.__doc__ else "",
        contract=f"{cls.api_version[0]}.{cls.api_version[1]}",
        settings=describe(cls.settings_type),
        resources=describe(cls.resources_type),
        core_resources={key: cls.core_resources.get(key, Support.IGNORED) for key in CORE_KEYS},
        capabilities={
            "reporting": str(cls.reporting),
            "placement": str(cls.placement),
            "exclusive": cls.exclusive,
            "find": cls.find is not Executor.find,
            "arrays": cls.submit_array is not Executor.submit_array,
        },
    )


def describe(settings_type: type) -> list[FieldHelp]:
    """The fields of a class of settings or resources, in order."""
    hints = typing.get_type_hints(settings_type)
    return [
        FieldHelp(
            field.name,
            _type(hints[field.name]),
            field.default is attrs.NOTHING,
            _default(field.default),
            str(field.metadata.get(HELP, "")),
        )
        for field in attrs.fields(settings_type)
        if field.init
    ]


def _type(hint: Any) -> str:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " | ".join(repr(member.value) for member in hint)
    text = hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
    return re.sub(r"\b(?:\w+\.)+", "", text)


def _default(default: Any) -> Any:
    if default is attrs.NOTHING:
        return None
    value = default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        if default.takes_self:
            return "made from the others"
        value = default.factory()
    return msgspec.to_builtins(value, str_keys=True, enc_hook=str)
