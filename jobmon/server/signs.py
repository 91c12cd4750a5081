"""Signs of life, which are not committed: heartbeats, leases, absences.

All deadlines are on the server's monotonic clock. They run only while the server is up, and whoever was alive before
its start gets a full grace after it.
"""

import attrs

from jobmon.clock import Clock
from jobmon.server.standing import StandingManagers


@attrs.frozen
class Patience:
    """How long the server waits for whom, in seconds."""

    heartbeat_s: float = 30.0
    silent_after_s: float = 90.0  #: three heartbeats
    run_lease_s: float = 60.0
    manager_lease_s: float = 6.0  #: with the client's own second look, a user hears of its end within 10 s
    renew_every_s: float = 2.0
    orphan_after_s: float = 900.0
    idle_s: float = 60.0


class SignsOfLife:
    """Who was heard of last, and when. Several threads tell and ask: whoever walks over a table walks over a copy."""

    def __init__(self, clock: Clock, patience: Patience) -> None:
        self._clock = clock
        self.patience = patience
        self._started = clock.monotonic()
        self._workers: dict[str, float] = {}
        self._gone: dict[str, float] = {}
        self._runs: dict[int, float] = {}
        self._managers: dict[tuple[int, str], float] = {}
        self._notes: dict[tuple[int, str], str] = {}
        self.standing = StandingManagers(clock, patience.manager_lease_s)
        self._busy = self._started

    def heard_worker(self, token: str) -> None:
        """The worker of an attempt gave a sign of life."""
        self._workers[token] = self._clock.monotonic()
        self._gone.pop(token, None)

    def silent(self, token: str) -> bool:
        """No sign of life from the worker of an attempt for the length of its lease."""
        return self._since(self._workers.get(token)) > self.patience.silent_after_s

    def silent_for_s(self, token: str) -> float | None:
        """Seconds since the last sign of life of the worker of an attempt; None: none since the server's start."""
        heard = self._workers.get(token)
        return None if heard is None else self._clock.monotonic() - heard

    def seen(self, token: str, *, gone: bool) -> float:
        """The platform spoke of an attempt: for how many seconds it has been gone there, without a break."""
        now = self._clock.monotonic()
        if gone:
            return now - self._gone.setdefault(token, now)
        self._gone.pop(token, None)
        return 0.0

    def forget(self, token: str) -> None:
        """An attempt is final."""
        self._workers.pop(token, None)
        self._gone.pop(token, None)

    def heard_run(self, run_id: int) -> None:
        """The client of a run gave a sign of life."""
        self._runs[run_id] = self._clock.monotonic()

    def run_seconds_left(self, run_id: int) -> float:
        """What is left of a run's lease; 0 or less when it has ended."""
        return self.patience.run_lease_s - self._since(self._runs.get(run_id))

    def run_silence_s(self, run_id: int) -> float:
        """How long the client of a run has given no sign of life, of the time that the server has been up."""
        return self._since(self._runs.get(run_id))

    def heard_manager(self, workflow_id: int, executor: str, note: str | None = None) -> None:
        """The manager of an executor of a workflow gave a sign of life; without a note, what it said before holds."""
        self._managers[workflow_id, executor] = self._clock.monotonic()
        if note is not None:
            self._notes[workflow_id, executor] = note

    def waits(self, workflow_id: int, executor: str, note: str) -> None:
        """A manager waits for the lease of an executor; this keeps no lease alive."""
        self._notes[workflow_id, executor] = note

    def manager_gone(self, workflow_id: int, executor: str) -> None:
        """The manager released its lease."""
        self._managers.pop((workflow_id, executor), None)
        self._notes.pop((workflow_id, executor), None)

    def manager_alive(self, workflow_id: int, executor: str) -> bool:
        """The lease of the manager lives. One that was never heard of counts from the server's start."""
        heard = self._managers.get((workflow_id, executor))
        return heard is not None and self._clock.monotonic() - heard <= self.patience.manager_lease_s

    def manager_may_live(self, workflow_id: int, executor: str) -> bool:
        """As `manager_alive`, but one from before the server's start gets a full grace."""
        return self._since(self._managers.get((workflow_id, executor))) <= self.patience.manager_lease_s

    def notes(self, workflow_id: int) -> list[str]:
        """What managers of a workflow say is waiting and why."""
        found = [(key[1], note) for key, note in list(self._notes.items()) if key[0] == workflow_id and note]
        return [f"{executor}: {note}" for executor, note in sorted(found)]

    def idle(self, live_instances: int) -> bool:
        """Nobody holds a lease and nothing is live, for `idle_s`."""
        now = self._clock.monotonic()
        runs = any(now - heard <= self.patience.run_lease_s for heard in list(self._runs.values()))
        managers = any(now - heard <= self.patience.manager_lease_s for heard in list(self._managers.values()))
        if runs or managers or live_instances or self.standing.live():
            self._busy = now
        return now - self._busy > self.patience.idle_s

    def run_over(self, run_id: int) -> None:
        """A run is final: its lease counts no more."""
        self._runs.pop(run_id, None)

    def _since(self, heard: float | None) -> float:
        return self._clock.monotonic() - (self._started if heard is None else max(heard, self._started))
