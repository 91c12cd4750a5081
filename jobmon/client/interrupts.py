"""Signals during a run. The first Ctrl-C is told to the run, the second ends at once; the closing of the terminal ends
nothing; the ends of children are heard of, whatever the script does about them.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from jobmon.errors import ConfigurationError


@contextmanager
def two_presses(on_first: Callable[[], None]) -> Iterator[None]:
    """Within this, the first SIGINT calls `on_first`, in the middle of whatever the main thread does; the next raises
    KeyboardInterrupt there. Outside the main thread, where no handler can be set, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = False

    def handle(_signal: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True
        on_first()

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.default_int_handler)


@contextmanager
def outliving_the_terminal() -> Iterator[None]:
    """Within this, SIGHUP, which a terminal sends when it is closed, does nothing, unless the script has seen to it.

    It is handled, not ignored: what is started meanwhile would inherit that. Outside the main thread this does nothing.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGHUP, lambda _signal, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def hearing_of_children() -> Iterator[None]:
    """Within this SIGCHLD is not ignored: else the kernel tells nobody how a child ended, and each seems to have
    succeeded.

    Raises:
        ConfigurationError: it is ignored, and only the main thread may change that.
    """
    if signal.getsignal(signal.SIGCHLD) is not signal.SIG_IGN:
        yield
        return
    if threading.current_thread() is not threading.main_thread():
        raise ConfigurationError(
            "this process ignores SIGCHLD, so it cannot know how its child processes end, and run() is not called in "
            "the main thread, which alone may change that. Call signal.signal(signal.SIGCHLD, signal.SIG_DFL) there"
        )
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
