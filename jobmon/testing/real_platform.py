"""A real platform, on which the kit runs jobs of its own and touches no others."""

import os
import re
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jobmon.plugins import BatchExecutor, Completed, Executor, Exited, Reason, SchedulerUnavailable
from jobmon.testing.local_platform import LocalPlatform
from jobmon.testing.real_run import PREFIX, real_tokens
from jobmon.testing.sentences import not_exercised
from jobmon.testing.shared_stand_ins import SharedStandIns
from jobmon.testing.stand_in import StandIns

if TYPE_CHECKING:
    from jobmon.testing.world import World

_TOKEN_LENGTH = 27


class RealPlatform(LocalPlatform):
    """The platform itself. Every job's name begins with the prefix of this run, and no other job is ever touched.

    Programs stand in for workers, so that a job lasts until the kit ends it. For an executor derived from
    BatchExecutor nothing has to be defined; for another, `jobs` and `end_jobs`. Faults are made between the executor
    and its commands, in what `Executor.run` returns: the platform goes on meanwhile. Define `refuse`, `hold_back` and
    `restart_host` where the real platform can be made to do so, and override whatever it does in its own way.
    """

    #: Why the kit has a job end: with a status, or by a signal. Fewer, if the platform does not tell them apart.
    reasons: ClassVar[tuple[Reason, ...]] = (Reason.EXIT_NONZERO, Reason.SIGNALLED)
    #: What a command says, on standard error, while the platform is away.
    away: ClassVar[str] = "error: no answer from the scheduler"
    #: What it says when its connection ends after it has sent a job.
    broken: ClassVar[str] = "error: the connection broke off"

    # What the platform has.

    def jobs(self) -> Mapping[str, str]:
        """Names by id of this user's jobs that wait or run: what would be left behind. More may be in it.

        Raises:
            SchedulerUnavailable: the platform does not answer.
        """
        executor = self._batch_executor()
        rows = [row for row in executor.listing() if not isinstance(executor.meaning(row), Exited)]
        return {
            executor.member_id(row.id, index) if row.members else row.id: row.name
            for row in rows
            for index in row.members or (0,)
        }

    def end_jobs(self, ids: Sequence[str]) -> None:
        """End these jobs of the run, by the ids that `jobs` gave. It may be called again until they are gone.

        Raises:
            SchedulerUnavailable: the platform does not answer.
        """
        self._batch_executor().cancel_ids(ids)

    def _batch_executor(self) -> BatchExecutor:
        """One of the kit's own, whose commands nothing disturbs."""
        executor = self.world.conformance.make(self)
        assert isinstance(executor, BatchExecutor), f"{type(self).__name__} does not define jobs() and end_jobs()"
        return executor

    @classmethod
    def lacks(cls, executor_type: type[Executor]) -> str:
        if issubclass(executor_type, BatchExecutor) or RealPlatform not in (_home(cls, "jobs"), _home(cls, "end_jobs")):
            return ""
        return (
            f"{executor_type.__name__} is not derived from BatchExecutor, so the real platform has to be told how its "
            "jobs are listed and ended: derive a class from RealPlatform, define jobs() and end_jobs(), and write "
            "platform_type = that class"
        )

    def left(self) -> dict[str, str]:
        """Names by id of the jobs of this run that the platform has."""
        return {one: name for one, name in self.jobs().items() if name.startswith(PREFIX)}

    # One test.

    def new_tokens(self, count: int) -> list[str]:
        return real_tokens(count)

    def new_stand_ins(self, folder: Path) -> StandIns:
        return SharedStandIns(folder)

    def attach(self, world: "World") -> None:
        super().attach(world)
        self._away = self._loses = self._breaks = self._halves = False
        self._forgotten: set[str] = set()
        self._strangers: dict[str, str] = {}  #: ids by the token in whose place the stranger's name is shown
        self._seen: dict[str, str] = {}
        self._given: list[str] = []
        self._closed, self._running = False, 0
        self._changed = threading.Condition()

    def adopt(self, executor: Executor) -> None:
        def run(argv: Sequence[str], **given: Any) -> Completed:
            with self._changed:
                if self._closed:
                    raise SchedulerUnavailable("the test is over")
                self._running += 1
            try:
                return self.run(executor, argv, **given)
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

        executor.run = run  # type: ignore[method-assign]

    def close(self) -> None:
        """End what this run has at the platform. No executor reaches it any more."""
        with self._changed:  # else a call that goes on, as after an interrupt, would submit more
            self._closed = True
            self._changed.wait_for(lambda: not self._running, self.world.conformance.call_timeout_s)
        try:
            self.end_left()
        except SchedulerUnavailable:
            return  # at the end of the run it is done again

    def end_left(self) -> dict[str, str]:
        """End what the platform has of this run: names by id."""
        left = self.left()
        if left:
            self.end_jobs(list(left))
        return left

    # Between the executor and its commands.

    def run(self, executor: Executor, argv: Sequence[str], **given: Any) -> Completed:
        """Run a command for an executor, and disturb what it answers."""
        if self._away:
            return Completed(tuple(argv), 1, "", self.away)
        done = type(executor).run(executor, argv, **given)
        if self.world.calling == "submit":
            text = "\n".join((*argv, str(given.get("stdin", "")), *_added(given.get("environment"))))
            if PREFIX in text:
                self._given.append(text)
                if self._loses:
                    self._loses = False
                    return Completed(tuple(argv), None, "", "")
                if self._breaks:
                    self._breaks = False
                    return Completed(tuple(argv), 1, "", self.broken)
        elif self._halves:
            self._halves = False
            return Completed(tuple(argv), 1, done.stdout[: len(done.stdout) // 2], "error: connection reset")
        return Completed(tuple(argv), done.status, self._disguised(done.stdout), done.stderr)

    def _disguised(self, text: str) -> str:
        """What a command printed, without the rows of what is forgotten, and with the names of strangers."""
        if self._forgotten:
            word = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(self._forgotten)))})(?![\w.])")
            text = "".join(line for line in text.splitlines(keepends=True) if not word.search(line))
        for token in self._strangers:
            text = text.replace(token, "somebody-elses-job".ljust(_TOKEN_LENGTH, "-"))
        return text

    # What the kit does to it.

    def end(self, executor_job_id: str, reason: Reason) -> None:
        if reason is Reason.SIGNALLED:
            self.kill(executor_job_id)
        else:
            self.finish(executor_job_id, 3)

    def kill(self, executor_job_id: str) -> None:
        token = self.world.token_of(executor_job_id)
        self.world.until(lambda: self.world.stand_ins.starts(token), "its worker starts")
        if self.world.stand_ins.process(token) is None:
            not_exercised("the job runs on another host, and the platform object has no kill()")
        super().kill(executor_job_id)

    def down(self) -> None:
        self._away = True

    def up(self) -> None:
        self._away = False

    def accept_then_time_out(self) -> None:
        self._loses = True

    def accept_then_fail(self) -> None:
        self._breaks = True

    def half_answer(self) -> None:
        self._halves = True

    def forget(self, executor_job_id: str) -> None:
        self.end_jobs([executor_job_id])
        self._forgotten |= {executor_job_id, self.world.token_of(executor_job_id)}

    def recycle(self, executor_job_id: str) -> str:
        self._strangers[self.world.token_of(executor_job_id)] = executor_job_id
        return executor_job_id

    def untouched(self) -> bool:
        return set(self._strangers.values()) <= set(self.jobs())

    def given(self, executor_job_id: str) -> str:
        """The command line of the job's submission, an argument a line, its standard input and environment."""
        token = self.world.token_of(executor_job_id)
        place = self.world.stand_ins.place(token)
        return "\n".join(text for text in self._given if (token if place is None else place[0]) in text)

    def job_names(self) -> list[str]:
        tokens = self.world.tokens()
        arrays = {place[0] for token in tokens if (place := self.world.stand_ins.place(token)) is not None}
        singles = [token for token in tokens if self.world.stand_ins.place(token) is None]
        self._seen |= {one: name for one, name in self.left().items() if name[:_TOKEN_LENGTH] in {*arrays, *singles}}
        return _submissions(self._seen, arrays) + self._started_unseen(singles)

    def _started_unseen(self, singles: Collection[str]) -> list[str]:
        """Tokens of those that started and were never listed; one entry a start."""
        listed = [name[:_TOKEN_LENGTH] for name in self._seen.values()]
        unseen: list[str] = []
        for token in singles:
            unseen += [token] * (len(self.world.stand_ins.starts(token)) - listed.count(token))
        return unseen


def _added(environment: Mapping[str, str] | None) -> list[str]:
    """The variables that a command is given beside this process's own."""
    return [f"{name}={value}" for name, value in (environment or {}).items() if os.environ.get(name) != value]


def _home(cls: type, method: str) -> type:
    """The class that defines a method."""
    return next(one for one in cls.__mro__ if method in vars(one))


def _submissions(names: Mapping[str, str], arrays: Collection[str]) -> list[str]:
    """Names by id, an array's once."""
    found = {
        (re.split(r"[._\[]", one)[0] if name[:_TOKEN_LENGTH] in arrays else one, name) for one, name in names.items()
    }
    return sorted(name for _, name in found)
