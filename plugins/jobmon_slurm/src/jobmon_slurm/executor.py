"""Jobs and arrays on a Slurm cluster. The id of an attempt is the job's number; of an array's member, `12_3`."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType

from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRefused,
    ArrayRequest,
    Beside,
    CannotTell,
    Deferred,
    Executor,
    Finding,
    Found,
    Observation,
    Outcome,
    Placement,
    Rejected,
    Resources,
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Support,
    Unknown,
)
from jobmon_slurm import submission
from jobmon_slurm.commands import Commands
from jobmon_slurm.ledger import Ledger, id_of
from jobmon_slurm.limits import Limits, array_size, beyond, controller
from jobmon_slurm.listing import Row, expression
from jobmon_slurm.meaning import ENDED, meaning
from jobmon_slurm.settings import Settings, SlurmResources, wishes

#: What Slurm takes unless its administrator has said otherwise: MaxArraySize is 1001.
_USUAL_ARRAY = 1000
#: The clocks of this host and of Slurm's may differ, and their time zones.
_SLACK = timedelta(days=2)
_LIMITS_FOR_S = 300.0
_CANCEL_CHUNK = 500
#: An answer of accounting that takes longer is taken at a later look; until then so much is said of its jobs.
_PATIENCE_S = 10.0
_SLOW = "accounting (sacct) has not answered yet"
_MOST_REMEMBERED = 100_000


class Slurm(Executor):
    """Jobs of a Slurm cluster, several at a time as job arrays."""

    name = "slurm"
    api_version = (1, 0)
    settings_type = Settings
    resources_type = SlurmResources
    placement = Placement.REMOTE
    #: Booked: whether memory and cores are also enforced is for each cluster to say.
    core_resources = MappingProxyType(
        {
            "cores": Support.BOOKED,
            "memory": Support.BOOKED,
            "runtime": Support.ENFORCED,
            "gpus": Support.BOOKED,
        }
    )
    #: Slurm takes 128 off these: 128 itself would be told as 0.
    exit_map = MappingProxyType(dict.fromkeys(range(128, 256), 1))

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._limits: tuple[float, dict[str, Limits]] | None = None
        # Memory that only shortens waits; a new object begins without.
        self._accounting = Beside[list[Row] | None](_PATIENCE_S)
        self._asked: dict[str, datetime] = {}  #: by token: since when accounting is asked about it in vain

    @property
    def _slurm(self) -> Commands:
        return Commands(self.settings, self.run)

    def array_limit(self) -> int:
        own: int = self.settings.array_size or 1 << 30
        try:
            return min(own, array_size(self._slurm.config()) or _USUAL_ARRAY)
        except SchedulerUnavailable:
            return min(own, _USUAL_ARRAY)  # it is refused if it is too much

    def cluster_host(self) -> str | None:
        try:
            return controller(self._slurm.config())
        except SchedulerUnavailable:
            return None  # the default route will do

    # Submission.

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        unreached: Deferred | None = None  # each further try would wait for it again
        for request in requests:
            outcome = unreached or self._refusal(request.resources) or self._send(request)
            if isinstance(outcome, Deferred):
                unreached = outcome
            yield request.token, outcome

    def submit_array(self, *, array: ArrayRequest) -> Iterable[tuple[str, Outcome]]:
        outcome = self._refusal(array.resources) or self._send(array)
        if submission.array_refused(outcome):
            raise ArrayRefused(str(outcome), limit=min(self.array_limit(), len(array.members) // 2))
        if submission.queue_full(outcome) and self._n_live() < len(array.members):
            raise ArrayRefused(str(outcome), limit=max(1, len(array.members) // 2))
        for index, token in enumerate(array.members, 1):
            yield token, Accepted(f"{outcome.executor_job_id}_{index}") if isinstance(outcome, Accepted) else outcome

    def _n_live(self) -> int:
        """How many jobs the user has in the queue; those that have ended are listed for a while."""
        return sum(row.id.n for row in self._slurm.queue() if row.state not in ENDED)

    def _send(self, request: SubmitRequest | ArrayRequest) -> Outcome:
        folder = self.context.log_folder
        if not os.access(folder, os.W_OK | os.X_OK):
            return Deferred(f"the folder for Slurm's own output, {folder}, cannot be written to")
        members = len(request.members) if isinstance(request, ArrayRequest) else 0
        output = self.context.output_path(token=request.token, index="%a" if members else "")
        argv = submission.sbatch_argv(
            self.settings, request.resources, request.job_name, output, request.worker_argv, members
        )
        return submission.outcome(self._slurm.sbatch(argv, submission.ARRAY_SCRIPT if members else submission.SCRIPT))

    def _refusal(self, resources: Resources) -> Outcome | None:
        """Why it is not even given to Slurm, which would accept it and let it wait for ever.

        Without a partition of its own a job goes where the site sends it, and a quality of service or a reservation may
        lift a partition's limits: what then becomes of it is Slurm's to say.
        """
        wish = wishes(self.settings, resources.own)
        if not self.settings.check_limits or not wish.certain_place:
            return None
        now_s = time.monotonic()
        if self._limits is None or now_s - self._limits[0] > _LIMITS_FOR_S:
            try:
                self._limits = now_s, self._slurm.limits()
            except SchedulerUnavailable as error:
                return Deferred(f"the limits of Slurm's partitions cannot be read: {error}", 15.0)
        limits = [self._limits[1].get(name) for name in (wish.partition or "").split(",")]
        wrong = [beyond(one, resources) if one else [] for one in limits]  # of one that is not known nothing is
        return Rejected("; ".join(wrong[0])) if all(wrong) else None

    # Observation.

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        if not submitted:
            return {}
        asked_at = self.now()
        queue = Ledger(self._slurm.queue(), _token_length(submitted))
        seen, gone = {}, []
        for one in submitted:
            row = queue.of(one)
            if row is None or row.state in ENDED:
                gone.append((one, row))
            else:
                seen[one.token] = meaning(row)
        return seen | (self._ends(gone, asked_at, _token_length(submitted)) if gone else {})

    def _ends(
        self, gone: Sequence[tuple[Submitted, Row | None]], asked_at: datetime, length: int
    ) -> dict[str, Observation]:
        """How those ended that do not live any more, with what the queue still says of them."""
        numbers = sorted({one.executor_job_id.split("_")[0] for one, _ in gone})
        since = min(one.submitted_at for one, _ in gone) - _SLACK
        answer = self._accounting.ask(
            [one.token for one, _ in gone], lambda: self._slurm.accounting(since, ids=numbers)
        )
        if answer is None or answer.trouble:
            trouble = _SLOW if answer is None else answer.trouble
            return {one.token: self._unaccounted(one, row, trouble) for one, row in gone}
        rows = None if answer.value is None else Ledger(answer.value, length)
        seen: dict[str, Observation] = {}
        for one, row in gone:
            if one.token not in answer.of:  # it was asked about others: the next question is about this one too
                seen[one.token] = self._unaccounted(one, row, _SLOW)
                continue
            self._asked.pop(one.token, None)
            seen[one.token] = _end(row, one, rows) or Absent(asked_at)
        return seen

    def _unaccounted(self, one: Submitted, row: Row | None, trouble: str) -> Observation:
        """What can be said without accounting: what the queue says, while it remembers; after a long time, absent."""
        if row is not None:
            return meaning(row)
        if len(self._asked) >= _MOST_REMEMBERED:
            self._asked.clear()
        now = self.now()
        since = self._asked.setdefault(one.token, now)
        if (now - since).total_seconds() >= self.settings.accounting_patience_s:
            return Absent(now, f"it has left the queue, and since {since:%Y-%m-%d %H:%M:%S} UTC {trouble}")
        return Unknown(f"it has left the queue; {trouble}")

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        if not submitted:
            return
        # scancel's own filters by name would, in Slurm 22.05, end a pending array whole when one member is named.
        queue = Ledger(self._slurm.queue(), _token_length(submitted))
        numbers: dict[str, list[int]] = {}
        for one in submitted:
            row = queue.of(one)
            if row is not None and row.state not in ENDED:
                numbers.setdefault(row.id.number, []).extend([] if one.index is None else [one.index])
        ids = [f"{number}_[{expression(some)}]" if some else number for number, some in numbers.items()]
        for start in range(0, len(ids), _CANCEL_CHUNK):
            self._slurm.scancel(ids[start : start + _CANCEL_CHUNK])

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        if not submissions:
            return {}
        asked_at, length = self.now(), _token_length(submissions)
        queue = Ledger(self._slurm.queue(), length)
        rows = {s.token: queue.of(s) for s in submissions}
        lost = [s for s in submissions if rows[s.token] is None]
        missing: Finding = Absent(asked_at)
        if lost:
            since = min(s.submitted_at for s in lost) - _SLACK
            names = sorted({s.job_name for s in lost})
            answer = self._accounting.ask([s.token for s in lost], lambda: self._slurm.accounting(since, names=names))
            if answer is None or answer.trouble or not answer.of.issuperset(s.token for s in lost):
                missing = CannotTell(answer.trouble if answer and answer.trouble else _SLOW)
            else:
                ledger = Ledger(answer.value or (), length)
                rows |= {s.token: ledger.of(s) for s in lost}
        return {s.token: missing if (row := rows[s.token]) is None else Found(id_of(row, s.index)) for s in submissions}


def _end(queued: Row | None, one: Submitted, accounts: Ledger | None) -> Observation | None:
    """How an attempt ended that does not live any more: not in the queue, or there among the ended.

    None: nothing tells. Accounting may be late, and its rows may have been left behind by a controller that was
    killed: only what it calls ended counts. Without accounting the queue's word counts, while it remembers.
    """
    accounted = None if accounts is None else accounts.of(one)
    if accounted is not None and accounted.state.split(" ")[0] in ENDED:
        return meaning(accounted, os.getuid())
    if queued is None:
        return None
    if accounts is None:
        return meaning(queued)
    return Unknown(f"it has ended ({queued.state}), which accounting does not know yet")


def _token_length(asked: Sequence[Submission | Submitted]) -> int:
    """How much of a name is the token: all have the same length."""
    return len(asked[0].token)
