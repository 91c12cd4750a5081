"""Whether what an executor class says of itself is what the contract has it say."""

import typing
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from jobmon.plugins.executor import Executor
from jobmon.plugins.records import Placement, Support
from jobmon.plugins.resources import CORE_KEYS
from jobmon.states.evidence import Reporting

_KEPT = frozenset({"type", "host"})  #: of the tables of executors, for the core


def wrong_declarations(cls: type[Executor]) -> list[str]:
    """What is wrong with the attributes of the class, a phrase each."""
    must_be = {
        "name": ("a lower-case identifier", _is_name(cls.name)),
        "settings_type": ("an attrs class with types that can be resolved", _is_record(cls.settings_type)),
        "resources_type": ("an attrs class with types that can be resolved", _is_record(cls.resources_type)),
        "reporting": ("a Reporting", isinstance(cls.reporting, Reporting)),
        "placement": ("a Placement", isinstance(cls.placement, Placement)),
        "exclusive": ("True or False", isinstance(cls.exclusive, bool)),
        "core_resources": (f"a mapping of {', '.join(CORE_KEYS)} to Support", _is_support(cls.core_resources)),
        "exit_map": ("a mapping of exit statuses other than 0 to such", _is_exit_map(cls.exit_map)),
    }
    wrong = [f"{name} is {getattr(cls, name)!r}, not {what}" for name, (what, good) in must_be.items() if not good]
    if not wrong:
        wrong += [f"settings_type {fault}" for fault in _faults(cls.settings_type, _KEPT)]
        wrong += [f"resources_type {fault}" for fault in _faults(cls.resources_type, frozenset())]
    return wrong


# A plugin may have put anything there.


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier() and value == value.lower()


def _is_record(value: object) -> bool:
    if not isinstance(value, type) or not attrs.has(value):
        return False
    try:
        typing.get_type_hints(value)
    except Exception:  # noqa: BLE001 - annotations may be anything, and anything may be asked of them
        return False
    return True


def _faults(record: Any, kept: frozenset[str]) -> Iterator[str]:
    """Fields that can never be set, and defaults that cannot be made."""
    for field in attrs.fields(record):
        if field.init and field.name in kept:
            yield f"has a field {field.name!r}, which every executor's table in jobmon.toml has; name it otherwise"
        factory = field.default
        if isinstance(factory, attrs.Factory) and not factory.takes_self:  # type: ignore[arg-type]
            try:
                factory.factory()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the plugin's
                yield f"cannot make the default of {field.name!r}: {type(error).__name__}: {error}"


def _is_support(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) <= set(CORE_KEYS)
        and all(isinstance(support, Support) for support in value.values())
    )


def _is_exit_map(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        type(status) is int and 1 <= status <= 255 for pair in value.items() for status in pair
    )
