"""`jobmon executors`: what is installed, and what jobmon.toml makes of it. Listing imports no plugin, and little."""

import os
from typing import Any

import click

from jobmon.cli.exits import Exit
from jobmon.cli.output import Column, json_option, print_json, print_table, printable
from jobmon.whereabouts import working_folder


@click.group(invoke_without_command=True, short_help="List installed executor types and the executors of jobmon.toml.")
@click.option(
    "--load", is_flag=True, help="Import each type, each in a process of its own; shows its contract version or error."
)
@click.option("--traceback", is_flag=True, help="With --load: print the traceback of each type that fails.")
@json_option
@click.pass_context
def executors(ctx: click.Context, load: bool, traceback: bool, as_json: bool) -> int:
    """List installed executor types, from the metadata of packages (nothing is imported), and executors of jobmon.toml.

    Metadata that cannot be read is listed by file, and disturbs no other type. With --load the exit code is 1 when a
    type cannot be used.
    """
    if ctx.invoked_subcommand is not None:
        return Exit.OK
    from jobmon.plugins.installed import disabled

    types, faults = _installed()
    if load or traceback:
        _load_each(types)
    broken = [row for row in types if row.get("error")]
    named = _configured()
    if as_json:
        print_json({"types": types, "faults": faults, "executors": named, "disabled": sorted(disabled())})
        return Exit.FAILED if broken else Exit.OK
    error = [Column("error", wraps=True)] if broken or load or traceback else []
    place = [Column("from", importance=1, least=12, soft=True)]
    columns: list[Column | str]
    columns = ["type", "distribution", "version", *(["contract"] if load or traceback else []), *place, *error]
    print_table(columns, types, empty="no executor type is installed: pip install jobmon-executor-multiprocess")
    if faults:
        click.echo("\nmetadata that cannot be used (install these distributions again, or remove what is left of them)")
        print_table(["type", "problem", "file"], faults, empty="")
    if named:
        click.echo()
        rows = [row | {"settings": _settings(row["settings"]), "host": _settings(row["host"])} for row in named]
        print_table(
            ["executor", "type", Column("host", least=12, soft=True), Column("settings", wraps=True)], rows, empty=""
        )
    if disabled():
        click.echo(f"JOBMON_DISABLE_PLUGINS blocks {', '.join(sorted(disabled()))}", err=True)
    if traceback:
        for row in broken:
            click.echo(f"\n{row['type']}:\n{row.get('traceback') or row['error']}", err=True)
    return Exit.FAILED if broken else Exit.OK


@executors.command(short_help="Show the settings and resources of an executor type.")
@click.argument("name")
@click.option("--traceback", is_flag=True, help="Print the traceback too, if it cannot be used.")
@json_option
def show(name: str, traceback: bool, as_json: bool) -> int:
    """Show what the installed executor type NAME declares: settings and resources with types, defaults and help.

    Its plugin is imported, no other.
    """
    from jobmon.cli.type_help import as_data, print_type, type_help
    from jobmon.errors import PluginError

    try:
        installed, declared = type_help(name)
    except PluginError:
        if traceback:
            import traceback as formatting

            click.echo(formatting.format_exc(), err=True)
        raise
    if as_json:
        print_json(as_data(installed, declared))
    else:
        print_type(installed, declared)
    return Exit.OK


def _installed() -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """A row for each installed type, with an error where several distributions bring it; and one for each fault."""
    from jobmon.plugins.installed import brought_by, by_name, enabled

    found = enabled()
    types = [
        {"type": one.name, "distribution": one.distribution, "version": one.version, "from": one.location}
        | ({"error": brought_by(same)} if len(same) > 1 else {})
        for same in by_name(found.types).values()
        for one in same
    ]
    return types, [one._asdict() for one in found.faults]


def _settings(table: dict[str, Any]) -> str:
    return ", ".join(f"{key} = {printable(value)}" for key, value in table.items())


def _configured() -> list[dict[str, Any]]:
    """The executors of jobmon.toml, without loading their types. The configuration is read only where there is any."""
    from jobmon.config.places import any_source

    if not any_source(working_folder(), os.environ):
        return []
    from jobmon.config import load_config

    config = load_config(working_folder(), os.environ)
    return [
        {"executor": name, "type": e.type, "settings": dict(e.settings), "host": dict(e.host)}
        for name, e in config.executors.items()
    ]


def _load_each(types: list[dict[str, Any]]) -> None:
    """Import each type and note its contract version or error in its row."""
    from jobmon.cli.probe import probe

    findings = {name: probe(name) for name in {row["type"] for row in types}}
    for row in types:
        row.update(findings[row["type"]])
