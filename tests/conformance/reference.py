"""A right executor on the kit's table of jobs, from which the wrong ones are derived."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRefused,
    ArrayRequest,
    Executor,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    Pending,
    Rejected,
    Resources,
    Running,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Support,
    Uncertain,
    setting,
)
from jobmon.testing import (
    AnswerLost,
    ArrayTooLarge,
    CancelRefused,
    ExecutorConformance,
    JobRefused,
    JobTable,
    Platform,
    PlatformAway,
    TableJob,
)

TOKEN_LENGTH = 27


@attrs.frozen
class Settings:
    """Where the jobs are."""

    table: Any = attrs.field(factory=JobTable)


@attrs.frozen
class Own:
    """What a task may ask for under the type's name."""

    queue: str = setting("all", help="where it waits")


class Memory(Executor):
    """Jobs of a table in memory."""

    name = "memory_table"
    api_version = (1, 0)
    settings_type = Settings
    resources_type = Own
    core_resources = MappingProxyType(
        {"cores": Support.BOOKED, "memory": Support.ENFORCED, "runtime": Support.ENFORCED}
    )
    settings: Settings

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        for request in requests:
            yield request.token, self.outcome(request)

    def outcome(self, request: SubmitRequest) -> Outcome:
        try:
            asked = self.asked(request.resources)
            return Accepted(self.settings.table.submit(request.job_name, list(request.worker_argv), asked))
        except PlatformAway as error:
            raise SchedulerUnavailable(str(error)) from error
        except AnswerLost as error:
            return Uncertain(str(error))
        except JobRefused as error:
            return Rejected(str(error))

    def asked(self, resources: Resources) -> dict[str, Any]:
        core = {key: getattr(resources, key) for key in ("cores", "memory", "runtime")}
        return {**core, "queue": resources.own.queue}

    def array_limit(self) -> int:
        return 100

    def submit_array(self, *, array: ArrayRequest) -> Iterable[tuple[str, Outcome]]:
        outcome = self.array_outcome(array)
        for index, token in enumerate(array.members, 1):
            yield token, Accepted(f"{outcome.executor_job_id}.{index}") if isinstance(outcome, Accepted) else outcome

    def array_outcome(self, array: ArrayRequest) -> Outcome:
        try:
            number = self.settings.table.submit_array(array.job_name, list(array.worker_argv), len(array.members))
        except PlatformAway as error:
            raise SchedulerUnavailable(str(error)) from error
        except AnswerLost as error:
            return Uncertain(str(error))
        except ArrayTooLarge as error:
            raise ArrayRefused(str(error), limit=error.limit) from error
        except JobRefused as error:
            return Rejected(str(error))
        return Accepted(number)

    def rows(self) -> list[TableJob]:
        try:
            listing = self.settings.table.listing()
        except PlatformAway as error:
            raise SchedulerUnavailable(str(error)) from error
        if not listing.complete:
            raise SchedulerUnavailable("the listing broke off")
        return list(listing.jobs)

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        rows = {row.id: row for row in self.rows()}
        return {one.token: self.seen(one, rows.get(one.executor_job_id)) for one in submitted}

    def seen(self, one: Submitted, row: TableJob | None) -> Observation:
        if row is None or row.name != one.job_name:
            return Absent(self.now())
        return self.end(row) if row.ended else self.live(row)

    def live(self, row: TableJob) -> Observation:
        return Pending(f"the table says {row.waits}") if row.waits else Running()

    def end(self, row: TableJob) -> Exited:
        return Exited(row.status, row.reason, usage=row.used, detail=f"ended: {row.reason}")

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        for one in submitted:
            self.delete(one)

    def delete(self, one: Submitted) -> None:
        try:
            self.settings.table.delete(one.executor_job_id, one.job_name)
        except PlatformAway as error:
            raise SchedulerUnavailable(str(error)) from error
        except CancelRefused:
            return  # the host asks again

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        rows = {(row.name, row.index): row for row in self.rows()}
        found = {s.token: rows.get((s.job_name, s.index)) for s in submissions}
        return {token: Absent(self.now()) if row is None else Found(row.id) for token, row in found.items()}


class MemoryConformance(ExecutorConformance):
    """The kit on the table in memory."""

    executor_type: Any = Memory
    platform_type = JobTable
    own_resources = MappingProxyType({"queue": "long"})
    tells_usage = True
    tells_pending_reasons = True
    many = 300
    patience_s = 0.0
    lives = 15

    def make(self, platform: Platform) -> Executor:
        assert isinstance(platform, JobTable)
        return self.executor_type(Settings(platform))  # type: ignore[no-any-return]
