"""Shows a run in a thread of its own: a display that is gone, stuck or broken neither ends nor delays the run."""

import errno
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from jobmon.client.progress import ExecutorProgress
from jobmon.client.views import PlainView, SilentView, View

_EVERY_S = 0.2
_MOST_LINES = 10_000  # kept for a display that takes none
_PATIENCE_S = 5.0  # for the display at the end
_GONE = (errno.EPIPE, errno.EIO, errno.EBADF)
_log = logging.getLogger(__name__)


@contextmanager
def beside_the_run(view: View) -> Iterator[View]:
    """The view, fed from a thread of its own; on the way out the rest is shown, if the display takes it in time."""
    if isinstance(view, SilentView):
        yield view
        return
    aside = _Aside(view)
    aside.start()
    try:
        yield aside
    finally:
        aside.close()


class _Aside:
    """Keeps what is to be shown until the display takes it: every line in order, and the newest standing alone."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._changed = threading.Condition()
        self._due: deque[Callable[[View], None]] = deque()
        self._standing: tuple[Sequence[ExecutorProgress], Sequence[str]] | None = None
        self._next_s = 0.0
        self._closed = False
        self._shown: Sequence[ExecutorProgress] | None = None  # what is on the display and must not stay there
        self._thread = threading.Thread(target=self._run, name="jobmon-view", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def line(self, text: str) -> None:
        """As `View.line`; returns at once."""
        self._put(lambda view: view.line(text))

    def end(self, rows: Sequence[ExecutorProgress]) -> None:
        """As `View.end`; returns at once."""
        with self._changed:
            self._standing = self._shown = None
        self._put(lambda view: view.end(rows))

    def show(self, rows: Sequence[ExecutorProgress], notes: Sequence[str]) -> None:
        """As `View.show`; returns at once. What comes too soon after the last is shown by a later call."""
        now = time.monotonic()
        if now < self._next_s:
            return
        self._next_s = now + _EVERY_S
        with self._changed:
            self._standing, self._shown = (rows, notes), rows
            self._changed.notify()

    def close(self) -> None:
        """Show the rest, and take from the display what must not stay there."""
        if self._shown is not None:
            self.end(self._shown)
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_PATIENCE_S)

    def _put(self, act: Callable[[View], None]) -> None:
        with self._changed:
            if len(self._due) < _MOST_LINES:
                self._due.append(act)
            self._changed.notify()

    def _run(self) -> None:
        while (act := self._next()) is not None:
            self._try(act)

    def _next(self) -> Callable[[View], None] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._due or self._standing is not None or self._closed)
            if self._due:
                return self._due.popleft()
            if self._standing is not None:
                rows, notes = self._standing
                self._standing = None
                return lambda view: view.show(rows, notes)
            return None

    def _try(self, act: Callable[[View], None]) -> None:
        """Once on this view; where it cannot draw, on a plainer one; where nobody can see it, on none."""
        try:
            act(self._view)
        except OSError as error:
            if error.errno in _GONE:
                self._view = SilentView()
            _log.info("the progress of the run could not be shown: %s", error)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the display, the run is not
            _log.info("the progress of the run could not be shown", exc_info=True)
            self._view = SilentView() if isinstance(self._view, PlainView) else PlainView()
            why = f"the bars cannot be drawn ({type(error).__name__}: {error}): there are lines from here on"
            self._try(lambda view: view.line(why))
            self._try(act)
