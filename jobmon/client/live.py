"""The view in a terminal: a bar for each executor, kept at the bottom, events scrolling above."""

import textwrap
import time
from collections.abc import Sequence, Set
from typing import Any

from rich.console import Console, Group
from rich.constrain import Constrain
from rich.live import Live
from rich.markup import escape
from rich.measure import Measurement
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jobmon.client.printing import printable, printable_lines
from jobmon.client.progress import ExecutorProgress, Pace
from jobmon.client.views import standard_error, table

_MOST_NOTES = 5
_ECHO = 3  # "^C" and the cursor
_ALWAYS = ("done", "running", "queued")
_COUNTS = (
    *((what, "") for what in _ALWAYS),
    ("submitted", ""),
    ("waiting", ""),
    ("failed", "red"),
    ("cancelled", "yellow"),
)


class Terminal(Console):
    """A console that leaves the cursor visible, however its process ends, and that ends nobody when it is gone."""

    def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002 - the signature is rich's
        """Nothing: what is never hidden need not be shown again."""
        return False

    def on_broken_pipe(self) -> None:
        """Raise what was raised; rich would end the process."""
        raise


class LiveView:
    """Bars on standard error."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Terminal(file=standard_error())
        self._live: Live | None = None
        self._pace = Pace(time.monotonic())
        self._words: set[str] = set(_ALWAYS)  # what was counted once keeps its place

    def line(self, text: str) -> None:
        """The text, above the bars."""
        lines = (_wrapped(line, self._console.width) for line in printable_lines(text).splitlines() or [""])
        self._console.print(escape("\n".join(lines)), highlight=False, soft_wrap=True)

    def show(self, rows: Sequence[ExecutorProgress], notes: Sequence[str]) -> None:
        """The bars and what waits."""
        if self._live is None:
            # Standard streams stay the user's own: their prints must not wait for a drawing.
            self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=False,
                              redirect_stderr=False)  # fmt: skip
            self._live.start()
        self._words |= {word for word, _ in _COUNTS if any(getattr(row, word) for row in rows)}
        pace = self._pace.words(rows, time.monotonic())
        self._live.update(picture(rows, notes, self._console, pace, self._words), refresh=True)

    def end(self, rows: Sequence[ExecutorProgress]) -> None:
        """The bars give way to a line for each executor."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        for line in table(rows):
            self.line(line)


def picture(
    rows: Sequence[ExecutorProgress], notes: Sequence[str], console: Console, pace: str, words: Set[str]
) -> Constrain:
    """For each executor its name, type, number of jobs, bar and counts, as far as there is room, and the counts always;
    below, the pace of it all, and what waits and why.

    The last columns of the terminal stay free: what it echoes of a Ctrl-C must not begin a line of its own.
    """
    width = max(1, console.width - _ECHO)
    more = [Text(f"and {len(notes) - _MOST_NOTES} more")] if len(notes) > _MOST_NOTES else []
    lines = Group(
        _bars(rows, console, width, words),
        Text(pace, "dim"),
        *(Text(printable(note), "yellow") for note in notes[:_MOST_NOTES]),
        *more,
    )
    return Constrain(lines, width)


def _wrapped(line: str, width: int) -> str:
    """The line, broken between words alone: a path stays whole, so that it can be copied."""
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(line, max(width, 20), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _bars(rows: Sequence[ExecutorProgress], console: Console, width: int, words: Set[str]) -> Table | Text:
    """The fullest form that fits without a line being broken."""
    for types, bar in ((True, 20), (False, 10), (False, 0)):
        grid = _grid(rows, words, types=types, bar=bar)
        if Measurement.get(console, console.options.update(max_width=10_000), grid).maximum <= width:
            return grid
    return Text("\n").join(_paragraph(row, width) for row in rows)


def _grid(rows: Sequence[ExecutorProgress], words: Set[str], *, types: bool, bar: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    shown = [(what, style) for what, style in _COUNTS if what in words]
    for row in rows:
        ended = row.done + row.failed + row.cancelled
        cells: list[Any] = [Text(row.executor, "bold", no_wrap=True)]
        cells += [Text(row.type, no_wrap=True)] if types else []
        cells.append(Text(f"{row.total:,}", justify="right", no_wrap=True))
        cells += [ProgressBar(max(row.total, 1), ended, width=bar)] if bar else []
        grid.add_row(*cells, *(_count(getattr(row, what), what, style) for what, style in shown))
    return grid


def _paragraph(row: ExecutorProgress, width: int) -> Text:
    """The executor's name and its counts, below each other where they must be, none broken in two."""
    name = Text(row.executor, "bold")
    name.truncate(width, overflow="ellipsis")
    lines = [name]
    for what, style in _COUNTS:
        number = getattr(row, what)
        if not number and what not in _ALWAYS:
            continue
        count = _count(number, what, style)
        if len(lines[-1]) + 2 + len(count) <= width:
            lines[-1] = Text.assemble(lines[-1], "  ", count)
        else:
            lines.append(Text.assemble("  ", count))
    return Text("\n").join(lines)


def _count(number: int, what: str, style: str) -> Text:
    return Text(f"{number:,} {what}", style if number else "dim", justify="right", no_wrap=True)
