"""What the host asks of an executor, but for submissions: each answer is checked before anything is made of it."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TypeVar

from jobmon.clock import Clock
from jobmon.managers.host import ExecutorHost
from jobmon.managers.wrong_answers import WrongAnswers
from jobmon.plugins import (
    CannotTell,
    Executor,
    Finding,
    Observation,
    Submission,
    Submitted,
    Unknown,
    answers,
)
from jobmon.plugins.answer_parts import Fault, Span, wrong_limit

T = TypeVar("T")


class Asking:
    """Asks one executor. Each method raises SchedulerUnavailable where the executor does, or fails in another way."""

    def __init__(self, host: ExecutorHost, clock: Clock, wrong: WrongAnswers) -> None:
        self._host, self._clock, self._wrong = host, clock, wrong

    def observe(self, submitted: Sequence[Submitted]) -> dict[str, Observation]:
        """What the platform says of each, by token."""
        tokens = [one.token for one in submitted]
        ask: Callable[[Executor], object] = lambda executor: executor.observe(submitted=submitted)  # noqa: E731
        return self._of_each("observe", tokens, ask, answers.observation, Unknown)

    def find(self, submissions: Sequence[Submission]) -> dict[str, Finding]:
        """Whether the platform has each, by token."""
        tokens = [one.token for one in submissions]
        ask: Callable[[Executor], object] = lambda executor: executor.find(submissions=submissions)  # noqa: E731
        return self._of_each("find", tokens, ask, answers.finding, CannotTell)

    def cancel(self, submitted: Sequence[Submitted]) -> None:
        """Ask the platform to end them."""
        self._host.call("cancel", lambda executor: executor.cancel(submitted=submitted))

    def running_limit(self) -> int | None:
        """How many attempts it can use at once; None: as many as there are."""
        limit: object = self._host.call("running_limit", lambda executor: executor.running_limit())
        return None if limit is None else self._limit("running_limit", limit)

    def array_limit(self) -> int:
        """The most attempts of one array; 1: it has none."""
        return self._limit("array_limit", self._host.call("array_limit", lambda executor: executor.array_limit()))

    def cluster_host(self) -> str | None:
        """A host of the cluster; None: none is known."""
        host, faults = answers.host(self._host.call("cluster_host", lambda executor: executor.cluster_host()))
        self._wrong.heard("cluster_host", faults)
        return host

    def _limit(self, method: str, limit: object) -> int:
        if not (wrong := wrong_limit(limit)):
            return limit  # type: ignore[return-value]
        self._wrong.heard(method, [Fault(f"{wrong}; 1 is taken")])
        return 1

    def _of_each(
        self,
        method: str,
        tokens: Sequence[str],
        ask: Callable[[Executor], object],
        check: Callable[[object, Span], tuple[T, list[Fault]]],
        missing: Callable[[str], T],
    ) -> dict[str, T]:
        def work(executor: Executor) -> tuple[dict[str, T], list[Fault]]:
            clock = self._clock
            began, began_s = clock.now(), clock.monotonic()
            answer = ask(executor)

            @cache
            def during() -> Span:
                return Span.measured(began, clock.now(), clock.monotonic() - began_s)

            # In the executor's thread: what it answers may be made only while it is read.
            return answers.by_token(answer, tokens, lambda told: check(told, during()), missing)

        found, faults = self._host.call(method, work)
        self._wrong.heard(method, faults)
        return found
