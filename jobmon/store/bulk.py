"""Set-based statements: hundreds of rows travel as one statement with a VALUES list.

SQLAlchemy builds such a list anew for each call, at about 10 µs a row; here the text is made once per length from the
table's metadata, and the driver keeps it prepared. The lengths are few, so that this cache is small: a batch is cut
into pieces of these. It is standard SQL, but for the driver's question marks.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

from jobmon.store.connection import Connection

_LENGTHS = (500, 50, 5, 1)
_KEYS = "keys"


class Insert:
    """Inserts rows of the named columns. With `ignore`, a row whose key is there already is left out."""

    def __init__(self, table: sa.Table, names: Sequence[str], *, ignore: bool = False) -> None:
        verb = "INSERT OR IGNORE" if ignore else "INSERT"
        self._head = f"{verb} INTO {table.name} ({', '.join(_checked(table, names))}) VALUES "
        self._width = len(names)

    def execute(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Insert the rows."""
        for piece in _pieces(rows):
            text = self._head + _values(len(piece), self._width)
            connection.run(text, tuple(chain.from_iterable(piece)))


class Update:
    """Updates the named columns of rows that are found by the `match` columns, which come first in each given row."""

    def __init__(
        self, table: sa.Table, match: Sequence[str], names: Sequence[str], *, only_where: str | None = None
    ) -> None:
        columns = _checked(table, [*match, *names])
        sources = [f"new.column{i + 1}" for i in range(len(columns))]
        sets = ", ".join(f"{name} = {source}" for name, source in zip(names, sources[len(match) :], strict=True))
        wheres = [f"{table.name}.{name} = {source}" for name, source in zip(match, sources, strict=False)]
        self._head = f"UPDATE {table.name} SET {sets} FROM (VALUES "
        self._tail = ") AS new WHERE " + " AND ".join([*wheres, *([only_where] if only_where else [])])
        self._width = len(columns)

    def execute(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> int:
        """Update the rows; how many were found."""
        found = 0
        for piece in _pieces(rows):
            text = self._head + _values(len(piece), self._width) + self._tail
            found += connection.run(text, tuple(chain.from_iterable(piece))).rowcount
        return found


class InsertAlike:
    """Inserts rows that have some columns of their own (`own`), and the same values in the others (`shared`)."""

    def __init__(self, table: sa.Table, own: Sequence[str], shared: Sequence[str]) -> None:
        sources = [f"column{i + 1}" for i in range(len(own))] + ["?"] * len(shared)
        columns = ", ".join(_checked(table, [*own, *shared]))
        self._head = f"INSERT INTO {table.name} ({columns}) SELECT {', '.join(sources)} FROM (VALUES "
        self._width = len(own)

    def execute(self, connection: Connection, shared: Sequence[Any], rows: Sequence[Sequence[Any]]) -> None:
        """Insert the rows."""
        for piece in _pieces(rows):
            text = self._head + _values(len(piece), self._width) + ")"
            connection.run(text, (*shared, *chain.from_iterable(piece)))


class UpdateAlike:
    """Updates rows of one version, found by their ids, that all get the same values.

    What one of the `once` columns, the last ones, holds already stays.
    """

    def __init__(self, table: sa.Table, names: Sequence[str], once: Sequence[str] = ()) -> None:
        sets = _sets(table, names, once)
        self._head = f"UPDATE {table.name} SET {sets} WHERE version = ? AND id "

    def execute(self, connection: Connection, values: Sequence[Any], version: int, ids: Sequence[int]) -> int:
        """Update the rows; how many were found."""
        first, last = ids[0], ids[-1]
        if ids == list(range(first, last + 1)):  # as they mostly are; a third of the time of a list
            return connection.run(self._head + "BETWEEN ? AND ?", (*values, version, first, last)).rowcount
        text = self._head + "IN (SELECT value FROM json_each(?))"
        return connection.run(text, (*values, version, msgspec.json.encode(ids).decode())).rowcount


class UpdateAlikeBut:
    """As `UpdateAlike`, but one column gets a value of each row's own."""

    def __init__(self, table: sa.Table, names: Sequence[str], own: str, once: Sequence[str] = ()) -> None:
        sets = _sets(table, names, once)
        _checked(table, [own])
        self._head = f"UPDATE {table.name} SET {sets}, {own} = new.column2 FROM (VALUES "
        self._tail = f") AS new WHERE {table.name}.id = new.column1 AND {table.name}.version = ?"

    def execute(
        self, connection: Connection, values: Sequence[Any], version: int, rows: Sequence[tuple[int, Any]]
    ) -> int:
        """Update the rows, given as their ids and their own values; how many were found."""
        found = 0
        for piece in _pieces(rows):
            text = self._head + _values(len(piece), 2) + self._tail
            found += connection.run(text, (*values, *chain.from_iterable(piece), version)).rowcount
        return found


@cache
def _values(length: int, width: int) -> str:
    row = "(" + ", ".join("?" * width) + ")"
    return ", ".join([row] * length)


def _pieces(rows: Sequence[Sequence[Any]]) -> Iterable[Sequence[Sequence[Any]]]:
    start = 0
    for length in _LENGTHS:
        while len(rows) - start >= length:
            yield rows[start : start + length]
            start += length


def _sets(table: sa.Table, names: Sequence[str], once: Sequence[str]) -> str:
    sets = [f"{name} = ?" for name in _checked(table, names)]
    return ", ".join([*sets, *(f"{name} = coalesce({name}, ?)" for name in _checked(table, once))])


def _checked(table: sa.Table, names: Sequence[str]) -> Sequence[str]:
    missing = [name for name in names if name not in table.c]
    if missing:
        raise KeyError(f"table {table.name} has no columns {missing}")
    return names


def among(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """The condition that the column is one of the keys, which are given with `keys`."""
    source: Any = sa.func.json_each(sa.bindparam(_KEYS)).table_valued("value")
    return column.in_(sa.select(source.c.value))


def keys(values: Iterable[Any]) -> dict[str, str]:
    """The parameter of a statement with `among`: any number of keys in one."""
    return {_KEYS: msgspec.json.encode(list(values)).decode()}
