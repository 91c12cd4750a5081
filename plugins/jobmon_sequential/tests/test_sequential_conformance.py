"""Sequential keeps the contract, with real processes of this host."""

import subprocess
from collections.abc import Sequence

import attrs
from jobmon_sequential import Sequential
from jobmon_sequential.identity import from_id, to_id

from jobmon.testing import ExecutorConformance, LocalPlatform, does_not_apply


class ProcessTable(LocalPlatform):
    """This host's processes: what cannot happen to them is said."""

    def __init__(self) -> None:
        self._strangers: list[subprocess.Popen[bytes]] = []

    def close(self) -> None:
        for stranger in self._strangers:
            stranger.kill()
            stranger.wait()

    def refuse(self) -> None:
        does_not_apply("a host refuses no process for good")

    def hold_back(self, executor_job_id: str, why: str) -> None:
        does_not_apply("a process runs as soon as it is there")

    def cancel_slowly(self) -> None:
        does_not_apply("how an attempt ended is told by its worker")

    def down(self) -> None:
        does_not_apply("the process table is never away")

    def accept_then_time_out(self) -> None:
        does_not_apply("the start of a process is answered at once")

    def accept_then_fail(self) -> None:
        does_not_apply("the start of a process is answered at once")

    def empty_answer(self) -> None:
        does_not_apply("the process table always has what lives")

    def strangers(self, names: Sequence[str]) -> None:
        does_not_apply("a process has no name that counts: it is known by its start, and by a mark that is whole")

    def half_answer(self) -> None:
        does_not_apply("the process table does not answer half")

    def forget(self, executor_job_id: str) -> None:
        does_not_apply("a process is never lost from the process table")

    def recycle(self, executor_job_id: str) -> str:
        self.kill(executor_job_id)
        stranger = subprocess.Popen(["sleep", "60"])
        self._strangers.append(stranger)
        process = from_id(executor_job_id)
        return to_id(attrs.evolve(process, pid=stranger.pid, started=process.started - 1))

    def untouched(self) -> bool:
        return all(stranger.poll() is None for stranger in self._strangers)

    def restart_host(self) -> None:
        for executor_job_id in self.world.ids():
            self.kill(executor_job_id)


class TestSequential(ExecutorConformance):
    executor_type = Sequential
    real_platform = True
    claims = "gold"
    platform_type = ProcessTable
    complete = True
    tells_reasons = False
    lives = 5
    shrinks = False
