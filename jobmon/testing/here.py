"""Workflows on an executor under test: what is submitted to its fake platform runs on this host."""

import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from jobmon.plugins import Executor, Reason
from jobmon.processes import kill_marked
from jobmon.testing.command_platform import CommandPlatform
from jobmon.testing.conformance import ExecutorConformance
from jobmon.testing.job_table import JobTable, TableJob
from jobmon.testing.local_platform import LocalPlatform
from jobmon.testing.sentences import not_exercised
from jobmon.testing.world import World
from jobmon.testing.written_checks import METHODS, left_to_write

_MARK = "JOBMON_TESTING_HERE"  #: in the environment of all that is started
_OF_THE_USER = ("JOBMON_SERVER", "JOBMON_TOKEN", "JOBMON_TOKEN_FILE", "JOBMON_DISABLE_PLUGINS")


PlatformT = TypeVar("PlatformT", bound=CommandPlatform | LocalPlatform)


@contextmanager
def jobs_run_here(executor_type: type[Executor], platform_type: type[PlatformT], folder: Path) -> Iterator[PlatformT]:
    """While this lasts, workflows that use the installed executor type run their jobs on this host.

    The commands of a CommandPlatform are fakes on PATH, and the table behind them starts what it is given. A
    LocalPlatform is left as it is: its program starts them. Data and configuration are in the folder, none of the
    user's. At the end all that was started is ended, the server included. Where a method of the executor is left to
    write, the test is not exercised.
    """
    here = type("Here", (_RunsJobs, platform_type), {}) if issubclass(platform_type, JobTable) else platform_type
    tests = type("Tests", (ExecutorConformance,), {"executor_type": executor_type, "platform_type": here})
    mark, before = uuid.uuid4().hex, dict(os.environ)
    for name in _OF_THE_USER:
        os.environ.pop(name, None)
    own = {"JOBMON_DATA": folder / "data", "XDG_CONFIG_HOME": folder / "configuration", _MARK: mark}
    os.environ.update({name: str(value) for name, value in own.items()})
    try:
        world = World(tests(), folder)
        try:
            if any(left_to_write(world, method) for method in METHODS):
                not_exercised("the executor is left to write")
            yield world.platform  # type: ignore[misc]
        finally:
            kill_marked(_MARK, mark)
            world.close()
    finally:
        os.environ.clear()
        os.environ.update(before)


class _RunsJobs(JobTable):
    """A table that starts its jobs."""

    def __init__(self) -> None:
        super().__init__()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def submit(self, name: str, argv: list[str], *given: Any, **more: Any) -> str:
        job_id = super().submit(name, argv, *given, **more)
        self._begin(self.jobs[job_id])
        return job_id

    def submit_array(self, name: str, argv: list[str], members: int, *given: Any, **more: Any) -> str:
        number = super().submit_array(name, argv, members, *given, **more)
        for index in range(1, members + 1):
            self._begin(self.jobs[f"{number}.{index}"])
        return number

    def delete(self, executor_job_id: str, name: str | None = None) -> bool:
        deleted = super().delete(executor_job_id, name)
        if deleted:
            with suppress(ProcessLookupError):
                os.killpg(self._processes[executor_job_id].pid, signal.SIGTERM)
        return deleted

    def _begin(self, job: TableJob) -> None:
        process = self._processes[job.id] = subprocess.Popen(
            job.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        threading.Thread(target=self._follow, args=(job, process), name=f"job {job.id}", daemon=True).start()

    def _follow(self, job: TableJob, process: "subprocess.Popen[bytes]") -> None:
        status = process.wait()
        if not job.ended:
            job.reason = None if status == 0 else Reason.EXIT_NONZERO if status > 0 else Reason.SIGNALLED
            job.status = status if status >= 0 else 128 - status
            job.ended = True
