"""Standing managers: those that serve executors for every workflow of this server. What is known of them is not stored.

They tell it anew twice a second, so that a server that was started again knows it at once.
"""

import attrs

from jobmon.clock import Clock
from jobmon.processes import ProcessIdentity
from jobmon.wire.leases import ExecutorRegistration


@attrs.frozen
class _Standing:
    manager: ProcessIdentity
    registration: ExecutorRegistration
    heard_s: float


class StandingManagers:
    """Which executor is served by which standing manager. Used by several threads, without waiting for each other."""

    def __init__(self, clock: Clock, lease_s: float) -> None:
        self._clock, self._lease_s = clock, lease_s
        self._by_name: dict[str, _Standing] = {}
        self._replaced: set[tuple[str, ProcessIdentity]] = set()

    def heard(self, manager: ProcessIdentity, executors: dict[str, ExecutorRegistration]) -> list[str]:
        """A standing manager gave a sign of life; which of its executors a newer one serves."""
        superseded = []
        for name, registration in executors.items():
            if (name, manager) in self._replaced:
                superseded.append(name)
                continue
            before = self._by_name.get(name)
            if before is not None and before.manager != manager:
                self._replaced.add((name, before.manager))
            self._by_name[name] = _Standing(manager, registration, self._clock.monotonic())
        return superseded

    def live(self) -> dict[str, ExecutorRegistration]:
        """The executors of standing managers that were heard of lately."""
        since_s = self._clock.monotonic() - self._lease_s
        return {name: one.registration for name, one in sorted(self._by_name.items()) if one.heard_s >= since_s}
