"""How commands print: a table for people, plain lines for pipes, JSON for programs."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from jobmon.client.printing import printable

__all__ = ["json_option", "print_json", "print_table", "printable"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def print_json(value: Any) -> None:
    """One JSON document on standard output; attrs records become objects."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    click.echo(text.decode())


def print_table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], *, empty: str) -> None:
    """A row per mapping, `columns` in order; `empty` is said on standard error when there is none."""
    if not rows:
        click.echo(empty, err=True)
        return
    cells = [[printable(row.get(column)) for column in columns] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, cells)
        return
    widths = [max(len(line[i]) for line in [list(columns), *cells]) for i in range(len(columns))]
    for line in [list(columns), *cells]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_rich(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in cells:
        table.add_row(*[Text(cell) for cell in line])
    Console().print(table)
