"""A line for each job that failed, with where its log is, and no flood of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jobmon.managers.job_list_manager import Notable
from jobmon.states.names import FINAL_JOB_STATES, JobState
from jobmon.wire import routes
from jobmon.wire.runs import ReadAttempts

if TYPE_CHECKING:
    from jobmon.requester import Requester

_DETAILED = 20
_SHOWN = 100


class FailureLines:
    """Makes the lines. The first ones say where the log is, which costs a question; after a hundred it grows silent."""

    def __init__(self, names: Sequence[str], requester: "Requester", workflow_id: int) -> None:
        self._names, self._requester, self._workflow_id = names, requester, workflow_id
        self._told = 0

    def line(self, notable: Notable) -> str | None:
        """The line for a job that failed, is tried again or was cancelled; None when enough was said."""
        change = notable.change
        if change.state is JobState.CANCELLED:
            return None  # by the user's own wish, and counted in the table
        self._told += 1
        if self._told > _SHOWN:
            return None
        reason = str(change.reason) if change.reason else "failed"
        what = f"{self._names[notable.position]}  attempt {change.attempt}  {reason}"
        what += f" ({change.detail.strip()})" if change.detail and change.detail.strip() else ""
        what += ": tried again" if change.state not in FINAL_JOB_STATES else ""
        if self._told == _SHOWN:
            return (
                f"{what}\nfurther failures are not shown here; see: jobmon jobs {self._workflow_id} --state ERROR_FATAL"
            )
        return what + self._where(notable) if self._told <= _DETAILED else what

    def _where(self, notable: Notable) -> str:
        attempts = self._requester.call(routes.ATTEMPTS, ReadAttempts(notable.job_id)).attempts
        wanted = [row for row in attempts if row.attempt == notable.change.attempt] or attempts[-1:]
        return f"\n  log: {wanted[0].stderr_path}" if wanted and wanted[0].host else ""
