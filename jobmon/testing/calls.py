"""Calls of an executor as its host makes them: in one thread, one at a time, with a time limit."""

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")
Trace = TypeVar("Trace", bound=Callable[..., Any])
#: What has overrun once gets this part of the time from then on, and after so many times it is not called any more:
#: so a method that never answers costs a run of the kit little more than one limit.
_AGAIN, _MOST = 0.1, 3


class Overrun(AssertionError):
    """A call gave no answer within its limit."""


class CallThread:
    """The thread in which an executor's calls are made. `overruns` counts, by method, those of all such threads."""

    def __init__(self, limit_s: float, overruns: dict[str, int]) -> None:
        self._limit_s = limit_s
        self._overruns = overruns
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[tuple[Any, BaseException | None]]]]
        self._calls = queue.SimpleQueue()
        self._overrun: str | None = None
        self._closed = False
        self._trace: Callable[..., Any] | None = None
        self.thread = threading.Thread(target=self._serve, name="calls of the executor under test", daemon=True)
        self.thread.start()

    def call(self, what: str, work: Callable[[], T]) -> T:
        """Make a call and return its answer, or raise what it raises.

        Raises:
            Overrun: it gave no answer within the limit, or an earlier one did not.
        """
        times = self._overruns.get(what, 0)
        if self._overrun is None and times < _MOST:
            answers: queue.SimpleQueue[tuple[T, BaseException | None]] = queue.SimpleQueue()
            self._calls.put((work, answers))
            try:
                answer, error = answers.get(timeout=self._limit_s * (_AGAIN if times else 1))
            except queue.Empty:
                self._overrun = what
                self._overruns[what] = times + 1
            else:
                if error is not None:
                    raise error
                return answer
        raise Overrun(
            f"{self._overrun or what} gave no answer within {self._limit_s:g} s: limit the time of what it asks of its "
            "platform, as self.run does, and raise SchedulerUnavailable when it is over"
        )

    @contextmanager
    def tracing(self, trace: Trace) -> Iterator[Trace]:
        """Have what the thread's calls run in the block be traced (see `sys.settrace`)."""
        self._trace = trace
        try:
            yield trace
        finally:
            self._trace = None

    def close(self) -> None:
        """End the thread, unless a call holds it."""
        self._closed = True
        self._calls.put((lambda: None, queue.SimpleQueue()))
        if self._overrun is None:
            self.thread.join()

    def _serve(self) -> None:
        while not self._closed:
            work, answers = self._calls.get()
            try:
                sys.settrace(self._trace)
                answers.put((work(), None))
            except BaseException as error:  # noqa: BLE001 - it is raised again where the call was asked for
                answers.put((None, error))
            finally:
                sys.settrace(None)
