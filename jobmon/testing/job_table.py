"""A platform in memory: a table of jobs, and every fault that the kit knows. Nothing runs."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs

from jobmon.plugins import Reason, SubmitRequest
from jobmon.testing.platform import Platform
from jobmon.testing.sentences import not_exercised


class PlatformAway(Exception):
    """The table does not answer."""


class AnswerLost(Exception):
    """The table has done what was asked, and its answer does not arrive."""


class AnswerBroken(AnswerLost):
    """The table has done what was asked; what arrives instead of its answer is an error that says nothing of that."""


class JobRefused(Exception):
    """The table refuses the job for good."""


class ArrayTooLarge(JobRefused):
    """The table takes no array of so many members; it takes those of `limit`."""

    def __init__(self, why: str, limit: int) -> None:
        super().__init__(why)
        self.limit = limit


class CancelRefused(Exception):
    """The table does not end this job. A command that was given several goes on with the others, then fails."""


@attrs.define
class TableJob:
    """One job of the table."""

    id: str
    name: str
    argv: list[str]
    ended: bool = False
    status: int | None = None
    reason: Reason | None = None
    index: int | None = None  #: in an array
    waits: str = ""  #: why the table lets it wait; empty: it runs
    asked: Mapping[str, Any] | None = None  #: what it asked for; None: whoever submitted it did not say
    given: str = ""  #: what came with it, beside `asked`
    #: What it used, for whoever prints that.
    used: Mapping[str, float] = {"wall_s": 1.5, "cpu_s": 1.0, "max_rss_bytes": float(64 << 20)}


@attrs.frozen
class Listing:
    """What the table lists: its jobs, those that have ended among them; all of them, if it is complete."""

    jobs: tuple[TableJob, ...]
    complete: bool = True


_OVER = {"runtime": Reason.TIMEOUT, "memory": Reason.OUT_OF_MEMORY}
#: The ids of strangers' jobs begin here.
_STRANGERS = 900_000
_STATUS = {Reason.EXIT_NONZERO: 1, Reason.SIGNALLED: 137, Reason.OUT_OF_MEMORY: 137, Reason.TIMEOUT: 140}


class JobTable(Platform):
    """A scheduler in memory. `submit`, `listing` and `delete` are its own doors, for executors and fake commands.

    `jobs` has them by id, `history` the names of all that there ever were, an array's once.
    """

    reasons: ClassVar[tuple[Reason, ...]] = (
        Reason.EXIT_NONZERO,
        Reason.SIGNALLED,
        Reason.OUT_OF_MEMORY,
        Reason.TIMEOUT,
        Reason.NODE_FAILURE,
        Reason.PREEMPTED,
    )
    #: What the platform says of a job that it refuses for good.
    refused: ClassVar[str] = "job violates the limits of its queue"
    #: What the platform says of an array that is too large, as far as that matters to the executor.
    too_large: ClassVar[str] = "array too large: it may have {limit} members"

    def __init__(self) -> None:
        self.jobs: dict[str, TableJob] = {}
        self.history: list[str] = []  #: the names of all jobs ever
        self._strangers: list[TableJob] = []
        self._away = self._lose_answer = self._break_answer = self._half = self._empty = self._slow = False
        self._refuses = False
        self._refused: set[str] = set()  #: tokens
        self._array_limit: int | None = None
        self._kept: set[str] = set()  #: ids of jobs that it does not end
        self._n_asked = self._rows = 0  #: questions, and rows listed, so far

    def prepare(self, request: SubmitRequest) -> None:
        """Nothing: nothing runs."""

    # Its own doors.

    def submit(self, name: str, argv: list[str], asked: Mapping[str, Any] | None = None) -> str:
        """Take a job; its id. `asked` is what it asks for; `runtime` (seconds) and `memory` (bytes) are its limits.

        Raises:
            PlatformAway, JobRefused: it has not got it.
            AnswerLost, AnswerBroken: it has.
        """
        self._take(name)
        job = TableJob(str(1000 + len(self.history)), name, argv, asked=asked, given=self._given())
        self.jobs[job.id] = job
        self._note(name)
        return job.id

    def submit_array(self, name: str, argv: list[str], members: int) -> str:
        """Take an array; its number: the ids of its members are `number.index`, from 1 on.

        Raises:
            PlatformAway, JobRefused, AnswerLost, AnswerBroken: as `submit`.
            ArrayTooLarge: it has none of them.
        """
        self._take(name)
        if self._array_limit is not None and members > self._array_limit:
            raise ArrayTooLarge(self.too_large.format(limit=self._array_limit), self._array_limit)
        number = 1000 + len(self.history)
        for index in range(1, members + 1):
            one = TableJob(f"{number}.{index}", name, [*argv, str(index)], index=index)
            self.jobs[one.id] = one
        self._note(name)
        return str(number)

    def _given(self) -> str:
        """What comes with the submission that is under way, where that can be known."""
        return ""

    def _take(self, name: str) -> None:
        self._answer()
        if self._refuses or any(name.startswith(token) for token in self._refused):
            raise JobRefused(self.refused)

    def _note(self, name: str) -> None:
        self.history.append(name)
        if self._lose_answer:
            self._lose_answer = False
            raise AnswerLost("Socket timed out on send/recv operation")
        if self._break_answer:
            self._break_answer = False
            raise AnswerBroken("the connection broke off")

    def listing(self) -> Listing:
        """All jobs, until they are forgotten; half of them, and said to be so, when the answer breaks off.

        None of them, and said to be all, once after `empty_answer`.

        Raises:
            PlatformAway: it does not answer.
        """
        self._answer()
        jobs = tuple(self.jobs.values())
        if self._empty:
            self._empty = False
            return Listing(())
        self._rows += len(jobs)
        if self._half:
            self._half = False
            return Listing(jobs[: len(jobs) // 2], complete=False)
        return Listing(jobs)

    def delete(self, executor_job_id: str, name: str | None = None) -> bool:
        """End a job (of that name, if one is given); False when there is none to end.

        Raises:
            PlatformAway: it does not answer.
            CancelRefused: it does not end this one.
        """
        self._answer()
        job = self.jobs.get(executor_job_id)
        if job is None or job.ended or name not in (None, job.name):
            return False
        if executor_job_id in self._kept:
            raise CancelRefused(f"job {executor_job_id} cannot be deleted now")
        if not self._slow:
            _end(job, Reason.CANCELLED, None)
        return True

    def _answer(self) -> None:
        self._n_asked += 1
        if self._away:
            raise PlatformAway("error: commlib error: got select error (Connection refused)")

    # What the kit does to it.

    def crowd(self, names: Sequence[str]) -> list[str]:
        first = 1000 + len(self.history)
        jobs = [TableJob(str(first + number), name, []) for number, name in enumerate(names)]
        self.jobs.update((job.id, job) for job in jobs)
        self.history.extend(names)
        return [job.id for job in jobs]

    def traffic(self) -> int:
        return self._rows

    def finish(self, executor_job_id: str, status: int = 0) -> None:
        _end(self.jobs[executor_job_id], None if status == 0 else Reason.EXIT_NONZERO, status)

    def work(self, executor_job_id: str) -> Mapping[str, float]:
        job = self.jobs[executor_job_id]
        job.used = {"wall_s": 300.0, "cpu_s": 200.0, "max_rss_bytes": float(3 << 30)}
        _end(job, None, 0)
        return job.used

    def take(self, executor_job_id: str, resource: str, amount: float) -> None:
        job = self.jobs[executor_job_id]
        if job.asked is None:
            not_exercised("the fake does not say what a job asks for: give submit of the table `asked`")
        limit = job.asked.get(resource)
        if limit is not None and amount > limit:
            self.end(executor_job_id, _OVER[resource])

    def end(self, executor_job_id: str, reason: Reason) -> None:
        _end(self.jobs[executor_job_id], reason, _STATUS.get(reason))

    def hold_back(self, executor_job_id: str, why: str) -> None:
        self.jobs[executor_job_id].waits = why

    def let_go(self, executor_job_id: str) -> None:
        self.jobs[executor_job_id].waits = ""

    def refuse(self) -> None:
        self._refuses = True

    def refuse_one(self, token: str) -> None:
        self._refused.add(token)

    def refuse_arrays(self, above: int) -> None:
        self._array_limit = above

    def refuse_cancel(self, executor_job_id: str) -> None:
        self._kept.add(executor_job_id)

    def cancel_slowly(self) -> None:
        self._slow = True

    def down(self) -> None:
        self._away = True

    def up(self) -> None:
        self._away = False

    def accept_then_time_out(self) -> None:
        self._lose_answer = True

    def accept_then_fail(self) -> None:
        self._break_answer = True

    def half_answer(self) -> None:
        self._half = True

    def empty_answer(self) -> None:
        self._empty = True

    def forget(self, executor_job_id: str) -> None:
        del self.jobs[executor_job_id]

    def recycle(self, executor_job_id: str) -> str:
        self._add_stranger(executor_job_id, "somebody-elses-job")
        return executor_job_id

    def strangers(self, names: Sequence[str]) -> None:
        for name in names:
            self._add_stranger(str(_STRANGERS + len(self._strangers)), name)

    def _add_stranger(self, job_id: str, name: str) -> None:
        stranger = TableJob(job_id, name, ["true"])
        self.jobs[job_id] = stranger
        self._strangers.append(stranger)

    def untouched(self) -> bool:
        return not any(job.ended for job in self._strangers)

    def kill(self, executor_job_id: str) -> None:
        self.end(executor_job_id, Reason.SIGNALLED)

    def restart_host(self) -> None:
        for job in self.jobs.values():
            if not job.ended:
                _end(job, Reason.NODE_FAILURE, None)

    def n_asked(self) -> int:
        return self._n_asked

    def job_names(self) -> list[str]:
        return list(self.history)

    def given(self, executor_job_id: str) -> str:
        job = self.jobs[executor_job_id]
        if job.asked is None and not job.given:
            not_exercised("nobody says what a job asks for: give submit of the table `asked`")
        return f"{job.given} {sorted((job.asked or {}).items())}"

    def arguments(self, executor_job_id: str) -> list[str]:
        return self.jobs[executor_job_id].argv


def _end(job: TableJob, reason: Reason | None, status: int | None) -> None:
    if not job.ended:
        job.ended, job.reason, job.status = True, reason, status
