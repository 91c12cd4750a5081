"""The executor: runs the commands and puts what they answer together."""

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import attrs

from jobmon.plugins import (
    ArrayRequest,
    BatchExecutor,
    Completed,
    Deferred,
    ExecutorContext,
    Exited,
    Observation,
    Outcome,
    Placement,
    Reason,
    Rejected,
    Resources,
    Row,
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
from jobmon_uge.listing import is_error, observation_of, read_listing
from jobmon_uge.settings import OwnResources, Settings, problems_of

_MOST_EXPLAINED = 20
_MOST_REMEMBERED = 100_000


@attrs.frozen(kw_only=True)
class Ended(Row):
    """A job, or a task of an array, that the accounting has."""

    record: Record


class GridEngine(BatchExecutor):
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
        self.submit_limit_s, self.query_limit_s = self.settings.submit_timeout, self.settings.query_timeout
        self.accounting_limit_s = self.settings.accounting_timeout
        self.accounting_late_s = self.settings.accounting_wait
        self.accounting_silent_s = self.settings.accounting_patience
        # Memory that only shortens waits or saves questions; a new object begins without.
        self._deleted: set[tuple[str, int | None]] = set()  #: deleted while pending: no record will come
        self._not_started: dict[str, Exited] = {}  #: by token: a record does not say why, and qacct finds none
        self._whys: dict[str, str] = {}  #: by job: why it waits
        self._explained_at_s = -math.inf
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

    def array_limit(self) -> int:
        return self.settings.array_limit

    def check_resources(self, *, resources: Resources) -> list[str]:
        return problems_of(self.settings, resources)

    # Submitting.

    def send(self, request: SubmitRequest | ArrayRequest) -> Completed | Outcome:
        folder = self.context.log_folder
        if set(str(folder)) & set(":,$\n"):
            return Rejected(f"qsub takes no output folder with ':', ',' or '$' in its path: {folder}")
        if not os.access(folder, os.W_OK):
            return Deferred(f"the folder for the output of jobs, {folder}, cannot be written", retry_after_s=15.0)
        return super().send(request)

    def submit_argv(self, request: SubmitRequest) -> list[str]:
        return self._submission(request)

    def submit_array_argv(self, array: ArrayRequest) -> list[str]:
        return self._submission(array)

    def _submission(self, request: SubmitRequest | ArrayRequest) -> list[str]:
        if problems := problems_of(self.settings, request.resources):
            raise ValueError("; ".join(problems))
        count = _count(request)
        output = self.context.output_path(token=request.token, index="" if count is None else "$TASK_ID")
        return commands.submission(
            self.settings, request.resources, job_name=request.job_name, output=str(output), count=count
        )

    def submit_stdin(self, request: SubmitRequest | ArrayRequest) -> str:
        return commands.script(request.worker_argv, array=_count(request) is not None)

    def outcome(self, request: SubmitRequest | ArrayRequest, done: Completed) -> Outcome:
        outcome = answers.submitted(done, _count(request))
        if isinstance(outcome, Rejected) and answers.NO_SUITABLE_QUEUE in outcome.why:
            argv = self._submission(request)
            argv[argv.index("-w") + 1] = "v"  # nothing is submitted; it says what no host has
            done = self.run(argv, timeout_s=self.query_limit_s, stdin=self.submit_stdin(request))
            return Rejected(answers.said(done) + self._queue_limits(request.resources))
        return outcome

    def _queue_limits(self, resources: Resources) -> str:
        """What Grid Engine does not say of a job that it refuses: how long its queues let jobs run."""
        argv = commands.queues(self.settings, resources)
        if not argv or resources.runtime is None:
            return ""
        limits = answers.run_limits(self.run(argv, timeout_s=self.query_limit_s).stdout)
        return "".join(
            f"; it asks for {resources.runtime:g} s, and queue {name} has h_rt = {limit}"
            for name, limit in limits.items()
        )

    # Observing.

    def list_argv(self) -> list[str]:
        return commands.listing(self.settings, self._user)

    def parse_list(self, text: str) -> list[Row]:
        return read_listing(text)

    def meaning(self, row: Row) -> Observation:
        if isinstance(row, Ended):
            return exited(row.record, self.settings.memory_resources, self._user)
        return observation_of(row.state, self._whys.get(row.id, ""))

    def seen_listed(self, listed: Sequence[tuple[Submitted, Row]]) -> dict[str, Observation]:
        failed = [(one, row) for one, row in listed if is_error(row.state)]
        self._explain([row.id for _, row in failed], [row.id for _, row in listed if row.state == "qw"])
        seen = super().seen_listed(listed)
        if failed:
            try:
                # It would stay for ever, and start if somebody cleared the error.
                self.cancel_ids([one.executor_job_id for one, _ in failed])
                ends = {one.token: self._why_not_started(row) for one, row in failed}
                self._not_started |= ends
                seen |= ends
            except SchedulerUnavailable as error:
                seen |= {one.token: Unknown(f"it is in state {row.state}; qdel: {error}") for one, row in failed}
        return seen

    def seen_gone(self, gone: Sequence[Submitted], as_of: datetime) -> dict[str, Observation]:
        known = {one.token: self._not_started[one.token] for one in gone if one.token in self._not_started}
        return super().seen_gone([one for one in gone if one.token not in known], as_of) | known

    def late_s(self, one: Submitted) -> float:
        place = _place(one.executor_job_id)  # of those that never began no record comes
        return super().late_s(one) if self._deleted.isdisjoint((place, (place[0], None))) else 0.0

    def _why_not_started(self, row: Row) -> Exited:
        why = self._whys.get(row.id, "it does not say why")
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
            done = self.run(commands.explanation(self.settings, jobs), timeout_s=self.query_limit_s)
            self._whys |= answers.explanations(done.stdout)

    def accounts(self, about: Sequence[Submitted | Submission]) -> list[Row]:
        names = {one.job_name for one in about}
        return [
            Ended(one.job, one.name, f"failed {one.failed}", () if one.task is None else (one.task,), record=one)
            for one in self._records(min(one.submitted_at for one in about))
            if one.name in names
        ]

    def _records(self, since: datetime) -> list[Record]:
        """What the accounting has: of the file where it can be read, which costs less, else of qacct."""
        if self._file is not None:
            try:
                return [one for several in self._file.records(since.timestamp()).values() for one in several]
            except OSError as error:
                if self.settings.accounting is not None:
                    raise SchedulerUnavailable(f"the accounting file cannot be read: {error}") from error
        days = max(1, math.ceil((self.now() - since).total_seconds() / 86400) + 1)
        argv = commands.accounting(self.settings, self._user, days)
        done = self.run(argv, timeout_s=self.accounting_limit_s)
        if "not found" not in done.stderr:  # which is how it says that there is none
            done.check()
        return list(read_qacct(done.stdout))

    # Cancelling.

    def cancel_ids(self, ids: Sequence[str]) -> None:
        for argv in commands.deletions(self.settings, map(_place, ids)):
            done = self.run(argv, timeout_s=self.query_limit_s)
            if done.timed_out or answers.unreachable(done):
                raise SchedulerUnavailable(answers.said(done))
            if len(self._deleted) >= _MOST_REMEMBERED:
                self._deleted.clear()
            self._deleted |= answers.deleted(done.stdout)


def _count(request: SubmitRequest | ArrayRequest) -> int | None:
    """The members of an array; None: it is none."""
    return len(request.members) if isinstance(request, ArrayRequest) else None


def _place(executor_job_id: str) -> tuple[str, int | None]:
    job, _, task = executor_job_id.partition(".")
    return job, int(task) if task.isdecimal() else None
