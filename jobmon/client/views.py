"""What the user sees while a workflow runs: log lines, unless it is a terminal (see `live`)."""

import io
import logging
import os
import re
import sys
import time
from collections.abc import Sequence
from typing import Protocol, TextIO

import attrs

from jobmon.client.printing import printable_lines
from jobmon.client.progress import ExecutorProgress, Pace

_EVERY_S = 10.0
_NOTE_AGAIN_S = 60.0
_NUMBER = re.compile(r"\d+([.,:]\d+)*")
_log = logging.getLogger(__name__)


class View(Protocol):
    """Shows a run. All methods are called in one thread."""

    def line(self, text: str) -> None:
        """Something happened that stays on the screen."""

    def show(self, rows: Sequence[ExecutorProgress], notes: Sequence[str]) -> None:
        """How things stand; called often, shown as often as is good. `notes`: what waits, and why."""

    def end(self, rows: Sequence[ExecutorProgress]) -> None:
        """The run is over."""


class SilentView:
    """Shows nothing."""

    def line(self, text: str) -> None:
        """Nothing."""

    def show(self, rows: Sequence[ExecutorProgress], notes: Sequence[str]) -> None:
        """Nothing."""

    def end(self, rows: Sequence[ExecutorProgress]) -> None:
        """Nothing."""


@attrs.frozen
class _Note:
    """A note as it was said last, when that was, and when it was seen last."""

    text: str
    said_s: float
    seen_s: float


class PlainView:
    """Log lines on standard error: events as they come, progress at most every ten seconds and only when it changed."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = standard_error() if out is None else out
        self._next_s = time.monotonic() + _EVERY_S
        self._pace = Pace(time.monotonic())
        self._said = ""
        self._notes: dict[str, _Note] = {}

    def line(self, text: str) -> None:
        """The text, with the time of day before its first line."""
        print(f"{time.strftime('%H:%M:%S')} {printable_lines(text)}", file=self._out, flush=True)

    def show(self, rows: Sequence[ExecutorProgress], notes: Sequence[str]) -> None:
        """New notes at once, those of which but the numbers changed now and then, counts when it is time."""
        now = time.monotonic()
        for note in notes:
            self._say_note(note, now)
        self._notes = {key: note for key, note in self._notes.items() if now - note.seen_s < _NOTE_AGAIN_S}
        if now < self._next_s:
            return
        self._next_s = now + _EVERY_S
        pace, text = self._pace.words(rows, now), "; ".join(f"{row.executor}: {row.words()}" for row in rows)
        if text != self._said:
            self._said = text
            self.line(f"{pace}; {text}")

    def _say_note(self, text: str, now: float) -> None:
        key = _NUMBER.sub("#", text)
        said = self._notes.get(key)
        if said is None or (said.text != text and now - said.said_s >= _NOTE_AGAIN_S):
            self.line(text)
            said = _Note(text, now, now)
        self._notes[key] = attrs.evolve(said, seen_s=now)

    def end(self, rows: Sequence[ExecutorProgress]) -> None:
        """A line for each executor."""
        for line in table(rows):
            self.line(line)


def table(rows: Sequence[ExecutorProgress]) -> list[str]:
    """`compute  uge  142  98 done, 31 running`, aligned."""
    names = max((len(row.executor) for row in rows), default=0)
    types = max((len(row.type) for row in rows), default=0)
    totals = max((len(f"{row.total:,}") for row in rows), default=0)
    return [f"{row.executor:<{names}}  {row.type:<{types}}  {row.total:>{totals},}  {row.words()}" for row in rows]


def choose_view(*, show: bool) -> View:
    """The live view where standard error is a terminal, log lines elsewhere, nothing unless `show` or without it."""
    try:
        if not show or sys.stderr is None:
            return SilentView()
        if sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):  # these cannot move the cursor
            from jobmon.client.live import LiveView  # rich is slow to import, and needed in a terminal alone

            return LiveView()
        return PlainView()
    except Exception:  # noqa: BLE001 - closed, or whatever the script has put there: nothing can be shown
        _log.info("there is no standard error to show the run on", exc_info=True)
        return SilentView()


def standard_error() -> TextIO:
    """Standard error; where it is the process's own, another stream to it: a stuck one then holds nobody else up."""
    if sys.stderr is not sys.__stderr__ or not isinstance(sys.stderr, io.TextIOWrapper):
        return sys.stderr  # a test, a notebook or the user has put something in its place
    descriptor = os.dup(sys.stderr.fileno())
    return open(descriptor, "w", encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: PTH123
