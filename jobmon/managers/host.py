"""The host of one named executor: a thread in which all its calls are made, one at a time, each with a time limit."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from jobmon.clock import Clock
from jobmon.managers.breaker import Breaker
from jobmon.managers.bucket import TokenBucket
from jobmon.plugins import Executor, ExecutorContext, SchedulerUnavailable
from jobmon.plugins.answer_parts import text_of
from jobmon.plugins.wording import said

T = TypeVar("T")
_log = logging.getLogger(__name__)


class HostCall(Generic[T]):
    """One call of an executor: waiting for its turn, under way, or finished with `answer` or `error`."""

    def __init__(
        self, what: str, work: "Callable[[Executor, HostCall[T]], T]", done: "Callable[[HostCall[T]], None] | None"
    ) -> None:
        self.what = what
        self.work = work
        self.done = done
        self.begun = False  #: it has reached the executor
        self.ended = False  #: its answer is known
        self.finished = False  #: and `done` has heard of it
        self.abandoned = False  #: nobody waits for it any more: whoever does it should stop
        self.progress_s = 0.0  #: monotonic instant of its last sign of life; the time limit counts from there
        self.answer: T | None = None
        self.error: SchedulerUnavailable | None = None


class _Turn:
    """What one thread of the host owns. An abandoned thread ends when its call returns at last."""

    def __init__(self) -> None:
        self.executor: Executor | None = None
        self.abandoned = False


class ExecutorHost:
    """Makes the calls of one named executor.

    Whatever a call raises becomes SchedulerUnavailable and counts for the circuit breaker: a fault of `plugin` must not
    take the manager down. A call without a sign of life for `timeout_s` (None: no limit) is given up by whoever waits:
    its thread is left to itself, and the next call is made in a new thread on a fresh executor.
    """

    def __init__(
        self,
        name: str,
        plugin: str,
        make: Callable[[], Executor],
        context: ExecutorContext,
        *,
        clock: Clock,
        bucket: TokenBucket,
        breaker: Breaker,
        timeout_s: float | None,
    ) -> None:
        self._name, self._plugin, self._make, self._context = name, plugin, make, context
        self._clock, self._bucket, self.breaker, self._timeout_s = clock, bucket, breaker, timeout_s
        self._calls: deque[HostCall[object]] = deque()
        self._changed = threading.Condition()
        self._current: HostCall[object] | None = None
        self._turn: _Turn | None = None
        self._stopping = threading.Event()

    def post(
        self, what: str, work: Callable[[Executor, HostCall[T]], T], done: Callable[[HostCall[T]], None] | None = None
    ) -> HostCall[T]:
        """Have a call made in its turn; `done` hears of its end, in the host's thread or in the one that gave it up."""
        call = HostCall(what, work, done)
        with self._changed:
            self._calls.append(call)  # type: ignore[arg-type]
            if self._turn is None and not self._stopping.is_set():
                self._turn = self._new_turn()
            self._changed.notify_all()
        return call

    def call(self, what: str, work: Callable[[Executor], T]) -> T:
        """Make a call and return its answer.

        Raises:
            SchedulerUnavailable: the executor raised it or anything else, overran, or the host was stopped.
        """
        call = self.post(what, lambda executor, _: work(executor))
        self.wait(call)
        if call.error is not None:
            raise call.error
        return call.answer  # type: ignore[return-value]

    def wait(self, call: HostCall[T]) -> None:
        """Wait until the call is finished, giving up whatever call overruns before it."""
        while not call.finished:
            self.give_up_overrun()
            with self._changed:
                left_s = self._left_s()
                if not call.finished and (left_s is None or left_s > 0):
                    self._changed.wait(left_s)

    def pace(self, call: HostCall[T]) -> None:
        """Wait until the platform may be asked once more, in a call that asks it several times."""
        if not self._bucket.limits:
            return
        pause_s = self._bucket.take(self._clock.monotonic())
        if pause_s > 0:
            self._stopping.wait(pause_s)
            call.progress_s = self._clock.monotonic()

    def give_up_overrun(self) -> None:
        """Abandon the call under way if it has overrun its time."""
        with self._changed:
            left_s = self._left_s()
            if left_s is None or left_s > 0:
                return
            overrun = self._abandon()
        if overrun is not None:
            limit = f"gave no sign of life for {self._timeout_s:g} s and was given up"
            self._finish(overrun, None, SchedulerUnavailable(f"{overrun.what} of executor {self._name} {limit}"))

    def stop(self, patience_s: float = 0.0) -> None:
        """Make no further call. The one under way may take `patience_s` more; then it is abandoned.

        Calls that were not begun end with an error, `begun` false.
        """
        with self._changed:
            self._stopping.set()
            unbegun = list(self._calls)
            self._calls.clear()
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._current is None, patience_s)
            left = self._abandon() if self._current is not None else None
        for call in unbegun if left is None else [left, *unbegun]:
            self._finish(call, None, SchedulerUnavailable("the manager stops"))

    def _left_s(self) -> float | None:
        if self._timeout_s is None:
            return None
        if self._current is None:
            return self._timeout_s
        return self._current.progress_s + self._timeout_s - self._clock.monotonic()

    def _abandon(self) -> "HostCall[object] | None":
        call, self._current = self._current, None
        if call is None or self._turn is None:
            return None
        call.abandoned = self._turn.abandoned = True
        self._turn = None
        if self._calls:
            self._turn = self._new_turn()
        return call

    def _new_turn(self) -> _Turn:
        turn = _Turn()
        threading.Thread(target=self._serve, args=[turn], name=f"executor {self._name}", daemon=True).start()
        return turn

    def _serve(self, turn: _Turn) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: turn.abandoned or self._calls or self._stopping.is_set())
                if turn.abandoned or not self._calls:
                    break
                call = self._current = self._calls.popleft()
                call.progress_s = self._clock.monotonic()
            answer, error = self._make_call(turn, call)
            if not call.abandoned:
                self._finish(call, answer, error)
        if turn.executor is not None:
            self._let_go(turn.executor)

    def _make_call(self, turn: _Turn, call: HostCall[object]) -> tuple[object, SchedulerUnavailable | None]:
        self.pace(call)
        try:
            if turn.executor is None:
                executor = self._make()
                executor.start(self._context)
                turn.executor = executor
            with self._changed:
                if call.abandoned:  # it was given up as one that never reached the executor, and must not now
                    return None, None
                call.begun = True
            return call.work(turn.executor, call), None
        except SchedulerUnavailable as error:
            return None, SchedulerUnavailable(text_of(error))  # the words may be anything, of any length
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
            _log.warning("executor %s: %s failed", self._name, call.what, exc_info=error)
            return None, SchedulerUnavailable(f"{call.what} failed, by a fault of {self._plugin}: {said(error)}")

    def _finish(self, call: HostCall[T], answer: T | None, error: SchedulerUnavailable | None) -> None:
        with self._changed:
            if call.ended:
                return
            call.ended = True
            call.answer, call.error = answer, error
            if error is None:
                self.breaker.succeeded()
            elif not self._stopping.is_set():
                self.breaker.failed(self._clock.monotonic(), str(error))
        # Whoever waits must find the consequences in place, so `done` comes first.
        if call.done is not None:
            call.done(call)
        with self._changed:
            call.finished = True
            if self._current is call:
                self._current = None
            self._changed.notify_all()

    def _let_go(self, executor: Executor) -> None:
        try:
            executor.stop()
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
            _log.warning("executor %s: stop failed", self._name, exc_info=error)
