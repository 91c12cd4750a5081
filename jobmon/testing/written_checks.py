"""Area core: what every executor has. A method that is left to write says so by NotImplementedError, and how.

The other checks that need such a method are not exercised until it is written (see `World.call`).
"""

import contextlib
from collections.abc import Iterable, Iterator

from jobmon.plugins import BatchExecutor, Completed, SchedulerUnavailable
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
    import pytest

    if left := left_to_write(world, method):
        pytest.fail(left, pytrace=False)


def left_to_write(world: World, method: str) -> str:
    """What is left to write of a method, and how; empty: nothing.

    It is called with no attempts, its pieces with next to nothing: only that they are there counts here.
    """

    def call() -> None:
        answer = getattr(world.executor, method)(**{METHODS[method]: []})
        if isinstance(answer, Iterable):
            list(answer)  # a generator does nothing before

    try:
        world.calls.call(method, call)
    except SchedulerUnavailable:
        return ""  # it is away, so it was asked
    except NotImplementedError as error:
        return str(error) or f"{method} is left to write"
    return "\n".join(world.calls.call(method, lambda: list(_pieces_left(world, method))))


def _pieces_left(world: World, method: str) -> Iterator[str]:
    """What is left to write of a method that the base class makes of its author's pieces."""
    executor = world.executor
    if not isinstance(executor, BatchExecutor):
        return
    # Piece, the step of the base class that uses it, and next to nothing to call it with.
    pieces: dict[str, list[tuple[str, str, tuple[object, ...]]]] = {
        "submit": [
            ("submit_argv", "send", (world.requests()[0],)),
            ("parse_submission", "outcome", (Completed(("nothing",), 1, "", ""),)),
        ],
        "observe": [("list_argv", "listing", ()), ("parse_list", "listing", ("",))],
        "cancel": [("cancel_argv", "cancel_ids", (["1"],))],
    }
    if method == "observe" and not executor.states and _is_supplied(executor, "meaning"):
        yield "states: say what each of the platform's words for a state means: Pending(), Running() or an Exited"
    for piece, step, arguments in pieces.get(method, []):
        if not _is_supplied(executor, step):
            continue
        try:
            # What it makes of so little is not judged here.
            with contextlib.suppress(SchedulerUnavailable, ValueError, LookupError, AttributeError, TypeError):
                answer = getattr(executor, piece)(*arguments)
                if isinstance(answer, Iterable):
                    list(answer)
        except NotImplementedError as error:
            yield str(error) or f"{piece} is left to write"


def _is_supplied(executor: BatchExecutor, step: str) -> bool:
    """Whether a step is the base class's own."""
    return getattr(type(executor), step) is getattr(BatchExecutor, step)
