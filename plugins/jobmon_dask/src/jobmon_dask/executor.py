"""Jobs as tasks of a Dask cluster, their fates in a ledger on its scheduler."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, ClassVar

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
    SchedulerUnavailable,
    Submission,
    SubmitRequest,
    Submitted,
    Uncertain,
    Unknown,
    ending,
)
from jobmon_dask.cluster import Cluster
from jobmon_dask.settings import DaskResources, Settings

_log = logging.getLogger(__name__)


class Dask(Executor):
    """Jobs on an existing Dask cluster."""

    name: ClassVar[str] = "dask"
    api_version: ClassVar[tuple[int, int]] = (1, 0)
    settings_type: ClassVar[type] = Settings
    resources_type: ClassVar[type] = DaskResources
    #: The runner on a Dask worker tells the ledger, and nobody else: nodes need not reach Jobmon's server.
    reporting: ClassVar[Reporting] = Reporting.PLATFORM

    settings: Settings

    def start(self, context: ExecutorContext) -> None:
        """Connect."""
        super().start(context)
        # The same for each manager of this executor and workflow on this host, so that news reach the next one.
        topic = "jobmon-" + blake2b(str(context.state_folder).encode(), digest_size=12).hexdigest()
        self._topic = topic
        self._news: set[str] = set()
        self._looking = False
        self._argv: list[str] = []
        self._cluster = Cluster(self.settings, topic, self._heard)

    def stop(self) -> None:
        """Let go of the connection; tasks and ledger live on."""
        self._cluster.close()

    def submit(self, *, requests: Sequence[SubmitRequest]) -> Iterable[tuple[str, Outcome]]:
        """Announce the attempts to the ledger, send them as tasks, and see that they have arrived."""
        if not requests:
            return
        try:
            self._cluster.ask("expect", keys={r.token: r.job_name for r in requests}, topic=self._topic)
        except SchedulerUnavailable as error:  # nothing was sent
            for request in requests:
                yield request.token, Deferred(str(error))
            return
        self._argv = self._argv or list(self.context.payload_argv())
        alike: defaultdict[str, list[SubmitRequest]] = defaultdict(list)
        for request in requests:
            alike[repr(request.resources.own)].append(request)
        for group in alike.values():
            columns = ([r.token for r in group], [self._argv] * len(group), [r.payload() for r in group])
            self._cluster.send([r.job_name for r in group], columns, group[0].resources.own)
        wait_s = self.settings.timeout_s / 2
        missing = set(self._cluster.ask("arrived", tokens=[r.token for r in requests], wait_s=wait_s))
        for request in requests:
            late = Uncertain(f"Dask's scheduler did not have the task after {wait_s:g} s")
            yield request.token, late if request.token in missing else Accepted(request.job_name)

    def observe(self, *, submitted: Sequence[Submitted]) -> Mapping[str, Observation]:
        """What the ledger says of each. One that Dask does not have any more cannot start after this."""
        return {} if not submitted else self._read(self._cluster.ask("look", tokens=[one.token for one in submitted]))

    def cancel(self, *, submitted: Sequence[Submitted]) -> None:
        """End those that have not begun in the ledger, and have the workers of the others end them."""
        if not submitted:
            return
        tokens = [one.token for one in submitted]
        unbegun, workers = self._cluster.ask("cancel", tokens=tokens)
        if unbegun:
            self._cluster.forget(unbegun)
        if workers:
            self._cluster.end(tokens, workers)

    def find(self, *, submissions: Sequence[Submission]) -> Mapping[str, Finding]:
        """Which of them the ledger has. One that is absent is revoked there: if it arrives later it does not start."""
        if not submissions:
            return {}
        seen = self._cluster.ask("find", tokens=[one.token for one in submissions])
        return {token: Found(key) if key else Absent(self.now()) for token, key in seen.items()}

    def settled(self, *, tokens: Sequence[str]) -> None:
        """Let the ledger forget them."""
        self._cluster.ask("settle", tokens=list(tokens))

    async def _heard(self, event: tuple[float, str]) -> None:
        """The ledger has news of an attempt. Those that come while others are looked at are looked at together."""
        self._news.add(event[1])
        if self._looking:
            return
        self._looking = True
        try:
            while self._news:
                tokens, self._news = sorted(self._news), set()
                seen = await self._cluster.ask_in_loop("look", tokens=tokens)
                self.context.report(observations=self._read(seen or {}))
        except (OSError, ValueError) as error:  # the connection is lost; `observe` tells what this did not
            _log.info("news of Dask's scheduler cannot be heard: %s", error)
        finally:
            self._looking = False

    def _read(self, seen: Mapping[str, Sequence[Any]]) -> dict[str, Observation]:
        return {token: self._observation(*said) for token, said in seen.items()}

    def _observation(self, state: str, *words: Any) -> Observation:
        match state, words:
            case "pending", (why,):
                return Pending(why)
            case "running", _:
                return Running()
            case "absent", _:
                return Absent(self.now())
            case "ended", (None, _, told):
                return self._end(told)
            case "ended", (reason, detail, _):
                return Exited(reason=Reason(reason), detail=detail)
        return Unknown(f"the ledger on Dask's scheduler says {state!r}")

    @staticmethod
    def _end(told: str) -> Exited:
        try:
            end = ending(told)
        except ValueError as error:
            return Exited(reason=Reason.UNKNOWN, detail=str(error))
        if end.reason is None or end.detail:
            return end
        how = f"signal {end.signal}" if end.signal else f"status {end.status}"
        return attrs.evolve(end, detail=f"ended with {how} on {end.host}")
