"""Whether a class of settings or resources can be filled from a plain table, and has defaults that are what it says."""

import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any

import attrs
import msgspec

from jobmon.plugins.wording import said, shown

_COLLECTIONS = (list, tuple, dict, set, frozenset)
#: What the settings and resources classes may raise when their values do not go together.
_REFUSALS = (TypeError, ValueError)


def wrong_fields(record: object, kept: frozenset[str] = frozenset()) -> list[str]:
    """What is wrong with the class, a phrase each. Fields named as one of `kept` could never be set."""
    if not isinstance(record, type) or not attrs.has(record):
        return [f"is {shown(record)}, not an attrs class"]
    try:
        hints = typing.get_type_hints(record, include_extras=True)
    except Exception as error:  # noqa: BLE001 - annotations may be anything, and anything may be asked of them
        return [f"has a type that cannot be resolved: {said(error)}"]
    settable = [field for field in attrs.fields(record) if field.init]
    wrong = [fault for field in settable for fault in _wrong_field(field, hints, kept)]
    return wrong or list(_wrong_defaults(record, settable, hints))


def _wrong_field(field: Any, hints: dict[str, Any], kept: frozenset[str]) -> Iterator[str]:
    name = field.name
    if name in kept:
        yield f"has a field {name!r}, which every executor's table in jobmon.toml has; name it otherwise"
    if field.alias != name:
        yield f"has a field {name!r} that is set as {field.alias!r}; give it one name, without a leading underscore"
    if name not in hints:
        yield f"has a field {name!r} without a type; write it as {name}: TYPE"
    elif field.converter is None and (strange := _unreadable(hints[name])):
        yield f"has a field {name!r} of a type that no table can give ({strange}); give it a converter, or another type"


def _unreadable(hint: Any) -> str:
    """What of a type cannot come from a table; empty: nothing."""
    try:
        return next(_strangers(msgspec.inspect.type_info(hint), set()), "")
    except Exception as error:  # noqa: BLE001 - it looks into classes of the plugin
        return said(error)


def _strangers(part: Any, seen: set[int]) -> Iterator[str]:
    """The classes within a type that msgspec knows nothing of."""
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, msgspec.inspect.CustomType):
        yield shown(part.cls)
    elif isinstance(part, tuple):
        for one in part:
            yield from _strangers(one, seen)
    elif isinstance(part, msgspec.inspect.Type | msgspec.inspect.Field):
        for name in part.__struct_fields__:
            yield from _strangers(getattr(part, name), seen)


def _wrong_defaults(record: Any, settable: list[Any], hints: dict[str, Any]) -> Iterator[str]:
    """Defaults that cannot be made, or are of another type. Refusing its own defaults is a class's right."""
    required = [field.name for field in settable if field.default is attrs.NOTHING]
    whole = None
    if not required:
        try:
            whole = record()
        except _REFUSALS:
            pass
        except (Exception, SystemExit) as error:  # noqa: BLE001 - it is the plugin's
            yield f"cannot be made of its defaults: {said(error)}"
            return
    for field in settable:
        try:
            known, value = (True, getattr(whole, field.name)) if whole is not None else _default(field)
        except (Exception, SystemExit) as error:  # noqa: BLE001
            yield f"cannot make the default of {field.name!r}: {said(error)}"
            continue
        if known and (problem := _misfit(value, hints[field.name])):
            yield f"has a default of {field.name!r}, {shown(value)}, that is not of its type: {problem}"


def _default(field: Any) -> tuple[bool, Any]:
    """Whether the default of a field can be known by itself, and which it is."""
    default = field.default
    if default is attrs.NOTHING or field.converter is not None:
        return False, None
    if not isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return True, default
    return (False, None) if default.takes_self else (True, default.factory())


def _misfit(value: Any, hint: Any) -> str:
    """Why a value is not of a type; empty: it is, or nobody can tell."""
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        if isinstance(value, (Enum, *_COLLECTIONS)) and _fits(value, hint):
            return ""
        return said(error).removeprefix("ValidationError: ")
    except Exception:  # noqa: BLE001 - a type of a field with a converter may be any
        return ""
    return ""


def _fits(value: Any, hint: Any) -> bool:
    """Members of enumerations are taken by their values alone."""
    try:
        msgspec.convert(msgspec.to_builtins(value), hint)
    except Exception:  # noqa: BLE001
        return False
    return True
