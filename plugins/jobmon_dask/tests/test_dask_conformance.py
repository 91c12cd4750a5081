"""Dask keeps the contract, with a real scheduler and real workers that die."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest
from distributed import Client
from jobmon_dask import Dask, Settings
from jobmon_dask.cluster import Cluster

from jobmon.plugins import Executor, Reason, SchedulerUnavailable, kill_marked
from jobmon.testing import ExecutorConformance, LocalPlatform, World, does_not_apply

#: While the scheduler is away each call takes as long as it may. Else it may take long: the host may be busy.
_AWAY_S, _TIMEOUT_S = 0.5, 15.0


class DaskPlatform(LocalPlatform):
    """The nodes of a cluster, and the line of executors to it."""

    reasons: ClassVar[tuple[Reason, ...]] = (Reason.EXIT_NONZERO, Reason.SIGNALLED, Reason.NODE_FAILURE)
    #: Of the class, because the kit may make one platform within the time of another.
    away: ClassVar[bool] = False

    def __init__(self, nodes: Any) -> None:
        self._nodes = nodes
        self._lose_answer = False
        self._slow = False

    def attach(self, world: World) -> None:
        super().attach(world)
        self._ask = Cluster.ask
        Cluster.ask = lambda cluster, what, **message: self._asked(cluster, what, message)
        self._map, self._wanted = Client.map, dict[str, str]()
        Client.map = self._mapped()
        self._line = Cluster(Settings(scheduler_file=self._nodes.file), "kit", self._heard)

    def _mapped(self) -> Any:
        """`Client.map`, which notes what tasks are given with."""

        def mapped(client: Client, *arguments: Any, key: list[str], **wanted: Any) -> Any:
            self._wanted.update(dict.fromkeys(key, repr(sorted(wanted.items()))))
            return self._map(client, *arguments, key=key, **wanted)

        return mapped

    def given(self, executor_job_id: str) -> str:
        return self._wanted[executor_job_id]

    @staticmethod
    async def _heard(event: tuple[float, str]) -> None:
        """Nothing: the executor has a line of its own."""

    def _asked(self, cluster: Cluster, what: str, message: dict[str, Any]) -> Any:
        limit_s = _AWAY_S if DaskPlatform.away else _TIMEOUT_S
        cluster._settings = attrs.evolve(cluster._settings, timeout_s=limit_s)
        answer = self._ask(cluster, what, **message)
        if what == "arrived" and self._lose_answer:
            self._lose_answer = False
            raise SchedulerUnavailable("the kit keeps the answer back")
        return answer

    def adopt(self, executor: Executor) -> None:
        """Nothing: an executor finds the cluster by its settings."""

    def close(self) -> None:
        Cluster.ask, Client.map = self._ask, self._map
        self.up()
        self.world.stand_ins.close()
        self._tell("cancel")
        for token in self.world.tokens():
            kill_marked("JOBMON_ATTEMPT", token)
        self._tell("settle")
        self._line.close()

    def _tell(self, what: str) -> None:
        """What speaks to a scheduler tries again when it is away; `distributed` takes a full first message for that."""
        for last in (False, False, True):
            try:
                self._line.ask(what, tokens=self.world.tokens())
                return
            except SchedulerUnavailable:
                if last:
                    raise

    def end(self, executor_job_id: str, reason: Reason) -> None:
        match reason:
            case Reason.EXIT_NONZERO:
                self.finish(executor_job_id, 1)
            case Reason.SIGNALLED:
                self.kill(executor_job_id)
            case Reason.NODE_FAILURE:
                self.restart_host()

    def finish(self, executor_job_id: str, status: int = 0) -> None:
        super().finish(executor_job_id, status)
        if self._slow:
            self._resume(executor_job_id)

    def cancel_slowly(self) -> None:
        """The runners of payloads do not get to hear what they are asked."""
        self._slow = True
        for executor_job_id in self.world.ids():
            os.kill(self._runner(executor_job_id), signal.SIGSTOP)

    def _resume(self, executor_job_id: str) -> None:
        command, runner = self._process(executor_job_id), self._runner(executor_job_id)
        self.world.until(lambda: _state(command) == "Z", "its command ends")
        os.kill(runner, signal.SIGCONT)

    def _runner(self, executor_job_id: str) -> int:
        return int(_stat(self._process(executor_job_id))[1])

    def refuse(self) -> None:
        does_not_apply("Dask takes every task")

    def refuse_one(self, token: str) -> None:
        self.refuse()

    def hold_back(self, executor_job_id: str, why: str) -> None:
        does_not_apply("Dask lets a task wait for a free worker alone; the tests of the plugin have that")

    def refuse_cancel(self, executor_job_id: str) -> None:
        does_not_apply("the ledger takes every cancellation")

    def down(self) -> None:
        DaskPlatform.away = True
        self._nodes.scheduler.send_signal(signal.SIGSTOP)

    def up(self) -> None:
        DaskPlatform.away = False
        self._nodes.scheduler.send_signal(signal.SIGCONT)

    def accept_then_time_out(self) -> None:
        self._lose_answer = True

    def accept_then_fail(self) -> None:
        self.accept_then_time_out()  # whatever goes wrong when the tasks were sent is an outage

    def empty_answer(self) -> None:
        does_not_apply("the ledger is asked for tokens: it lists nothing")

    def strangers(self, names: Sequence[str]) -> None:
        does_not_apply("the ledger knows attempts by their tokens, and its clients' tasks alone")

    def kill_runner(self, executor_job_id: str) -> None:
        os.kill(self._runner(executor_job_id), signal.SIGKILL)

    def half_answer(self) -> None:
        does_not_apply("an answer is one message: it comes whole or not")

    def forget(self, executor_job_id: str) -> None:
        self._line.ask("settle", tokens=[self.world.token_of(executor_job_id)])

    def recycle(self, executor_job_id: str) -> str:
        does_not_apply("an id begins with the token")

    def restart_host(self) -> None:
        for executor_job_id in self.world.ids():  # what has not begun would begin elsewhere
            self._process(executor_job_id)
        self._nodes.kill_workers()
        self._nodes.grow(2)

    def job_names(self) -> list[str]:
        away = DaskPlatform.away
        self.up()  # away for executors is not away for the kit
        found = self._line.ask("find", tokens=self.world.tokens())
        if away:
            self.down()
        return [key for key in found.values() if key]


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _state(pid: int) -> str:
    return _stat(pid)[0]


class TestDask(ExecutorConformance):
    executor_type = Dask
    real_platform = True
    claims = "gold"
    own_resources = {"resources": {"GPU": 1}, "priority": 7, "workers": ["node7"]}  # noqa: RUF012
    tells_usage = True
    many = 1000
    lives = 6
    shrinks = False
    complete = True

    @pytest.fixture(autouse=True)
    def _cluster(self, nodes: Any) -> None:
        TestDask.nodes = nodes
        TestDask.settings = Settings(scheduler_file=nodes.file, timeout_s=_TIMEOUT_S)

    def platform(self) -> DaskPlatform:
        return DaskPlatform(self.nodes)
