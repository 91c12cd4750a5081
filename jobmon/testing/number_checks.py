"""Area array: what many attempts, and many calls, cost."""

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from jobmon.plugins import Pending, Running, SchedulerUnavailable, Submission, Submitted
from jobmon.testing.crowds import crowd, unknown
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World, find_is_defined

_KIT = str(Path(__file__).parent)
_FEW, _TIMES = 100, 4
#: What is asked of four times as many may cost so many times as much: 16 would be quadratic.
_MOST_TIMES, _LEAST = 8.0, 4000
_CALLS, _MOST_ROUNDS = 25, 16


class NumberChecks:
    """Thousands of attempts, and calls without end."""

    @holds(Area.ARRAY, "However many attempts a call is about, no command line becomes longer than the system takes.")
    def test_thousands_fit_into_command_lines(self, world: World) -> None:
        one = _one(world)
        world.platform.answer_here()
        many = [one, *unknown(one, world.batch(world.conformance.crowd) - 1)]
        for what, call in _calls(world, many).items():
            try:
                answer = call()
            except SchedulerUnavailable as error:
                raise AssertionError(
                    f"{what} of {len(many)} attempts: {error}. One argument may have 128 kB, all of a command 2 MB: "
                    "ask in portions, or for all jobs of the user"
                ) from error
            if what == "observe":
                seen = answer[one.token]
                assert isinstance(seen, Pending | Running), f"among {len(many)} others a live attempt is {seen!r}"

    @holds(Area.ARRAY, "Four times as many attempts cost four times as much, not sixteen times.")
    def test_the_cost_of_many_does_not_grow_with_their_square(self, world: World) -> None:
        one = _one(world)
        world.platform.answer_here()
        few = crowd(world, one, 0, _FEW)
        before = {what: _cost(world, call) for what, call in _calls(world, few).items()}
        many = few + crowd(world, one, _FEW, _FEW * (_TIMES - 1))
        for what, call in _calls(world, many).items():
            for unit, least, most in zip(
                ("lines of Python", "bytes or rows"), before[what], _cost(world, call), strict=True
            ):
                assert most <= max(_LEAST, least * _MOST_TIMES), (
                    f"{what} of {len(few)} attempts takes {least} {unit}, of {len(many)} it takes {most}. Ask once for "
                    "all of them, and look rows up in a dict that is made once, not in a list for each attempt"
                )

    @holds(Area.ARRAY, "However often it is asked, an executor keeps no more.")
    def test_memory_does_not_grow_by_each_call(self, world: World) -> None:
        one = world.live()[0]
        world.platform.answer_here()
        calls = _calls(world, [one])
        calls.pop("cancel")
        for what, call in calls.items():
            grown: list[int] = []  # other threads have blocks of their own: what grows by calls grows each time
            while not grown or (grown[-1] >= _CALLS and len(grown) < _MOST_ROUNDS):
                grown.append(_blocks(world, call))
            assert grown[-1] < _CALLS, (
                f"by each {_CALLS} calls of {what} memory grows, by {grown} blocks: what is kept of a call must "
                "have a bound, or go when its attempt does"
            )


def _one(world: World) -> Submitted:
    if world.batch(_FEW) < _FEW:
        does_not_apply(f"it has few attempts at a time: its running_limit is below {_FEW}")
    return world.live()[0]


def _calls(world: World, many: list[Submitted]) -> dict[str, Callable[[], Any]]:
    """The calls about attempts: cancel is the last."""
    sought = [Submission(s.token, s.job_name, s.submitted_at, s.index) for s in many]
    calls: dict[str, Callable[[], Any]] = {"observe": lambda: world.observe(many)}
    if find_is_defined(world):
        calls["find"] = lambda: world.find(sought)
    return calls | {"cancel": lambda: world.cancel(many)}


def _cost(world: World, call: Callable[[], object]) -> tuple[int, int]:
    """What a call costs: lines of Python that the executor runs in its thread, and bytes or rows to and fro."""
    before = world.platform.traffic()
    with world.calls.tracing(_Lines()) as lines:
        call()
    return lines.count, world.platform.traffic() - before


class _Lines:
    """Counts lines, but for the kit's own. A loop in one line counts each time around."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, frame: FrameType, _event: str, _argument: object) -> Any:
        return None if frame.f_code.co_filename.startswith(_KIT) else self._line

    def _line(self, _frame: FrameType, event: str, _argument: object) -> Any:
        self.count += event == "line"
        return self._line


def _blocks(world: World, call: Callable[[], object]) -> int:
    """By how many blocks memory grows in so many calls."""
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(_CALLS):
        call()
        world.context.pushed.clear()
    gc.collect()
    return sys.getallocatedblocks() - before
