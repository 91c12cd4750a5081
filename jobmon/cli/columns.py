"""How a table fits the width there is: what is shortened first, and what is left out when that is not enough. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

GAP = "  "


class Column(NamedTuple):
    """One column. Without `importance` it is never left out; else those of the least go first.

    `least`: to so many characters its cells may be shortened, with an ellipsis; those of a column that is `soft` before
    any column is left out, others when nothing else helps. The last column may wrap (`wraps`) in place of that.
    """

    name: str
    importance: int | None = None
    least: int | None = None
    soft: bool = False
    wraps: bool = False


def width_of(text: str) -> int:
    """How many places of a terminal the text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # slow to import, and rarely needed

    return cell_len(text)


def fit(columns: Sequence[Column], widths: Sequence[int], room: int) -> tuple[list[int], list[int]]:
    """Which columns are shown, and how wide each is, so that a line of the table takes at most `room` places.

    When even the least is too much, lines are longer than that: an id that is cut in two would be wrong.
    """
    kept = list(range(len(columns)))
    while _width(_soft(columns, widths, kept)) > room:
        droppable = [i for i in kept if columns[i].importance is not None]
        if not droppable:
            break
        kept.remove(min(droppable, key=lambda i: columns[i].importance or 0))
    fitted = [widths[i] for i in kept]
    for soft in (True, False):
        for position, i in enumerate(kept):
            least = columns[i].least
            if least is not None and columns[i].soft is soft:
                excess = _width(fitted) - room
                fitted[position] = max(min(least, fitted[position]), fitted[position] - max(0, excess))
    return kept, fitted


def _soft(columns: Sequence[Column], widths: Sequence[int], kept: Sequence[int]) -> list[int]:
    return [min(widths[i], columns[i].least or 0) if columns[i].soft else widths[i] for i in kept]


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _cut(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    from rich.cells import set_cell_size

    return set_cell_size(text, width)


def padded(text: str, width: int, *, shorten: bool, ellipsis: str) -> str:
    """The text in so many places; a longer one is shortened where it may be."""
    taken = width_of(text)
    if taken > width and shorten:
        text = _cut(text, max(0, width - len(ellipsis))).rstrip() + ellipsis
        taken = width_of(text)
    return text + " " * (width - taken)
