"""Set-based statements: a thousand rows travel as one JSON parameter, so that a batch is one statement.

SQLite's json_each (https://www.sqlite.org/json1.html#jeach) turns the parameter into a table; another database has its
own such function, and this is the only file to know.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

_ROWS = "rows"
#: The column of `rows_of` that counts the rows from 0.
POSITION = "position"


def encode(rows: Iterable[Any]) -> dict[str, str]:
    """The parameter of a statement of this module."""
    return {_ROWS: msgspec.json.encode(rows).decode()}


def _source() -> Any:
    return sa.func.json_each(sa.bindparam(_ROWS)).table_valued("key", "value")


def values_of() -> sa.Select[Any]:
    """The values of a list parameter, one a row: for `column.in_(values_of())`."""
    return sa.select(_source().c.value)


def rows_of(names: Sequence[str]) -> sa.Subquery:
    """A list of lists as a table with the named columns."""
    source = _source()
    columns = [source.c.value.op("->>")(sa.literal_column(str(i))).label(name) for i, name in enumerate(names)]
    return sa.select(*columns, source.c.key.label(POSITION)).select_from(source).subquery("new")


def insert_into(table: sa.Table, names: Sequence[str]) -> sa.Insert:
    """Insert rows of the named columns."""
    new = rows_of(names)
    return sa.insert(table).from_select(list(names), sa.select(*[new.c[name] for name in names]))


def update_versioned(table: sa.Table, key: str, names: Sequence[str]) -> sa.Update:
    """Update rows whose version is still the old one: rows of the key, the old version, the new one, and the names.

    The row count tells whether all were found so.
    """
    new = rows_of([key, "old_version", "version", *names])
    changes = {name: new.c[name] for name in names}
    return (
        sa.update(table)
        .values(version=new.c.version, **changes)
        .where(table.c[key] == new.c[key], table.c.version == new.c.old_version)
    )
