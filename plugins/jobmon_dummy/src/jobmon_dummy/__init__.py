"""An executor that runs nothing: the smallest whole plugin, to be read before you write one.

Four things make a plugin. Its `pyproject.toml` has an entry point in the group `jobmon.executors`, named like the type.
The module behind it has the hook at the end of this file. The hook returns a class derived from `Executor`. And that
class says what it can do in class attributes and does it in `submit`, `observe`, `cancel` and `find`.

The host calls these methods one at a time from one thread, limits how often and for how long, tries again when the
platform is away, and remembers what must be remembered. So there is no loop, no thread, no retry and no state here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from jobmon.plugins import (
    Absent,
    Accepted,
    Executor,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    Reason,
    Reporting,
    Running,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    hookimpl,
)
from jobmon_dummy.settings import Settings
from jobmon_dummy.simulation import executor_job_id, fate_of, has, outcome_of

_TOKEN_AND_DASH = 28  # a job's name is its token of 27 characters, a dash, and the cleaned name of its task


class Dummy(Executor):
    """Jobs that take some time, or none, and then succeed or do not."""

    name: ClassVar[str] = "dummy"
    #: The version of the contract that this plugin was written for: (major, minor).
    api_version: ClassVar[tuple[int, int]] = (1, 0)
    #: The host builds `self.settings` from the executor's table in jobmon.toml, and checks it.
    settings_type: ClassVar[type] = Settings
    #: No worker runs beside a simulated job: what `observe` says is all that anybody knows. Most types run
    #: `request.worker_argv` and leave this at its default, Reporting.WORKER.
    reporting: ClassVar[Reporting] = Reporting.PLATFORM

    settings: Settings

    def running_limit(self) -> int | None:
        """The host gives no more than this many attempts at once."""
        return self.settings.workers

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        """Yield each outcome as soon as it is known: the host commits it at once, so that a crash loses little."""
        self._answer_or_raise()
        ended: dict[str, Observation] = {}
        for request in requests:
            outcome = outcome_of(self.settings, request.token)
            yield request.token, outcome
            if isinstance(outcome, Accepted):
                fate = fate_of(self.settings, request.token, request.job_name[_TOKEN_AND_DASH:])
                if fate.duration_s == 0 and not fate.lost:
                    ended[request.token] = fate.end()
        # A platform that knows at once may say so without being asked. This is optional: `observe` would find out too.
        if ended:
            self.context.report(observations=ended)

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        """Answer for every attempt that was asked about, and for no other."""
        self._answer_or_raise()
        return {attempt.token: self._look_at(attempt) for attempt in submitted}

    def _look_at(self, attempt: Submitted) -> Observation:
        # Platforms use ids again: a row that does not carry the token is another job, and must not be credited.
        if attempt.executor_job_id != executor_job_id(attempt.token):
            return Absent(self.now())
        fate = fate_of(self.settings, attempt.token, attempt.job_name[_TOKEN_AND_DASH:])
        if self.now() < attempt.submitted_at + timedelta(seconds=fate.duration_s):
            return Running()
        # Absent means: the platform gave a complete answer, and the job is not in it. It never means success.
        return Absent(self.now()) if fate.lost else fate.end()

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        """Ask for their ends. The host repeats this until it has seen them end, so nothing needs to be remembered."""
        self._answer_or_raise()
        cancelled = Exited(reason=Reason.CANCELLED, detail="simulated cancellation")
        # What has ended already, or never was there, keeps its own end, which `observe` tells.
        live = [attempt for attempt in submitted if isinstance(self._look_at(attempt), Running)]
        self.context.report(observations={attempt.token: cancelled for attempt in live})

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        """Say whether submissions of unknown outcome arrived: by the token at the start of the job's name there.

        Having no memory, the simulation takes it that each of them was sent.
        """
        self._answer_or_raise()
        return {
            s.token: Found(executor_job_id(s.token)) if has(self.settings, s.token) else Absent(self.now())
            for s in submissions
        }

    def _answer_or_raise(self) -> None:
        """Raise while the platform is away. No job suffers from this, however long it lasts."""
        begin = self.settings.outage_at
        if begin is not None and begin <= self.now() < begin + timedelta(seconds=self.settings.outage_for_s):
            raise SchedulerUnavailable("simulated outage")


@hookimpl
def jobmon_executor_types() -> list[type[Executor]]:
    """Every plugin has this hook; one of the classes must be named like the entry point."""
    return [Dummy]
