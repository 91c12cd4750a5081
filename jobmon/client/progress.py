"""How a run stands, in the words that are shown."""

from collections import deque
from collections.abc import Sequence

import attrs

from jobmon.client.printing import span
from jobmon.client.words import WORDS
from jobmon.managers.job_list_manager import STATES, JobListManager

_CODE = {state: code for code, state in enumerate(STATES)}
_WINDOW_S = 300.0
_STEP_S = 1.0


@attrs.frozen
class ExecutorProgress:
    """The jobs of one executor, under the words of `jobmon.client.words`."""

    executor: str
    type: str
    total: int
    done: int
    running: int
    submitted: int
    queued: int
    waiting: int
    failed: int
    cancelled: int

    def words(self) -> str:
        """`98 done, 31 running, ...`: done always, the others when there are any."""
        parts = [f"{self.done:,} done"]
        for what in ("running", "submitted", "queued", "waiting", "failed", "cancelled"):
            n = getattr(self, what)
            parts += [f"{n:,} {what}"] if n else []
        return ", ".join(parts)


def progress(jobs: JobListManager, executors: Sequence[tuple[str, str]]) -> list[ExecutorProgress]:
    """A row for each executor, given as `(name, type)` in the order of the groups."""
    return [
        ExecutorProgress(
            name,
            type_name,
            sum(counts),
            **{word: sum(counts[_CODE[state]] for state in states) for word, states in WORDS.items()},
        )
        for (name, type_name), counts in zip(executors, jobs.counts, strict=True)
    ]


class Pace:
    """How long the run has taken, and how fast jobs have been done in the last five minutes of it."""

    def __init__(self, began_s: float) -> None:
        self._began_s = began_s
        self._seen: deque[tuple[float, int]] = deque()

    def words(self, rows: Sequence[ExecutorProgress], now_s: float) -> str:
        """`2:13 min, 98 of 142 done, 44/min`; the times are on one clock that is never set back."""
        done, total = sum(row.done for row in rows), sum(row.total for row in rows)
        if not self._seen or now_s - self._seen[-1][0] >= _STEP_S:
            self._seen.append((now_s, done))
        while now_s - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        then_s, before = self._seen[0]
        rate = _rate((done - before) / (now_s - then_s)) if now_s - then_s >= _STEP_S else ""
        return f"{span(now_s - self._began_s)}, {done:,} of {total:,} done{rate}"


def _rate(per_s: float) -> str:
    """In the unit in which it is at least one; nothing for nothing."""
    if per_s <= 0:
        return ""
    number, unit = per_s * 3600, "h"
    if per_s >= 1:
        number, unit = per_s, "s"
    elif per_s * 60 >= 1:
        number, unit = per_s * 60, "min"
    return f", {number:,.0f}/{unit}" if number >= 10 else f", {number:.1f}/{unit}"
