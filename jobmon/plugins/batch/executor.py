"""The class that the executor of a command-line batch system derives from."""

import errno
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn

from jobmon.plugins.batch import answers
from jobmon.plugins.batch.accounting import Accounting, Accounts, accounted, sought, unaccounted
from jobmon.plugins.batch.portions import portions, words_of
from jobmon.plugins.batch.rows import Row, Rows, State, meaning
from jobmon.plugins.command import Completed
from jobmon.plugins.executor import Executor
from jobmon.plugins.records import (
    Absent,
    Accepted,
    ArrayRefused,
    ArrayRequest,
    CannotTell,
    Deferred,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    Rejected,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Unknown,
)
from jobmon.plugins.wording import said, shown

#: No further cancellation is begun in a call after so long; the host repeats the call.
_CANCELLING_S = 15.0


class BatchExecutor(Executor):
    """A batch system that is used through commands: an author writes their command lines, and reads what they print.

    To write: `submit_argv`, `parse_submission`, `list_argv`, `parse_list`, `cancel_argv`, and the table `states`. A
    parser that does not understand a text raises whatever it likes: nothing is certain then, and nothing is lost. The
    rest is supplied, and follows the contract: outcomes, names, `observe`, `find` and `cancel`.

    Patterns are regular expressions, searched in what a command says on both streams, without regard to case.
    """

    #: What each of the platform's words for a state means: Pending, Running or Exited. `Exited(0)` is a success,
    #: `Exited()` an end whose exit status tells, `Exited(reason=...)` a failure. Another word is Unknown.
    states: ClassVar[Mapping[str, State]] = MappingProxyType({})
    #: Pattern: what a submission says that failed, and that the platform refuses for good.
    refusals: ClassVar[str] = ""
    #: Pattern: what a command says that failed because it did not reach the platform, or because the platform takes no
    #: more now. The platform has nothing of such a submission for certain; it is tried again.
    not_now: ClassVar[str] = ""
    #: Pattern: what the submission of an array says that failed because it is too large. Its first group, if it has
    #: one, is the size that the platform takes.
    too_large: ClassVar[str] = ""
    #: Pattern: what each line says of a listing, or of the accounting, that has no jobs, with whatever exit status.
    none_listed: ClassVar[str] = ""
    #: How much of a job's name the platform keeps: not less than the 27 characters of a token.
    name_length: ClassVar[int] = 100
    #: How many ids one command cancels.
    cancel_many: ClassVar[int] = 200

    # Time limits, in seconds: a constructor may set them by the settings.
    submit_limit_s: float = 30.0  #: of a submission
    query_limit_s: float = 20.0  #: of a listing, or a cancellation
    accounting_limit_s: float = 600.0  #: of the accounting; nothing else waits for it
    accounting_patience_s: float = 10.0  #: how long a call waits for the accounting; a later answer is not lost
    accounting_late_s: float = 30.0  #: how late the accounting may know of an end
    #: Until a job that has left the queue counts as absent, while the accounting does not answer.
    accounting_silent_s: float = 1800.0

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self._accounting = Accounting(self.accounting_patience_s)

    # What an author writes.

    def submit_argv(self, request: SubmitRequest) -> Sequence[str]:  # noqa: ARG002
        """The command that submits `request.worker_argv` as a job named `request.job_name`.

        Raises:
            ValueError: the platform could never take it; it is Rejected with these words.
        """
        self._unwritten("submit_argv")

    def parse_submission(self, done: Completed) -> str:  # noqa: ARG002
        """The id in what a submission printed, one word; of an array: the array's. Raises whatever if there is none."""
        self._unwritten("parse_submission")

    def list_argv(self) -> Sequence[str]:
        """The command that lists the user's jobs: all that live, and those that have ended as far as it has them."""
        self._unwritten("list_argv")

    def parse_list(self, text: str) -> Iterable[Row]:  # noqa: ARG002
        """The rows of a listing's standard output. Raises whatever, if the text is not a complete listing."""
        self._unwritten("parse_list")

    def cancel_argv(self, ids: Sequence[str]) -> Sequence[str]:  # noqa: ARG002
        """The command that cancels jobs, at most `cancel_many`. They were listed under their names just before."""
        self._unwritten("cancel_argv")

    # What an author may write.

    def submit_stdin(self, request: SubmitRequest | ArrayRequest) -> str:  # noqa: ARG002
        """The standard input of a submission, such as a script."""
        return ""

    def submit_array_argv(self, array: ArrayRequest) -> Sequence[str]:  # noqa: ARG002
        """The command that submits an array. With it `array_limit` is above 1. Raises as `submit_argv`."""
        self._unwritten("submit_array_argv")

    def member_id(self, array_id: str, index: int) -> str:
        """The id of a member of an array."""
        return f"{array_id}.{index}"

    def accounting_argv(self, since: datetime, names: Sequence[str]) -> Sequence[str]:  # noqa: ARG002
        """The command that tells of jobs that have ended since (aware, UTC; clocks may differ), by names if it can.

        The names come in portions that fit in one argument. Where `parse_list` sees all ends, it is not defined.
        """
        self._unwritten("accounting_argv")

    def parse_accounting(self, text: str) -> Iterable[Row]:
        """The rows of the accounting's standard output, those of later runs last. By default as `parse_list`."""
        return self.parse_list(text)

    def meaning(self, row: Row) -> Observation:
        """What a row says of its job: by default what `states` and the exit status say."""
        return meaning(row, self.states, self.name)

    # Submitting.

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        put_off: Deferred | None = None  # what meets one request meets those after it
        for request in requests:
            done = put_off or self.send(request)
            outcome = self.outcome(request, done) if isinstance(done, Completed) else done
            if isinstance(outcome, Deferred):
                put_off = outcome
            elif isinstance(done, Completed) and done.timed_out:
                put_off = Deferred(
                    f"it was not sent: {done.argv[0]} gave no answer in time to the submission before it"
                )
            yield request.token, outcome

    def submit_array(self, *, array: ArrayRequest) -> Iterable[tuple[str, Outcome]]:
        done = self.send(array)
        outcome = self.outcome(array, done) if isinstance(done, Completed) else done
        for index, token in enumerate(array.members, 1):
            if isinstance(outcome, Accepted):
                yield token, Accepted(self.member_id(outcome.executor_job_id, index))
            else:
                yield token, outcome

    def send(self, request: SubmitRequest | ArrayRequest) -> Completed | Outcome:
        """Run the command of a submission: its answer, or what comes of it without one."""
        try:
            if isinstance(request, ArrayRequest):
                argv = words_of(self.submit_array_argv(request), "submit_array_argv")
            else:
                argv = words_of(self.submit_argv(request), "submit_argv")
            stdin = self.submit_stdin(request)
        except ValueError as error:
            return Rejected(str(error) or f"{self.name} cannot take it")
        try:
            return self.run(argv, timeout_s=self.submit_limit_s, stdin=stdin)
        except SchedulerUnavailable as error:
            cause = error.__cause__
            if not isinstance(cause, OSError):
                raise
            return Rejected(str(error)) if cause.errno == errno.E2BIG else Deferred(str(error), 15.0)

    def outcome(self, request: SubmitRequest | ArrayRequest, done: Completed) -> Outcome:
        """What came of a submission.

        Raises:
            ArrayRefused: the platform takes smaller arrays only.
        """
        found: object
        try:
            found = self.parse_submission(done)
        except NotImplementedError:
            raise
        except Exception as error:  # noqa: BLE001 - the text may be anything, and so is what a parser makes of it
            found = error
        came = answers.outcome(done, found, job_name=request.job_name, refusals=self.refusals, not_now=self.not_now)
        if (
            isinstance(request, ArrayRequest)
            and not isinstance(came, Accepted)
            and not done.ok
            and not answers.is_id(found)
        ):
            self._refuse_array(request, done)
        return came

    def _refuse_array(self, array: ArrayRequest, done: Completed) -> None:
        if (
            not done.status
            or done.status < 0
            or (match := answers.matches(self.too_large, done, job_name=array.job_name)) is None
        ):
            return
        told = match[1] if match.re.groups else None
        limit = int(told) if told and told.isdecimal() else len(array.members) // 2
        raise ArrayRefused(answers.words(done), limit=max(1, min(limit, len(array.members) - 1)))

    # Observing and finding.

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        if not submitted:
            return {}
        as_of = self.now()
        listed = self._rows(self.listing())
        found, gone = [], []
        for one in submitted:
            row = listed.of(one)
            if row is None:
                gone.append(one)
            else:
                self._accounting.listed(one.token)
                found.append((one, row))
        return self.seen_listed(found) | self.seen_gone(gone, as_of)

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        if not submissions:
            return {}
        as_of = self.now()
        listed = self._rows(self.listing())
        found: dict[str, Finding] = {}
        lost = []
        for one in submissions:
            row = listed.of(one)
            if row is None:
                lost.append(one)
            else:
                self._accounting.listed(one.token)
                found[one.token] = Found(listed.id_of(row, one.index))
        if not self._has_accounting:
            return found | {one.token: Absent(as_of) for one in lost}
        return found | self._findings(lost, as_of)

    def seen_listed(self, listed: Sequence[tuple[Submitted, Row]]) -> dict[str, Observation]:
        """What is said of those that the platform lists."""
        return {one.token: self._meaning(row) for one, row in listed}

    def seen_gone(self, gone: Sequence[Submitted], as_of: datetime) -> dict[str, Observation]:
        """What is said of those that the platform does not list: it answered `as_of`."""
        if not self._has_accounting:
            return {one.token: Absent(as_of) for one in gone}
        since_s = {one.token: self._accounting.missing(one.token, self.monotonic()) for one in gone}
        accounts, trouble = self._ask_accounting(gone)
        seen: dict[str, Observation] = {}
        for one in gone:
            if accounts is None:
                missing_s = self.monotonic() - since_s[one.token]
                seen[one.token] = unaccounted(trouble, missing_s, self.accounting_silent_s, self.now())
            else:
                row = accounts.rows.of(one)
                end = None if row is None else self._meaning(row)
                seen[one.token] = accounted(end, accounts, since_s[one.token], self.late_s(one), as_of)
        return seen

    def late_s(self, one: Submitted) -> float:  # noqa: ARG002
        """How late the accounting may know of this one's end, in seconds."""
        return self.accounting_late_s

    def listing(self) -> list[Row]:
        """All that the platform lists.

        Raises:
            SchedulerUnavailable: it gave no complete answer.
        """
        done = self.run(words_of(self.list_argv(), "list_argv"), timeout_s=self.query_limit_s)
        return answers.rows(done, self.parse_list, none_listed=self.none_listed)

    def accounts(self, about: Sequence[Submitted | Submission]) -> list[Row]:
        """What the accounting has of these. Called in a thread of its own.

        Raises:
            SchedulerUnavailable: it gave no complete answer.
        """
        since = min(one.submitted_at for one in about)
        names = sorted({one.job_name[: self.name_length] for one in about})
        asked = [words_of(self.accounting_argv(since, some), "accounting_argv") for some in portions(names, 500)]
        rows: list[Row] = []
        for argv in dict.fromkeys(map(tuple, asked)):  # once, if it is not asked by names
            done = self.run(argv, timeout_s=self.accounting_limit_s)
            rows += answers.rows(done, self.parse_accounting, none_listed=self.none_listed)
        return rows

    def _findings(self, lost: Sequence[Submission], as_of: datetime) -> dict[str, Finding]:
        """Whether the accounting has those that the platform does not list."""
        since_s = {one.token: self._accounting.missing(one.token, self.monotonic()) for one in lost}
        accounts, trouble = self._ask_accounting(lost)
        if accounts is None:
            return {one.token: CannotTell(f"it is not listed; {trouble}") for one in lost}
        return {one.token: sought(one, accounts, since_s[one.token], self.accounting_late_s, as_of) for one in lost}

    def _ask_accounting(self, about: Sequence[Submitted] | Sequence[Submission]) -> tuple[Accounts | None, str]:
        def question() -> Accounts:
            asked_s = self.monotonic()
            return Accounts(self._rows(self.accounts(about)), asked_s)

        return self._accounting.ask([one.token for one in about], question) if about else (None, "")

    @property
    def _has_accounting(self) -> bool:
        cls = type(self)
        return cls.accounting_argv is not BatchExecutor.accounting_argv or cls.accounts is not BatchExecutor.accounts

    # Cancelling.

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        if not submitted:
            return
        listed = self._rows(self.listing())  # ids are given out again
        rows = {one.executor_job_id: listed.of(one) for one in submitted}
        self.cancel_ids(
            [i for i, row in rows.items() if row is not None and not isinstance(self._meaning(row), Exited)]
        )

    def cancel_ids(self, ids: Sequence[str]) -> None:
        """Cancel jobs. Where a command fails its jobs are named again in two halves, so that one spares no other.

        Raises:
            SchedulerUnavailable: the platform was not reached.
        """
        begun_s = self.monotonic()
        waiting = deque(portions(ids, self.cancel_many))
        while waiting and self.monotonic() - begun_s < _CANCELLING_S:
            some = waiting.popleft()
            done = self.run(words_of(self.cancel_argv(some), "cancel_argv"), timeout_s=self.query_limit_s)
            if done.timed_out or (not done.ok and answers.matches(self.not_now, done)):
                done.check()
            if not done.ok and len(some) > 1:  # one that has ended meanwhile is no error
                waiting += [some[: len(some) // 2], some[len(some) // 2 :]]

    # Helpers.

    def monotonic(self) -> float:
        """Seconds of a clock that is never set."""
        return time.monotonic()

    def _rows(self, rows: Iterable[Row]) -> Rows:
        return Rows(rows, name_length=self.name_length, member_id=self.member_id)

    def _meaning(self, row: Row) -> Observation:
        try:
            return self.meaning(row)
        except Exception as error:  # noqa: BLE001 - one row must not hide the others
            return Unknown(f"{self.name} says {shown(row.state)}, which is not understood: {said(error)}")

    def _unwritten(self, piece: str) -> NoReturn:
        raise NotImplementedError(f"executor type {self.name!r} does not define {piece}")
