"""Figures that the level platinum needs, as far as a run of minutes on the real platform can give them."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import pytest

from jobmon.testing.reporting import MEASURED
from jobmon.testing.world import World

_ROUNDS = 5


class Measurements:
    """What is measured is no sentence: it is told, and judged where the level is."""

    def test_the_time_of_an_array_is_measured(
        self, world: World, record_property: Callable[[str, object], None]
    ) -> None:
        """The time in which the platform takes an array from the executor, and one by its own means."""
        conformance = world.conformance
        count = min(conformance.many, world.array_limit())
        if not conformance.real_platform:
            pytest.skip("not measured: only the real platform's own time counts")
        if count < 2 or not world.can("submit_raw_array"):
            pytest.skip("not measured: the executor has no arrays, or the platform object no submit_raw_array()")
        raw, own = [], []
        for _ in range(_ROUNDS):
            raw.append(_timed(lambda: world.platform.submit_raw_array(count)))
            array = world.array_of(world.requests(count))
            sent: list[Any] = []
            own.append(_timed(lambda: sent.append(world.submit_array(array))))  # noqa: B023 - it is called here
            world.cancelled(world.submitted_members(array, sent[0]))
        ratio = statistics.median(own) / statistics.median(raw)
        how = (
            f"{_ROUNDS} arrays of {count} in turn: a median of {statistics.median(own):.3f} s, and of "
            f"{statistics.median(raw):.3f} s by the platform's own means"
        )
        kind = conformance.executor_type.name
        record_property(MEASURED, {"type": kind, "name": "array_ratio", "value": round(ratio, 3), "how": how})


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
