"""Run jobs on this host, several at once, through the core's agent."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import attrs

from jobmon.plugins import (
    Absent,
    Accepted,
    Deferred,
    Executor,
    ExecutorContext,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    Pending,
    Reason,
    Reporting,
    Running,
    Submission,
    SubmitRequest,
    Submitted,
    Support,
    hookimpl,
    setting,
)
from jobmon_multiprocess.agent import Agent, AgentUnavailable, Reply

__all__ = ["Multiprocess", "Settings", "jobmon_executor_types"]

#: Attempts beyond those that run, so that the agent never waits for the manager.
_BACKLOG = 1000
_RETRY_S = 1.0


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0))


@attrs.frozen
class Settings:
    """How many jobs run at once."""

    workers: int = setting(
        factory=_usable_cores, validator=attrs.validators.ge(1), help="how many jobs run at once; not given: the cores"
    )


class Multiprocess(Executor):
    """Jobs on this host. The id of an attempt is the id of the agent's life, a slash, and its token."""

    name = "multiprocess"
    api_version = (1, 0)
    settings_type = Settings
    reporting = Reporting.AGENT
    core_resources = MappingProxyType({"cores": Support.BOOKED, "runtime": Support.ENFORCED})

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._agent: Agent | None = None

    def start(self, context: ExecutorContext) -> None:
        super().start(context)
        self._ask({"workers": self.settings.workers})  # the agent begins while the workflow is still being bound

    def stop(self) -> None:
        if self._agent is not None:
            self._agent.close()

    def running_limit(self) -> int | None:
        workers: int = self.settings.workers
        return max(4 * workers, workers + _BACKLOG)

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        orders = [
            {"token": request.token, "cores": request.resources.cores, "runtime_s": request.resources.runtime}
            for request in requests
        ]
        try:
            reply = self._ask({"workers": self.settings.workers, "submit": orders})
        except AgentUnavailable as error:
            if error.asked:
                raise  # it may have them
            return [(request.token, Deferred(str(error), _RETRY_S)) for request in requests]
        if reply.error:
            return [(request.token, Deferred(reply.error, _RETRY_S)) for request in requests]
        return _accepted(reply.agent, reply.accepted)

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        reply = self._ask({"ask": [attempt.token for attempt in submitted]})
        return {s.token: self._seen(s, reply, reply.stages.get(s.token)) for s in submitted}

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        self._ask({"cancel": [attempt.token for attempt in submitted]})

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        reply = self._ask({"ask": [submission.token for submission in submissions]})
        now = self.now()
        known = {token for token, stage in reply.stages.items() if stage != "dropped"}
        return {s.token: Found(f"{reply.agent}/{s.token}") if s.token in known else Absent(now) for s in submissions}

    def _seen(self, attempt: Submitted, reply: Reply, stage: str | None) -> Observation:
        match stage:
            case "waiting":
                return Pending("; ".join(filter(None, (reply.full or "waits for a free worker", self._deaths()))))
            case "running" | "ended":  # the server hears of its end from the agent
                return Running()
            case "dropped":
                return Absent(self.now())
        if attempt.executor_job_id.startswith(f"{reply.agent}/"):
            return Exited(reason=Reason.LOST, detail="it ended here and the server has been told how")
        # This agent holds the lock of the folder, so nothing of an older one is alive.
        told = ("the agent that ran it died, and what it ran was ended with it", self._deaths())
        return Exited(reason=Reason.LOST, detail="; ".join(filter(None, told)))

    def _deaths(self) -> str:
        return "" if self._agent is None else self._agent.deaths.words(time.monotonic())

    def _ask(self, question: Mapping[str, object]) -> Reply:
        if self._agent is None:
            argv = self.context.agent_argv(workers=self.settings.workers)
            self._agent = Agent(self.context.state_folder, argv)
        return self._agent.ask(question)


def _accepted(agent: str, tokens: Iterable[str]) -> Iterator[tuple[str, Outcome]]:
    for token in tokens:
        yield token, Accepted(f"{agent}/{token}")


@hookimpl
def jobmon_executor_types() -> list[type[Executor]]:
    """The type of this plugin."""
    return [Multiprocess]
