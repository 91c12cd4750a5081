"""This host as the platform."""

import os
import signal
from collections.abc import Mapping

from jobmon.testing.platform import Platform


class LocalPlatform(Platform):
    """This host, for executors that start `worker_argv` on it: what the kit can do to its own stand-ins."""

    def kill(self, executor_job_id: str) -> None:
        os.kill(self._process(executor_job_id), signal.SIGKILL)

    def _process(self, executor_job_id: str) -> int:
        token = self.world.token_of(executor_job_id)
        self.world.until(lambda: self.world.stand_ins.process(token), "its worker starts")
        return self.world.stand_ins.process(token) or 0

    def finish(self, executor_job_id: str, status: int = 0) -> None:
        self.world.stand_ins.end(self.world.token_of(executor_job_id), status)

    def work(self, executor_job_id: str) -> Mapping[str, float]:
        token, stand_ins = self.world.token_of(executor_job_id), self.world.stand_ins
        stand_ins.work(token)
        self.world.until(lambda: stand_ins.worked(token), "its worker has worked")
        return stand_ins.worked(token) or {}

    def job_names(self) -> list[str]:
        return self.world.stand_ins.starts()

    def arguments(self, executor_job_id: str) -> list[str]:
        token, stand_ins = self.world.token_of(executor_job_id), self.world.stand_ins
        self.world.until(lambda: stand_ins.arguments(token) is not None, "its worker starts")
        member = stand_ins.place(token)
        given = stand_ins.arguments(token) if member is None else stand_ins.array_arguments(*member)
        return [*stand_ins.argv(token)[:1], *(given or [])]
