"""What `jobmon executors show` prints of an executor type."""

import json
from collections.abc import Sequence
from typing import Any

import attrs
import click

from jobmon.cli.output import Column, print_table, printable
from jobmon.plugins.describe import FieldHelp, TypeHelp, describe_type
from jobmon.plugins.installed import InstalledType
from jobmon.plugins.registry import Registry


def type_help(name: str) -> tuple[InstalledType, TypeHelp]:
    """An installed type: the distribution that brings it, and what it declares.

    Raises:
        UnknownExecutor: no such type is installed.
        PluginError: it cannot be used.
    """
    registry = Registry()
    cls = registry.load(name)
    return next(one for one in registry.installed() if one.name == name), describe_type(cls)


def as_data(installed: InstalledType, declared: TypeHelp) -> dict[str, Any]:
    """All of it for `--json`."""
    declares = attrs.asdict(declared)
    where = {"distribution": installed.distribution, "version": installed.version, "from": installed.location}
    return {"type": declares.pop("name"), **where, **declares}


def print_type(installed: InstalledType, declared: TypeHelp) -> None:
    """All of it for people."""
    name = declared.name
    click.echo(f"{name}  {installed}, contract {declared.contract}")
    click.echo(printable(declared.about))
    _print_fields("setting", f'settings: [executors.NAME] with type = "{name}", in jobmon.toml', declared.settings)
    _print_fields("resource", f'its own resources: {{"{name}": {{...}}}} in those of a task', declared.resources)
    click.echo("\nthe core's resources")
    core = [{"resource": key, "support": str(support)} for key, support in declared.core_resources.items()]
    print_table(["resource", "support"], core, empty="")
    click.echo("\ncapabilities")
    can = [{"capability": key, "value": _yes_or(value)} for key, value in declared.capabilities.items()]
    print_table(["capability", "value"], can, empty="")


def _print_fields(word: str, title: str, fields: Sequence[FieldHelp]) -> None:
    click.echo(f"\n{title}" if fields else f"\n{title}: none")
    if fields:
        rows = [
            {
                word: field.name,
                "type": field.type,
                "default": "required" if field.required else _word(field.default),
                "help": field.help,
            }
            for field in fields
        ]
        print_table([word, "type", "default", Column("help", wraps=True)], rows, empty="")


def _yes_or(value: str | bool) -> str:
    return value if isinstance(value, str) else "yes" if value else "no"


def _word(value: Any) -> str:
    """A value as jobmon.toml has it; `none` for none, which it does not have."""
    return "none" if value is None else json.dumps(value)
