"""The executor: runs the commands and puts what they answer together."""

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import attrs

from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRequest,
    Beside,
    CannotTell,
    Deferred,
    Executor,
    ExecutorContext,
    Exited,
    Finding,
    Found,
    Observation,
    Outcome,
    Placement,
    Reason,
    Rejected,
    Resources,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Support,
    Unknown,
    user_name,
)
from jobmon_uge import answers, commands
from jobmon_uge.accounting import Record, read_qacct
from jobmon_uge.accounting_file import AccountingFile
from jobmon_uge.ends import exited
from jobmon_uge.listing import Listing, Row, is_error, key_of, key_of_name, observation_of, read_listing
from jobmon_uge.settings import OwnResources, Settings, problems_of

_MOST_EXPLAINED = 20
_MOST_REMEMBERED = 100_000
#: An answer of the accounting that takes longer is taken at a later look; until then so much is said of its jobs.
_PATIENCE_S = 10.0
_SLOW = "the accounting has not answered yet"
Records = Mapping[tuple[str, int | None], list[Record]]


@attrs.frozen
class Accounts:
    """What the accounting had."""

    records: Records
    asked_s: float  #: when it was asked, by the clock that is never set


class GridEngine(Executor):
    """Jobs of a Grid Engine cluster."""

    name = "uge"
    api_version = (1, 0)
    settings_type = Settings
    resources_type = OwnResources
    placement = Placement.REMOTE
    core_resources: ClassVar[Mapping[str, Support]] = MappingProxyType(
        {"cores": Support.BOOKED, "memory": Support.BOOKED, "runtime": Support.ENFORCED, "gpus": Support.BOOKED}
    )
    #: 99 has a job run again, 100 puts it into the error state.
    exit_map = MappingProxyType({99: 1, 100: 1})
    settings: Settings

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        # Memory that only shortens waits or saves questions; a new object begins without.
        self._missing_since: dict[str, float] = {}  #: by token: when it was first neither listed nor accounted for
        self._deleted: set[tuple[str, int | None]] = set()  #: deleted while pending: no record will come
        self._not_started: dict[str, Exited] = {}  #: by token: a record does not say why, and qacct finds none
        self._whys: dict[str, str] = {}  #: by job: why it waits
        self._explained_at_s = -math.inf
        self._accounting = Beside[Accounts](_PATIENCE_S)
        self._file: AccountingFile | None = None
        self._user = ""

    def start(self, context: ExecutorContext) -> None:
        super().start(context)
        self._user = user_name()
        common = self._common()
        path = self.settings.accounting or (common and common / "accounting")
        self._file = AccountingFile(Path(path)) if path else None

    def _common(self) -> Path | None:
        """The cell's folder of common files; None where nothing says where it is."""
        root = self.settings.sge_root or os.environ.get("SGE_ROOT")
        cell = self.settings.sge_cell or os.environ.get("SGE_CELL") or "default"
        return Path(root, cell, "common") if root else None

    def cluster_host(self) -> str | None:
        common = self._common()
        try:
            return (common / "act_qmaster").read_text().strip() or None if common else None
        except OSError:
            return None  # the default route tells

    def monotonic(self) -> float:
        """Seconds of a clock that is never set."""
        return time.monotonic()

    def array_limit(self) -> int:
        return self.settings.array_limit

    def check_resources(self, *, resources: Resources) -> list[str]:
        return problems_of(self.settings, resources)

    # Submitting.

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        put_off: Deferred | None = None  # what meets one request meets those after it
        for request in requests:
            outcome = put_off or self._send(request, None)
            if isinstance(outcome, Deferred):
                put_off = outcome
            yield request.token, outcome

    def submit_array(self, *, array: ArrayRequest) -> Iterable[tuple[str, Outcome]]:
        outcome = self._send(array, len(array.members))
        for index, token in enumerate(array.members, 1):
            yield token, Accepted(f"{outcome.executor_job_id}.{index}") if isinstance(outcome, Accepted) else outcome

    def _send(self, request: SubmitRequest | ArrayRequest, count: int | None) -> Outcome:
        if problems := problems_of(self.settings, request.resources):
            return Rejected("; ".join(problems))
        folder = self.context.log_folder
        if set(str(folder)) & set(":,$\n"):
            return Rejected(f"qsub takes no output folder with ':', ',' or '$' in its path: {folder}")
        if not os.access(folder, os.W_OK):
            return Deferred(f"the folder for the output of jobs, {folder}, cannot be written", retry_after_s=15.0)
        output = self.context.output_path(token=request.token, index="" if count is None else "$TASK_ID")
        argv = commands.submission(
            self.settings, request.resources, job_name=request.job_name, output=str(output), count=count
        )
        script = commands.script(request.worker_argv, array=count is not None)
        done = self.run(argv, timeout_s=self.settings.submit_timeout, stdin=script)
        outcome = answers.submitted(done, count)
        if isinstance(outcome, Rejected) and answers.NO_SUITABLE_QUEUE in outcome.why:
            argv[argv.index("-w") + 1] = "v"  # nothing is submitted; it says what no host has
            words = answers.said(self.run(argv, timeout_s=self.settings.query_timeout, stdin=script))
            return Rejected(words + self._queue_limits(request.resources))
        return outcome

    def _queue_limits(self, resources: Resources) -> str:
        """What Grid Engine does not say of a job that it refuses: how long its queues let jobs run."""
        argv = commands.queues(self.settings, resources)
        if not argv or resources.runtime is None:
            return ""
        limits = answers.run_limits(self.run(argv, timeout_s=self.settings.query_timeout).stdout)
        return "".join(
            f"; it asks for {resources.runtime:g} s, and queue {name} has h_rt = {limit}"
            for name, limit in limits.items()
        )

    # Observing.

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        if not submitted:
            return {}
        asked_at, listing = self.now(), self._listing()
        listed, gone = [], []
        for one in submitted:
            row = listing.row(one)
            if row is None:
                gone.append(one)
            else:
                listed.append((one, row))
                self._missing_since.pop(one.token, None)
        return self._seen_listed(listed) | (self._seen_gone(gone, asked_at) if gone else {})

    def _seen_listed(self, listed: Sequence[tuple[Submitted, Row]]) -> dict[str, Observation]:
        failed = [(one, row) for one, row in listed if is_error(row.state)]
        self._explain([row.job for _, row in failed], [row.job for _, row in listed if row.state == "qw"])
        seen = {o.token: observation_of(row.state, self._whys.get(row.job, "")) for o, row in listed}
        if failed:
            try:
                # It would stay for ever, and start if somebody cleared the error.
                self._delete([_place(one) for one, _ in failed])
                ends = {one.token: self._why_not_started(row) for one, row in failed}
                self._not_started |= ends
                seen |= ends
            except SchedulerUnavailable as error:
                seen |= {one.token: Unknown(f"it is in state {row.state}; qdel: {error}") for one, row in failed}
        return seen

    def _why_not_started(self, row: Row) -> Exited:
        why = self._whys.get(row.job, "it does not say why")
        return Exited(None, Reason.UNKNOWN, detail=f"Grid Engine could not start it (state {row.state}): {why}")

    def _explain(self, failed: Iterable[str], waiting: Iterable[str]) -> None:
        """Have reasons at hand: of jobs that could not be started at once, of some that wait from time to time."""
        now_s = self.monotonic()
        due = now_s - self._explained_at_s >= self.settings.explain_every
        jobs = [*dict.fromkeys(failed)][:_MOST_EXPLAINED]
        if due and (some := [*dict.fromkeys(waiting)][:_MOST_EXPLAINED]):
            self._explained_at_s = now_s
            self._whys.clear()
            jobs += some
        if jobs:
            done = self.run(commands.explanation(self.settings, jobs), timeout_s=self.settings.query_timeout)
            self._whys |= answers.explanations(done.stdout)

    def _seen_gone(self, gone: Sequence[Submitted], asked_at: datetime) -> dict[str, Observation]:
        missing_since_s = {one.token: self._missing_since_s(one.token) for one in gone}
        accounts, trouble = self._ask_accounting(gone)
        return {one.token: self._end(one, missing_since_s[one.token], accounts, trouble, asked_at) for one in gone}

    def _end(
        self, one: Submitted, missing_since_s: float, accounts: Accounts | None, trouble: str, asked_at: datetime
    ) -> Observation:
        """How one ended that has left the queue."""
        if one.token in self._not_started:
            return self._not_started[one.token]
        if accounts is not None:
            own = [r for r in accounts.records.get(_place(one), ()) if r.name.startswith(key_of(one))]
            if own:
                return exited(own[-1], self.settings.memory_resources, self._user)
            # Of those that never began no record comes.
            deleted = not self._deleted.isdisjoint((_place(one), (_place(one)[0], None)))
            if deleted or accounts.asked_s - missing_since_s >= self.settings.accounting_wait:
                return Absent(asked_at)  # the accounting was asked after it had left the queue, perhaps long ago
            return Unknown("it has left the queue and is not accounted for yet")
        missing_s = self.monotonic() - missing_since_s
        if missing_s >= self.settings.accounting_patience:
            return Absent(self.now(), f"it has left the queue, and for {missing_s / 60:.0f} min {trouble}")
        return Unknown(f"it has left the queue; {trouble}")

    def _missing_since_s(self, token: str) -> float:
        """Since when the listing has not had it."""
        if len(self._missing_since) >= _MOST_REMEMBERED:
            self._missing_since.clear()
        return self._missing_since.setdefault(token, self.monotonic())

    def _ask_accounting(self, about: Sequence[Submitted] | Sequence[Submission]) -> tuple[Accounts | None, str]:
        """What the accounting has, asked after these had left the queue; None, and why, while it does not answer."""
        since = min(one.submitted_at for one in about)
        answer = self._accounting.ask([one.token for one in about], lambda: self._accounts(since))
        if answer is None or not answer.of.issuperset(one.token for one in about):
            return None, _SLOW
        return answer.value, answer.trouble

    def _accounts(self, since: datetime) -> Accounts:
        asked_s = self.monotonic()
        return Accounts(self._records(since), asked_s)

    def _listing(self) -> Listing:
        done = self.run(commands.listing(self.settings, self._user), timeout_s=self.settings.query_timeout).check()
        try:
            return read_listing(done.stdout)
        except ValueError as error:
            raise SchedulerUnavailable(str(error)) from error

    def _records(self, since: datetime) -> Records:
        """What the accounting has: of the file where it can be read, which costs less, else of qacct."""
        if self._file is not None:
            try:
                return self._file.records(since.timestamp())
            except OSError as error:
                if self.settings.accounting is not None:
                    raise SchedulerUnavailable(f"the accounting file cannot be read: {error}") from error
        days = max(1, math.ceil((self.now() - since).total_seconds() / 86400) + 1)
        argv = commands.accounting(self.settings, self._user, days)
        done = self.run(argv, timeout_s=self.settings.accounting_timeout)
        if "not found" not in done.stderr:  # which is how it says that there is none
            done.check()
        records: dict[tuple[str, int | None], list[Record]] = {}
        for record in read_qacct(done.stdout):
            records.setdefault((record.job, record.task), []).append(record)
        return records

    # Cancelling and finding.

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        if submitted:
            listing = self._listing()  # qdel knows ids alone, and they are given out again
            self._delete([_place(one) for one in submitted if listing.row(one) is not None])

    def _delete(self, places: Iterable[tuple[str, int | None]]) -> None:
        for argv in commands.deletions(self.settings, places):
            done = self.run(argv, timeout_s=self.settings.query_timeout)
            if done.timed_out or answers.unreachable(done):
                raise SchedulerUnavailable(answers.said(done))
            if len(self._deleted) >= _MOST_REMEMBERED:
                self._deleted.clear()
            self._deleted |= answers.deleted(done.stdout)

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        if not submissions:
            return {}
        asked_at, listing = self.now(), self._listing()
        ids, trouble, accounts = dict(listing.ids), "", None
        missing = [one for one in submissions if key_of(one) not in ids]
        since_s = {one.token: self._missing_since_s(one.token) for one in missing}
        if missing:
            accounts, trouble = self._ask_accounting(missing)
            records = accounts.records if accounts is not None else {}
            ids |= {key_of_name(one.name): one.job for several in records.values() for one in several}
        return {
            one.token: self._finding(
                one, ids.get(key_of(one)), since_s.get(one.token, 0.0), accounts, trouble, asked_at
            )
            for one in submissions
        }

    def _finding(
        self,
        one: Submission,
        job: str | None,
        missing_since_s: float,
        accounts: Accounts | None,
        trouble: str,
        asked_at: datetime,
    ) -> Finding:
        if job is not None:
            self._missing_since.pop(one.token, None)
            return Found(job if one.index is None else f"{job}.{one.index}")
        if accounts is None:
            return CannotTell(f"qstat does not list it; {trouble}")
        if accounts.asked_s - missing_since_s >= self.settings.accounting_wait:
            return Absent(asked_at)
        return CannotTell("neither qstat nor the accounting has it, which may be late")


def _place(one: Submitted) -> tuple[str, int | None]:
    return one.executor_job_id.partition(".")[0], one.index
