"""The view in a terminal: a bar for each executor, kept at the bottom, events scrolling above."""

import time
from collections.abc import Sequence

from rich.console import Console, Group
from rich.constrain import Constrain
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jobmon.client.printing import printable, printable_lines
from jobmon.client.progress import ExecutorProgress
from jobmon.client.views import table

_EVERY_S = 0.2
_MOST_NOTES = 5
_WIDE = 110
_ECHO = 3  # "^C" and the cursor
_ALWAYS = ("done", "running", "queued")
_COUNTS = (
    *((what, "") for what in _ALWAYS),
    ("waiting", ""),
    ("failed", "red"),
    ("cancelled", "yellow"),
    ("blocked", "yellow"),
)


class LiveView:
    """Bars on standard error, drawn at most five times a second."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._live: Live | None = None
        self._next_s = 0.0

    def line(self, text: str) -> None:
        """The text, above the bars."""
        self._console.print(escape(printable_lines(text)), highlight=False, soft_wrap=True)

    def show(self, rows: Sequence[ExecutorProgress], notes: Sequence[str]) -> None:
        """The bars and what waits."""
        now = time.monotonic()
        if now < self._next_s:
            return
        self._next_s = now + _EVERY_S
        if self._live is None:
            # Standard streams stay the user's own: their prints must not wait for a drawing.
            self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=False,
                              redirect_stderr=False)  # fmt: skip
            self._live.start()
        self._live.update(picture(rows, notes, self._console.width), refresh=True)

    def end(self, rows: Sequence[ExecutorProgress]) -> None:
        """The bars give way to a line for each executor."""
        if self._live is not None:
            self._live.stop()
            self._live = None
        for line in table(rows):
            self.line(line)


def picture(rows: Sequence[ExecutorProgress], notes: Sequence[str], width: int) -> Constrain:
    """Executor, type (where there is room), number of jobs, bar, counts; below, what waits and why.

    The last columns of the terminal stay free: what it echoes of a Ctrl-C must not begin a line of its own.
    """
    wide = width >= _WIDE
    grid = Table.grid(padding=(0, 2))
    shown = [(what, style) for what, style in _COUNTS if what in _ALWAYS or any(getattr(row, what) for row in rows)]
    for row in rows:
        ended = row.done + row.failed + row.cancelled
        grid.add_row(
            Text(row.executor, "bold"),
            *([row.type] if wide else []),
            Text(f"{row.total:,}", justify="right"),
            ProgressBar(max(row.total, 1), ended, width=20 if wide else 10),
            *(_count(getattr(row, what), what, style) for what, style in shown),
        )
    more = [Text(f"and {len(notes) - _MOST_NOTES} more")] if len(notes) > _MOST_NOTES else []
    lines = Group(grid, *(Text(printable(note), "yellow") for note in notes[:_MOST_NOTES]), *more)
    return Constrain(lines, max(1, width - _ECHO))


def _count(number: int, what: str, style: str) -> Text:
    return Text(f"{number:,} {what}", style if number else "dim", justify="right")
