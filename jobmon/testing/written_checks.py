"""Area core: what every executor has. A method that is left to write says so by NotImplementedError, and how.

The other checks that need such a method are not exercised until it is written (see `World.call`).
"""

from collections.abc import Iterable

from jobmon.plugins import SchedulerUnavailable
from jobmon.testing.sentences import Area, does_not_apply, holds
from jobmon.testing.world import World, find_is_defined

#: The methods of the contract about attempts, and the name of their argument.
METHODS = {"submit": "requests", "observe": "submitted", "cancel": "submitted", "find": "submissions"}


class WrittenChecks:
    """What is left to write, piece by piece."""

    @holds(Area.CORE, "submit is written.")
    def test_submit_is_written(self, world: World) -> None:
        _call_about_nothing(world, "submit")

    @holds(Area.CORE, "observe is written.")
    def test_observe_is_written(self, world: World) -> None:
        _call_about_nothing(world, "observe")

    @holds(Area.CORE, "cancel is written.")
    def test_cancel_is_written(self, world: World) -> None:
        _call_about_nothing(world, "cancel")

    @holds(Area.FIND, "find is written, or left to the base class.")
    def test_find_is_written_or_left_to_the_base_class(self, world: World) -> None:
        if not find_is_defined(world):
            does_not_apply("it does not define find")
        _call_about_nothing(world, "find")


def _call_about_nothing(world: World, method: str) -> None:
    """Call a method with no attempts; only that it is there counts here."""
    import pytest

    def call() -> None:
        answer = getattr(world.executor, method)(**{METHODS[method]: []})
        if isinstance(answer, Iterable):
            list(answer)  # a generator does nothing before

    left = ""
    try:
        world.calls.call(method, call)
    except SchedulerUnavailable:
        return  # it is away, so it was asked
    except NotImplementedError as error:
        left = str(error) or f"{method} is left to write"
    if left:
        pytest.fail(left, pytrace=False)
