"""The class that the author of an executor derives from to have its type tested on its real platform."""

import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from jobmon.plugins import SchedulerUnavailable
from jobmon.testing.conformance import ExecutorConformance
from jobmon.testing.platform import Platform
from jobmon.testing.real_platform import RealPlatform
from jobmon.testing.real_run import PREFIX
from jobmon.testing.record_checks import RecordChecks
from jobmon.testing.sentences import not_exercised
from jobmon.testing.set_up import wrong_set_up
from jobmon.testing.world import World

_LOOK_AGAIN_S = 0.5


class LeftoverChecks:
    """What is left of a run at its platform. No sentence of the contract: it is about the run."""

    def test_nothing_is_left_at_the_platform(self, world: World) -> None:
        """Every job of the run is gone from the platform, or the check names it."""
        assert isinstance(world.platform, RealPlatform)
        sweep(world)


class RealConformance(RecordChecks, LeftoverChecks, ExecutorConformance):
    """Every sentence of the contract, on the real platform; run where the variable JOBMON_REAL is set.

    Every job of a run has the run's prefix in its name. What it leaves is ended after each test and at the end, also of
    a run that is interrupted; a job of the run that cannot be ended fails it.
    """

    platform_type: ClassVar[type[Platform] | None] = RealPlatform
    real_platform = True
    is_opt_in: ClassVar[bool] = True
    _handlers: ClassVar[dict[signal.Signals, Any]] = {}
    #: A folder that the hosts of the jobs share with this one, for what stands in for workers. None: a temporary one
    #: of this host.
    shared_folder: ClassVar[Path | None] = None

    many = 50
    patience_s = 60.0
    call_timeout_s = 100.0
    lives = 2
    shrinks = False

    @classmethod
    def setup_class(cls) -> None:
        """Begin the run: what would end this process without more ado becomes an interrupt."""
        cls._handlers = {one: signal.signal(one, _interrupt) for one in (signal.SIGTERM, signal.SIGHUP)}

    @classmethod
    def teardown_class(cls) -> None:
        """End what is left of the run, also of one that is interrupted."""
        kept = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would leave the jobs
        try:
            if not wrong_set_up(cls()):
                cls()._sweep()
        finally:
            for one, handler in (cls._handlers | {signal.SIGINT: kept}).items():
                signal.signal(one, handler)

    def _sweep(self) -> None:
        with tempfile.TemporaryDirectory(
            prefix="jobmon-real-", dir=self.shared_folder, ignore_cleanup_errors=True
        ) as folder:
            world = World(self, Path(folder))
            try:
                sweep(world)
            finally:
                world.close()

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        """The executor and its surroundings, new for each test."""
        if wrong_set_up(self):
            not_exercised("the test class is not set up")
        parent = self.shared_folder or tmp_path  # in which a stand-in that ends may write still
        with tempfile.TemporaryDirectory(prefix="jobmon-real-", dir=parent, ignore_cleanup_errors=True) as folder:
            new = World(self, Path(folder))
            try:
                yield new
            finally:
                new.close()


def sweep(world: World) -> None:
    """End what the platform has of this run, and see that it is gone.

    Raises:
        AssertionError: something is left, in `patience_s`, or the platform does not say so.
    """
    assert isinstance(world.platform, RealPlatform)
    deadline = time.monotonic() + world.conformance.patience_s
    while True:
        try:
            left = world.platform.end_left()
            words = f"these jobs of the run are left at the platform: {_named(left)}"
        except SchedulerUnavailable as error:
            left = {"?": str(error)}
            words = f"the platform does not say what is left of the run: {error}; its jobs begin with {PREFIX}"
        if not left:
            return
        assert time.monotonic() < deadline, words
        world.context.wait(_LOOK_AGAIN_S)


def _named(left: dict[str, str], most: int = 20) -> str:
    named = ", ".join(f"{one} ({name})" for one, name in list(left.items())[:most])
    return named + (f" and {len(left) - most} more" if len(left) > most else "")


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt
