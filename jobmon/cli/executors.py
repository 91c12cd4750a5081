"""`jobmon executors`: what is installed, and what jobmon.toml makes of it."""

import os
from pathlib import Path
from typing import Any

import click

from jobmon.cli.exits import Exit
from jobmon.cli.output import json_option, print_json, print_table, printable


@click.command(short_help="List installed executor types and the executors of jobmon.toml.")
@click.option(
    "--load", is_flag=True, help="Import each type, each in a process of its own; shows its contract version or error."
)
@click.option("--traceback", is_flag=True, help="With --load: print the traceback of each type that fails.")
@json_option
def executors(load: bool, traceback: bool, as_json: bool) -> int:
    """List installed executor types, from the metadata of packages (nothing is imported), and executors of jobmon.toml.

    With --load the exit code is 1 when a type cannot be used.
    """
    from jobmon.plugins.registry import Registry

    types: list[dict[str, Any]] = [
        {"type": t.name, "distribution": t.distribution, "version": t.version, "from": t.location}
        for t in Registry().installed()
    ]
    broken = _add_loaded(types) if load or traceback else []
    named = _configured()
    if as_json:
        print_json({"types": types, "executors": named})
        return Exit.FAILED if broken else Exit.OK
    columns = ["type", "distribution", "version", *(["contract", "error"] if load or traceback else []), "from"]
    print_table(columns, types, empty="no executor type is installed: pip install jobmon-executor-multiprocess")
    if named:
        click.echo()
        rows = [row | {"settings": _settings(row["settings"]), "host": _settings(row["host"])} for row in named]
        print_table(["executor", "type", "settings", "host"], rows, empty="")
    if traceback:
        for row in broken:
            click.echo(f"\n{row['type']}:\n{row['traceback']}", err=True)
    return Exit.FAILED if broken else Exit.OK


def _settings(table: dict[str, Any]) -> str:
    return ", ".join(f"{key} = {printable(value)}" for key, value in table.items())


def _configured() -> list[dict[str, Any]]:
    """The executors of jobmon.toml, without loading their types. The configuration is read only where there is any."""
    from jobmon.config import load_config

    config = load_config(Path.cwd(), os.environ)
    return [
        {"executor": name, "type": e.type, "settings": dict(e.settings), "host": dict(e.host)}
        for name, e in config.executors.items()
    ]


def _add_loaded(types: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Import each type and note its contract version or error in its row; returns the rows of those that failed."""
    from jobmon.cli.probe import probe

    findings = {name: probe(name) for name in {row["type"] for row in types}}
    for row in types:
        row.update(findings[row["type"]])
    return [row for row in types if row["error"] is not None]
