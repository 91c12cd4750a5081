"""The dummy keeps the contract, under every fault that a simulation without memory can show."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import attrs
import jobmon_dummy
from jobmon_dummy import Dummy
from jobmon_dummy.settings import Settings
from jobmon_dummy.simulation import Fate
from jobmon_dummy.simulation import executor_job_id as _id_of

from jobmon.plugins import Executor, Exited, Outcome, Reason, Rejected, SubmitRequest
from jobmon.testing import ExecutorConformance, Platform, World, does_not_apply

_DAYS_S = 3e7
STRANGER = "j" + "0" * 26


@attrs.frozen
class Ended(Fate):
    """A fate with an exit status of its own."""

    status: int = 0

    def end(self) -> Exited:
        return attrs.evolve(super().end(), status=self.status)


class DummyPlatform(Platform):
    """Changes what the simulation is made of: the settings of the executors, and the fates of single jobs."""

    reasons: ClassVar[tuple[Reason, ...]] = tuple(Reason)

    def __init__(self) -> None:
        self._settings = Settings(duration_s=_DAYS_S)
        self._executors: list[Executor] = []
        self._fates: dict[str, Fate] = {}
        self._refused: set[str] = set()

    def adopt(self, executor: Executor) -> None:
        executor.settings = self._settings
        self._executors.append(executor)

    def _become(self, **changes: object) -> None:
        self._settings = attrs.evolve(self._settings, **changes)
        for executor in self._executors:
            executor.settings = self._settings

    def attach(self, world: World) -> None:
        super().attach(world)
        self._simulated = jobmon_dummy.fate_of, jobmon_dummy.outcome_of
        jobmon_dummy.fate_of, jobmon_dummy.outcome_of = self._fate_of, self._outcome_of

    def prepare(self, request: SubmitRequest) -> None:
        """Nothing: nothing runs."""

    def close(self) -> None:
        jobmon_dummy.fate_of, jobmon_dummy.outcome_of = self._simulated

    def _fate_of(self, settings: Settings, token: str, task_name: str) -> Fate:
        return self._fates.get(token) or self._simulated[0](settings, token, task_name)

    def _outcome_of(self, settings: Settings, token: str) -> Outcome:
        return Rejected("the kit refuses it") if token in self._refused else self._simulated[1](settings, token)

    def finish(self, executor_job_id: str, status: int = 0) -> None:
        reason = Reason.EXIT_NONZERO if status else None
        self._fates[_token(executor_job_id)] = Ended(0.0, reason=reason, status=status)

    def end(self, executor_job_id: str, reason: Reason) -> None:
        self._fates[_token(executor_job_id)] = Fate(0.0, reason=reason)

    def hold_back(self, executor_job_id: str, why: str) -> None:
        does_not_apply("a simulated job runs at once")

    def cancel_slowly(self) -> None:
        does_not_apply("a simulated cancellation takes no time")

    def refuse_cancel(self, executor_job_id: str) -> None:
        does_not_apply("a simulated cancellation is never refused")

    def refuse(self) -> None:
        self._become(refused=1.0)

    def refuse_one(self, token: str) -> None:
        self._refused.add(token)

    def down(self) -> None:
        self._become(outage_at=datetime.now(UTC) - timedelta(days=2), outage_for_s=_DAYS_S)

    def up(self) -> None:
        self._become(outage_at=None)

    def accept_then_time_out(self) -> None:
        self._become(uncertain=1.0, uncertain_accepted=1.0)

    def accept_then_fail(self) -> None:
        self.accept_then_time_out()  # an error or none: the simulation says that it is uncertain

    def empty_answer(self) -> None:
        does_not_apply("the simulation keeps no list of what it was given")

    def half_answer(self) -> None:
        does_not_apply("the simulation answers whole or not at all")

    def forget(self, executor_job_id: str) -> None:
        self._fates[_token(executor_job_id)] = Fate(0.0, lost=True)

    def recycle(self, executor_job_id: str) -> str:
        return _id_of(STRANGER)

    def strangers(self, names: Sequence[str]) -> None:
        does_not_apply("the simulation knows jobs by their tokens, which are their ids")

    def untouched(self) -> bool:
        return self.world.context.last_pushed(STRANGER) is None

    def kill(self, executor_job_id: str) -> None:
        self.end(executor_job_id, Reason.SIGNALLED)

    def restart_host(self) -> None:
        for token in self.world.tokens():
            self._fates.setdefault(token, Fate(0.0, reason=Reason.NODE_FAILURE))

    def job_names(self) -> list[str]:
        does_not_apply("the simulation keeps no list of what it was given")


def _token(executor_job_id: str) -> str:
    return "j" + executor_job_id.removeprefix("dummy-")


class TestDummy(ExecutorConformance):
    executor_type = Dummy
    claims = "silver"
    platform_type = DummyPlatform
    complete = True
    runs_payloads = False
    finds_what_was_never_sent = True
    remembers_cancellations = False
