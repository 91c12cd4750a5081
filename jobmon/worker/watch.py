"""Watch a running command: heartbeats, its end on request, its end for want of a server."""

from __future__ import annotations

import _signal

from . import report
from .child import Ended, kill, kill_rest, reap
from .signals import signal_group
from .transport import Unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .attempt import Attempt
    from .execute import Execution

#: From SIGTERM to SIGKILL, for a command that shall end.
GRACE_S = 10.0
#: Schedulers signal every process of a job, the command perhaps a moment before its worker. A worker that is killed in
#: this time reports nothing, and the platform says what happened; one that lives on knows that its command alone was.
_SAME_SIGNAL_S = 1.0
#: The clock must be read so often.
_LOOK_S = 60.0
_NAMES = {_signal.SIGTERM: "SIGTERM", _signal.SIGINT: "SIGINT", _signal.SIGHUP: "SIGHUP"}
_SENT_TO_ALL = (*_NAMES, _signal.SIGKILL)


class Schedule:
    """When to do what next. Pure: it is told the time, on any clock that does not go back."""

    def __init__(
        self,
        now: float,
        heartbeat_s: float,
        orphan_after_s: float,
        grace_s: float = GRACE_S,
        runtime_s: float | None = None,
    ) -> None:
        self._heartbeat_s = heartbeat_s
        self._orphan_after_s = orphan_after_s
        self._grace_s = grace_s
        self._contact_at = now
        self._tries = 0
        self.beat_at = now + heartbeat_s
        self._runtime_s = runtime_s
        self._over_at = None if runtime_s is None else now + runtime_s
        self.kill_at: float | None = None
        self.ended_for: tuple[str, str] | None = None

    def answered(self, now: float, end: bool) -> None:
        """The server answered a heartbeat."""
        self._contact_at = now
        self._tries = 0
        self.beat_at = now + self._heartbeat_s
        if end:
            self._end(now, report.CANCELLED, "the server asked for its end")

    def not_answered(self, now: float) -> None:
        """It did not: try again soon, then less often."""
        self._tries += 1
        self.beat_at = now + min(self._heartbeat_s, 0.5 * 2**self._tries)

    def orphaned(self, now: float) -> bool:
        """Whether the server has been away too long for the command to go on; its end is then decided."""
        if self.ended_for is not None or now < self._contact_at + self._orphan_after_s:
            return False
        self._end(now, report.LOST, f"ended by its worker after {self._orphan_after_s:.0f} s without its server")
        return True

    def over(self, now: float) -> bool:
        """Whether the command has run for longer than it asked for; its end is then decided."""
        if self.ended_for is not None or self._over_at is None or now < self._over_at:
            return False
        self._end(now, report.TIMEOUT, f"it ran beyond the {self._runtime_s:g} s that it asked for")
        return True

    def _end(self, now: float, reason: str, detail: str) -> None:
        if self.ended_for is None:
            self.ended_for = (reason, detail)
            self.kill_at = now + self._grace_s

    def next_at(self) -> float:
        """The next moment at which there is something to do."""
        moments = [self.beat_at]
        if self.ended_for is None:
            moments.append(self._contact_at + self._orphan_after_s)
            if self._over_at is not None:
                moments.append(self._over_at)
        if self.kill_at is not None:
            moments.append(self.kill_at)
        return min(moments)


def watch(
    attempt: Attempt, execution: Execution, heartbeat_s: float, orphan_after_s: float
) -> tuple[Ended, tuple[str, str] | None, str | None]:
    """Until the command has ended and nothing of it is left: how it ended, why the worker ended it (if it did), and the
    name of the last signal that came from outside and was passed on.
    """
    grace_s = attempt.start.get("grace_s", GRACE_S)
    clock = attempt.clock
    runtime_s = attempt.start.get("runtime_s")
    schedule = Schedule(clock.now(), heartbeat_s, orphan_after_s, grace_s, runtime_s)
    passed_on: str | None = None
    while (ended := reap(execution.pid)) is None:
        now = clock.now()
        if attempt.signals.ending is not None:
            passed_on = _NAMES[attempt.signals.ending]
            attempt.signals.ending = None
            schedule.beat_at = now  # whether it means cancellation is the server's to say
        cancelled = now >= schedule.beat_at and _beat(attempt, schedule)
        if cancelled or schedule.orphaned(now) or schedule.over(now):
            signal_group(execution.pid, _signal.SIGTERM)
        if schedule.kill_at is not None and now >= schedule.kill_at:
            kill(execution.pid)
            schedule.kill_at = None
        attempt.signals.wait(min(schedule.next_at() - clock.now(), _LOOK_S))
    attempt.signals.group = None  # gone; its number may be given to others
    kill_rest(execution.pid, attempt.signals)
    if passed_on is None and schedule.ended_for is None and report.ending_signal(ended.status) in _SENT_TO_ALL:
        attempt.signals.pause(_SAME_SIGNAL_S)
    if attempt.signals.ending is not None:
        passed_on = _NAMES[attempt.signals.ending]
        if schedule.ended_for is None:
            _beat(attempt, schedule)  # the command ended before the server could be asked whether that is cancellation
    return ended, schedule.ended_for, passed_on


def _beat(attempt: Attempt, schedule: Schedule) -> bool:
    """Send a heartbeat; whether its answer has decided that the command shall end."""
    undecided = schedule.ended_for is None
    try:
        end = attempt.beat()
    except Unreachable:
        attempt.away = True
        schedule.not_answered(attempt.clock.now())
        return False
    attempt.away = False
    schedule.answered(attempt.clock.now(), end)
    return end and undecided
