"""Area core: the process in which an executor's calls are made is its host's, and stays as it was."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from jobmon.plugins.host_state import HostState
from jobmon.testing.every_call import every_call
from jobmon.testing.held import Held
from jobmon.testing.sentences import Area, holds
from jobmon.testing.world import World, find_is_defined

_CALLS = 6


class HostChecks:
    """What calls do to their process."""

    @holds(Area.CORE, "No call changes its process: folder, umask, environment, handlers of signals, streams.")
    def test_no_call_changes_its_process(self, world: World) -> None:
        wrong = []
        for what, call in every_call(world):
            before = HostState()
            call()
            wrong += [f"{what} {change}" for change in before.changes()]
        assert not wrong, (
            f"{'; '.join(wrong)}: all executors of a manager share its process. Give what a command needs to that "
            "command: run takes its environment, and paths can be whole"
        )

    @holds(Area.CORE, "No call writes to standard output, which is the user's.")
    def test_no_call_writes_to_standard_output(self, world: World) -> None:
        wrong = []
        for what, call in every_call(world):
            with _standard_output() as read:
                call()
                if text := read():
                    wrong.append(f"{what} writes {text[:80]!r}")
        assert not wrong, (
            f"{'; '.join(wrong)} to standard output. Log with `logging`, and give the processes that it starts an "
            "output of their own"
        )

    @holds(Area.CORE, "However often it is called, no call leaves a thread, open file or process.")
    def test_no_call_leaves_something_behind_each_time(self, world: World) -> None:
        one = world.live()[0]
        calls: dict[str, Callable[[], object]] = {
            "observe": lambda: world.observe([one]),
            "cancel": lambda: world.cancel([one]),
        }
        if find_is_defined(world):
            calls["find"] = lambda: world.find([one])
        if _left(world, calls.values()):
            left = {what: grown for what, call in calls.items() if (grown := _left(world, [call]))}
            raise AssertionError(
                f"{_CALLS} calls left behind: {left}. Close what a call opens before it returns, also when it raises; "
                "what is opened once is closed by stop"
            )


def _left(world: World, calls: Iterable[Callable[[], object]]) -> dict[str, int]:
    """What as many more are held of as each of these was called, and that is not let go after a while."""
    for call in calls:
        call()
    before, grown = Held.now(), dict[str, int]()
    for call in calls:
        for _ in range(_CALLS):
            call()

    def gone() -> bool:
        grown.clear()
        grown.update(before.added(_CALLS))
        return not grown

    with suppress(AssertionError):
        world.until(gone, "what calls left is let go")
    return grown


@contextmanager
def _standard_output() -> Iterator["_Read"]:
    """What is written to standard output in the block: by print, to the descriptor, or by processes that have it."""
    said, kept, stream = os.memfd_create("standard output"), os.dup(1), sys.stdout
    os.dup2(said, 1)
    sys.stdout = os.fdopen(os.dup(said), "w", buffering=1)
    try:
        yield _Read(said)
    finally:
        sys.stdout.close()
        sys.stdout = stream
        os.dup2(kept, 1)
        os.close(kept)
        os.close(said)


class _Read:
    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __call__(self) -> str:
        sys.stdout.flush()
        return os.pread(self._fd, 1000, 0).decode(errors="replace")
