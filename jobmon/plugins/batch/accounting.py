"""What the accounting tells of attempts that the platform does not list any more, asked beside the host's calls."""

from collections.abc import Callable, Iterable
from datetime import datetime

import attrs

from jobmon.plugins.batch.rows import Rows
from jobmon.plugins.beside import Beside
from jobmon.plugins.records import Absent, CannotTell, Exited, Finding, Found, Observation, Submission, Unknown

_MOST_REMEMBERED = 100_000
_SLOW = "the accounting has not answered yet"


@attrs.frozen
class Accounts:
    """What the accounting had."""

    rows: Rows
    asked_s: float  #: when it was asked, by the clock that is never set


class Accounting:
    """Questions to the accounting, and since when attempts are missing.

    What it remembers only makes waits longer: whoever begins anew waits again before it calls anything absent.
    """

    def __init__(self, patience_s: float) -> None:
        self._beside = Beside[Accounts](patience_s)
        self._missing_since_s: dict[str, float] = {}

    def listed(self, token: str) -> None:
        """The listing has it."""
        self._missing_since_s.pop(token, None)

    def missing(self, token: str, now_s: float) -> float:
        """The listing does not have it: since when, by the clock that is never set."""
        if len(self._missing_since_s) >= _MOST_REMEMBERED:
            self._missing_since_s.clear()
        return self._missing_since_s.setdefault(token, now_s)

    def ask(self, tokens: Iterable[str], question: Callable[[], Accounts]) -> tuple[Accounts | None, str]:
        """What the accounting has, asked when these were missing already; None, and why, while it does not answer."""
        wanted = frozenset(tokens)
        answer = self._beside.ask(wanted, question)
        if answer is None or not answer.of >= wanted:
            return None, _SLOW
        return answer.value, answer.trouble


def accounted(
    end: Observation | None, accounts: Accounts, missing_since_s: float, late_s: float, listed_at: datetime
) -> Observation:
    """How an attempt ended that has left the queue: `end` is what its row in the accounting says.

    Nothing of it comes to the accounting later than `late_s`: so what that answered before the listing still holds.
    """
    if isinstance(end, Exited):
        return end
    # What it calls live was left behind by a crash, or is not written yet.
    if accounts.asked_s - missing_since_s >= late_s:
        return Absent(listed_at)
    return Unknown("it has left the queue and is not accounted for yet")


def unaccounted(trouble: str, missing_s: float, silent_s: float, now: datetime) -> Observation:
    """What can be said, while the accounting does not answer, of an attempt that has left the queue."""
    if missing_s >= silent_s:
        return Absent(now, f"it has left the queue, and for {missing_s / 60:.0f} min {trouble}")
    return Unknown(f"it has left the queue; {trouble}")


def sought(one: Submission, accounts: Accounts, missing_since_s: float, late_s: float, listed_at: datetime) -> Finding:
    """Whether the accounting has an attempt that is not listed."""
    if (row := accounts.rows.of(one)) is not None:
        return Found(accounts.rows.id_of(row, one.index))
    if accounts.asked_s - missing_since_s >= late_s:
        return Absent(listed_at)
    return CannotTell("it is not listed, and the accounting, which may be late, does not have it")
