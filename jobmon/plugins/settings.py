"""Typed settings from plain tables: an attrs class tells which keys there are, of which type, with which default."""

import difflib
import typing
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import msgspec

HELP = "jobmon_help"  #: the key of a field's help in its metadata


@attrs.frozen
class NoSettings:
    """An executor, or its resources, without keys of their own."""


def setting(
    default: Any = attrs.NOTHING,
    *,
    help: str,  # noqa: A002 - the word that authors look for
    factory: Callable[[], Any] | None = None,
    validator: Callable[[Any, Any, Any], None] | None = None,
    converter: Callable[[Any], Any] | None = None,
) -> Any:
    """A field of an attrs class of settings or resources, with the words that `jobmon executors show` prints of it.

    Without `default` and `factory` it must be given. `validator` and `converter` are those of `attrs.field`.
    """
    if factory is not None:
        default = attrs.Factory(factory)
    return attrs.field(default=default, validator=validator, converter=converter, metadata={HELP: help})


def build(settings_type: type, table: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """An instance of the attrs class from a table, and what is wrong with it; the instance is None if anything is.

    Each value is converted strictly to the type of its field, then the class's own converters and validators run.
    """
    hints = typing.get_type_hints(settings_type)
    fields = {field.name: field for field in attrs.fields(settings_type) if field.init}
    problems, values = [], {}
    for key, value in table.items():
        if key not in fields:
            close = difflib.get_close_matches(key, fields, 1)
            known = f"there are {', '.join(sorted(fields))}" if fields else "there are none"
            problems.append(f"unknown setting {key!r}; " + (f"did you mean {close[0]!r}?" if close else known))
            continue
        if fields[key].converter is not None:
            values[key] = value
            continue
        try:
            values[key] = msgspec.convert(value, hints[key])
        except msgspec.ValidationError as error:
            problems.append(f"{key} = {value!r}: {error}")
    missing = [n for n, f in fields.items() if f.default is attrs.NOTHING and n not in table]
    problems.extend(f"setting {name!r} is missing" for name in missing)
    if problems:
        return None, problems
    try:
        return settings_type(**values), []
    except (TypeError, ValueError) as error:
        return None, [str(error)]
    except (Exception, SystemExit) as error:  # noqa: BLE001 - of the class's own validators and factories
        return None, [f"{type(error).__name__}: {error}"]
