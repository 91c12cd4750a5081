"""This host as the platform."""

import os
import signal
from collections.abc import Mapping

from jobmon.testing.platform import Platform

_STARTS = "its worker starts (an executor whose platform runs few at a time says so by running_limit)"
_WORKED = (
    "its worker has worked (it takes 200 MB: where the platform enforces memory, have resources of the test class ask "
    "for 400 MB or more)"
)


class LocalPlatform(Platform):
    """This host, for executors that start `worker_argv` on it: what the kit can do to its own stand-ins.

    If what starts them runs few at a time, the executor's `running_limit` says how many: others never start.
    """

    def kill(self, executor_job_id: str) -> None:
        os.kill(self._process(executor_job_id), signal.SIGKILL)

    def _process(self, executor_job_id: str) -> int:
        token = self.world.token_of(executor_job_id)
        self.world.until(lambda: self.world.stand_ins.process(token), _STARTS)
        return self.world.stand_ins.process(token) or 0

    def finish(self, executor_job_id: str, status: int = 0) -> None:
        self.world.stand_ins.end(self.world.token_of(executor_job_id), status)

    def work(self, executor_job_id: str) -> Mapping[str, float]:
        token, stand_ins = self.world.token_of(executor_job_id), self.world.stand_ins
        stand_ins.work(token)
        self.world.until(lambda: stand_ins.worked(token), _WORKED)
        return stand_ins.worked(token) or {}

    def job_names(self) -> list[str]:
        return self.world.stand_ins.starts()

    def arguments(self, executor_job_id: str) -> list[str]:
        token, stand_ins = self.world.token_of(executor_job_id), self.world.stand_ins
        self.world.until(lambda: stand_ins.arguments(token) is not None, _STARTS)
        member = stand_ins.place(token)
        given = stand_ins.arguments(token) if member is None else stand_ins.array_arguments(*member)
        return [*stand_ins.argv(token)[:1], *(given or [])]
