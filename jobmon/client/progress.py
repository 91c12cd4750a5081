"""How a run stands, in the words that are shown."""

from collections.abc import Sequence

import attrs

from jobmon.managers.job_list_manager import STATES, JobListManager
from jobmon.states.names import JobState

_CODE = {state: code for code, state in enumerate(STATES)}
_QUEUED = tuple(
    _CODE[state]
    for state in (
        JobState.ADJUSTING_RESOURCES,
        JobState.QUEUED_FOR_INSTANTIATION,
        JobState.INSTANTIATED,
        JobState.ERROR_RECOVERABLE,
    )
)


@attrs.frozen
class ExecutorProgress:
    """The jobs of one executor: `queued` wait for a place there, `waiting` for upstream jobs, `blocked` for ever."""

    executor: str
    type: str
    total: int
    done: int
    running: int
    queued: int
    waiting: int
    failed: int
    cancelled: int
    blocked: int

    def words(self) -> str:
        """`98 done, 31 running, ...`: done always, the others when there are any."""
        parts = [f"{self.done:,} done"]
        for what in ("running", "queued", "waiting", "failed", "cancelled", "blocked"):
            n = getattr(self, what)
            parts += [f"{n:,} {what}"] if n else []
        return ", ".join(parts)


def progress(jobs: JobListManager, executors: Sequence[tuple[str, str]]) -> list[ExecutorProgress]:
    """A row for each executor, given as `(name, type)` in the order of the groups."""
    rows = []
    for (name, type_name), counts, blocked in zip(executors, jobs.counts, jobs.blocked_counts, strict=True):
        registered = counts[_CODE[JobState.REGISTERED]]
        rows.append(
            ExecutorProgress(
                name,
                type_name,
                sum(counts),
                done=counts[_CODE[JobState.DONE]],
                running=counts[_CODE[JobState.RUNNING]],
                queued=sum(counts[code] for code in _QUEUED),
                waiting=max(0, registered - blocked),
                failed=counts[_CODE[JobState.ERROR_FATAL]],
                cancelled=counts[_CODE[JobState.CANCELLED]],
                blocked=min(blocked, registered),
            )
        )
    return rows
