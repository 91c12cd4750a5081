"""Whether what an executor class says of itself is what the contract has it say."""

import typing
from collections.abc import Mapping

import attrs

from jobmon.plugins.executor import Executor
from jobmon.plugins.records import Placement, Support
from jobmon.plugins.resources import CORE_KEYS
from jobmon.states.evidence import Reporting


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
        "exit_map": ("a mapping of exit statuses to exit statuses", _is_exit_map(cls.exit_map)),
    }
    return [f"{name} is {getattr(cls, name)!r}, not {what}" for name, (what, good) in must_be.items() if not good]


# A plugin may have put anything there.


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isidentifier() and value == value.lower()


def _is_record(value: object) -> bool:
    if not isinstance(value, type) or not attrs.has(value):
        return False
    try:
        typing.get_type_hints(value)
    except (NameError, TypeError, SyntaxError):
        return False
    return True


def _is_support(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) <= set(CORE_KEYS)
        and all(isinstance(support, Support) for support in value.values())
    )


def _is_exit_map(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        type(status) is int and 0 <= status <= 255 for pair in value.items() for status in pair
    )
