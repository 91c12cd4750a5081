"""How commands print: a table for people, plain lines for pipes, JSON for programs; long ones while they are read.

By `print`: click writes UTF-8 also where the user's locale or PYTHONIOENCODING say otherwise.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

import click

from jobmon.cli.columns import GAP, Column, fit, padded, width_of
from jobmon.client.printing import printable

__all__ = ["Column", "json_option", "print_json", "print_json_rows", "print_table", "printable"]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
_CHUNK = 500  # rows that are laid out, and written, together
_NARROWEST = 24  # a last column with less room than this does not wrap


def print_json(value: Any) -> None:
    """One JSON document on standard output; attrs records become objects."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    print(text.decode(), flush=True)


def print_json_rows(rows: Iterable[Any]) -> None:
    """A JSON list on standard output, an element a line, written while the rows come."""
    import msgspec

    encode = msgspec.json.Encoder().encode
    before = "[\n  "
    each = iter(rows)
    while chunk := list(islice(each, _CHUNK)):
        print(before + ",\n  ".join(encode(row).decode() for row in chunk), end="", flush=True)
        before = ",\n  "
    print("[]" if before.startswith("[") else "\n]")


def print_table(columns: Sequence[Column | str], rows: Iterable[Mapping[str, Any]], *, empty: str) -> None:
    """A row per mapping, `columns` in order; `empty` is said on standard error when there is none.

    In a terminal a table keeps to its width, and a long one goes through the program that PAGER names, if it is set.
    """
    each = iter(rows)
    first = list(islice(each, _CHUNK))
    if not first:
        click.echo(empty, err=True)
        return
    table = _Table([Column(column) if isinstance(column, str) else column for column in columns], first)
    chunks = chain([first], iter(lambda: list(islice(each, _CHUNK)), []))
    _write(chain.from_iterable(map(table.lines, chunks)))
    if table.left_out:
        click.echo(f"(no room for: {', '.join(table.left_out)}; --json has everything)", err=True)


class _Table:
    """The layout that the first rows call for; into a pipe, columns grow with what comes later."""

    def __init__(self, columns: Sequence[Column], first: Sequence[Mapping[str, Any]]) -> None:
        self._terminal = sys.stdout is not None and sys.stdout.isatty()
        self._room = shutil.get_terminal_size().columns
        self._ellipsis = "…" if "utf" in (getattr(sys.stdout, "encoding", None) or "").lower() else "..."
        cells = [[printable(row.get(column.name)) for column in columns] for row in first]
        heads = [column.name for column in columns]
        widths = [max(map(width_of, of_column)) for of_column in zip(heads, *cells, strict=True)]
        kept = list(range(len(columns)))
        if self._terminal:
            asked = [min(width, _NARROWEST) if c.wraps else width for c, width in zip(columns, widths, strict=True)]
            kept, widths = fit(columns, asked, self._room)
        self._columns, self._widths = [columns[i] for i in kept], widths
        self.left_out = [  # of those that say anything
            column.name for i, column in enumerate(columns) if i not in kept and {line[i] for line in cells} - {"", "0"}
        ]
        self._head: list[str] = [column.name for column in self._columns]

    def lines(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
        """The lines of some rows, below the head when they are the first."""
        cells = [[printable(row.get(column.name)) for column in self._columns] for row in rows]
        self._widths = self._grown([max(map(width_of, of_column)) for of_column in zip(*cells, strict=True)])
        if self._head:
            head = self._line(self._head)
            plain = not self._terminal or "NO_COLOR" in os.environ or os.environ.get("TERM", "dumb") in ("", "dumb")
            yield head if plain else f"\x1b[1m{head}\x1b[0m"
            self._head = []
        yield from map(self._line, cells)

    def _grown(self, longest: Sequence[int]) -> list[int]:
        """The widths for what is longer than what came before it, as far as there is room."""
        widths = list(self._widths)
        spare = self._room - sum(widths) - len(GAP) * (len(widths) - 1)
        for i, (column, wanted) in enumerate(zip(self._columns, longest, strict=True)):
            more = max(0, wanted - widths[i])
            if self._terminal:
                more = 0 if column.wraps else max(0, min(more, spare))
                spare -= more
            widths[i] += more
        return widths

    def _line(self, cells: Sequence[str]) -> str:
        shown: list[str] = []
        for column, cell, width in zip(self._columns, cells, self._widths, strict=True):
            if column.wraps and self._terminal:
                return self._wrapped(shown, cell)
            shorten = self._terminal and column.least is not None
            shown.append(padded(cell, width, shorten=shorten, ellipsis=self._ellipsis))
        return GAP.join(shown).rstrip()

    def _wrapped(self, before: Sequence[str], cell: str) -> str:
        """The line with its last cell below itself, as often as need be, broken between words."""
        head = "".join(one + GAP for one in before)
        indent = " " * width_of(head)
        room = max(self._room - len(indent), _NARROWEST)
        pieces = textwrap.wrap(cell, room, break_long_words=False, break_on_hyphens=False)
        return (head + f"\n{indent}".join(pieces)).rstrip()


def _write(lines: Iterator[str]) -> None:
    """Write the lines in few pieces; through PAGER when they are more than a terminal shows."""
    if sys.stdout is not None and sys.stdout.isatty() and os.environ.get("PAGER"):
        screen = list(islice(lines, shutil.get_terminal_size().lines - 1))
        rest = list(islice(lines, 1))
        if rest:
            click.echo_via_pager(line + "\n" for line in chain(screen, rest, lines))
            return
        lines = iter(screen)
    while piece := list(islice(lines, _CHUNK)):
        print("\n".join(piece), flush=True)
