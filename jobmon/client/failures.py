"""What is told of jobs that failed: each of the first ones with its log and its last words, then a line a cause."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import attrs

from jobmon.client.printing import last_line, printable_lines
from jobmon.errors import JobmonError
from jobmon.managers.job_list_manager import Notable
from jobmon.states.names import FINAL_JOB_STATES, JobState
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.jobs import AttemptRow
from jobmon.wire.runs import ReadAttempts

if TYPE_CHECKING:
    from jobmon.requester import Requester

_EACH = 3  # of one cause are told each by itself
_MILESTONES = frozenset(base * 10**power for power in range(1, 8) for base in (1, 3))
_DETAILED = 20
_SHOWN = 100
_NUMBER = re.compile(r"\d{4,}|0x[0-9a-f]+")
_PATIENCE_S = 5.0


@attrs.define
class Cause:
    """What several jobs have in common: why they failed, as the first of them had it, and which they are."""

    reason: Reason | None
    detail: str
    tried_again: bool
    names: list[str] = attrs.field(factory=list)  #: the first few
    count: int = 0
    told: int = 0

    def add(self, name: str) -> None:
        """One more."""
        self.count += 1
        if len(self.names) < _EACH:
            self.names.append(name)

    def words(self) -> str:
        """`EXIT_NONZERO (exit status 3): tried again`."""
        what = str(self.reason) if self.reason else "failed"
        what += f" ({self.detail})" if self.detail else ""
        return what + (": tried again" if self.tried_again else "")

    def several(self) -> str:
        """`40 tasks, such as fit-Chad, fit-Mali`."""
        return f"{self.count:,} {'attempts' if self.tried_again else 'tasks'}, such as {', '.join(self.names)}"


def cause_key(name: str, reason: Reason | None, detail: str | None) -> tuple[object, ...]:
    """Alike for failures that differ in nothing but the task's name and in long numbers, such as ids and addresses."""
    return reason, _NUMBER.sub("#", (detail or "").replace(name, "…"))


def stderr_end(requester: "Requester", job_id: int, number: int | None = None) -> tuple[str, str]:
    """The path of an attempt's standard error, the newest's when no number is given, and the last line there; both are
    empty when nothing is known."""
    try:
        attempts: Sequence[AttemptRow] = requester.call(
            routes.ATTEMPTS, ReadAttempts(job_id), patience_s=_PATIENCE_S
        ).attempts
    except JobmonError:
        return "", ""  # the failure itself is told without it
    wanted = [row for row in attempts if row.attempt == number] or attempts[-1:]
    if not wanted or not wanted[0].host:
        return "", ""
    return wanted[0].stderr_path, last_line(wanted[0].stderr_tail)


class FailureLines:
    """Makes the lines. The first ones ask the server for the log's place and end; after a hundred it grows silent."""

    def __init__(self, names: Sequence[str], requester: "Requester", workflow_id: int) -> None:
        self._names, self._requester, self._workflow_id = names, requester, workflow_id
        self._causes: dict[tuple[object, ...], Cause] = {}
        self._told = 0

    def lines(self, notables: Iterable[Notable]) -> list[str]:
        """The lines for jobs that failed, are tried again, or were cancelled by their user at the platform."""
        groups: dict[tuple[object, ...], list[Notable]] = {}
        for notable in notables:
            change = notable.change
            if change.state is not JobState.CANCELLED or change.reason is Reason.CANCELLED_BY_USER:
                key = cause_key(self._names[notable.position], change.reason, change.detail)
                groups.setdefault((*key, change.state in FINAL_JOB_STATES), []).append(notable)
        return [line for key, group in groups.items() for line in self._of_cause(key, group)]

    def rest(self) -> list[str]:
        """At the end of a run: a line for each cause of which more is known than was told."""
        more = [cause for cause in self._causes.values() if cause.told < cause.count]
        lines = [f"{cause.words()}: {cause.several()}" for cause in more[:_DETAILED]]
        return [*lines, self._all_of_them()] if lines else []

    def _of_cause(self, key: tuple[object, ...], group: Sequence[Notable]) -> list[str]:
        first = group[0].change
        cause = self._causes.get(key)
        if cause is None:
            detail = (first.detail or "").strip()
            cause = self._causes[key] = Cause(first.reason, detail, first.state not in FINAL_JOB_STATES)
        before = cause.count
        for notable in group:
            cause.add(self._names[notable.position])
        if self._told >= _SHOWN:
            return []
        if cause.count <= _EACH:
            lines = [self._one(cause, notable) for notable in group]
        elif before < _EACH or _MILESTONES & set(range(before + 1, cause.count + 1)):
            lines = [f"{cause.words()}: {cause.several()}{self._last_words(cause, group[0]) if not before else ''}"]
        else:
            return []
        cause.told = cause.count
        self._told += len(lines)
        return lines if self._told < _SHOWN else [*lines, f"further failures are not shown here; {self._all_of_them()}"]

    def _one(self, cause: Cause, notable: Notable) -> str:
        name, attempt = self._names[notable.position], notable.change.attempt
        return f"{name}  attempt {attempt}  {cause.words()}{self._last_words(cause, notable)}"

    def _last_words(self, cause: Cause, notable: Notable) -> str:
        if self._told >= _DETAILED:
            return ""
        path, words = stderr_end(self._requester, notable.job_id, notable.change.attempt)
        said = f"\n  stderr: {words}" if words and words not in printable_lines(cause.detail) else ""
        return said + (f"\n  log: {path}" if path else "")

    def _all_of_them(self) -> str:
        return f"see: jobmon jobs {self._workflow_id} --state failed"
