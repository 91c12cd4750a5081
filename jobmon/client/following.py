"""The loop of a run: hear what changed, queue what became ready, show it, until nothing can go on."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import attrs

from jobmon.client.progress import progress
from jobmon.client.views import View
from jobmon.errors import Superseded
from jobmon.managers.job_list_manager import JobListManager, Notable, Snapshot
from jobmon.states.names import FINAL_RUN_STATES, JobState, RunState
from jobmon.wire.runs import Changes

if TYPE_CHECKING:
    pass

_WAIT_S = 1.0  # of one poll: notes and unserved executors are at most this old
_SHOW_S = 0.25
_GRACE_S = 2.0  # a manager that was just started again is not missed yet
_START_S, _SLOW_START_S = 10.0, 60.0  # a manager that lives and has not begun to serve is told of


@attrs.frozen
class Interrupted:
    """The user pressed Ctrl-C for the first time."""


@attrs.frozen
class Said:
    """Something to tell the user."""

    text: str


@attrs.frozen
class Failed:
    """The run cannot be followed any more: its changes cannot be heard, or the manager of this process broke."""

    error: Exception


Event = Changes | Snapshot | Interrupted | Said | Failed


class Following:
    """One run from its begin to its end. Events of all threads and of the signal handler meet in one queue."""

    def __init__(
        self,
        jobs: JobListManager,
        view: View,
        executors: Sequence[tuple[str, str]],
        *,
        fail_fast: bool,
        tell_failure: Callable[[Sequence[Notable]], Iterable[str]],
        manager_lives: Callable[[str], bool] = lambda _executor: False,
    ) -> None:
        self._jobs, self._view, self._executors = jobs, view, executors
        self._fail_fast, self._tell_failures, self._manager_lives = fail_fast, tell_failure, manager_lives
        self._events: SimpleQueue[Event] = SimpleQueue()  # its `put` may be called in a signal handler
        # Polling and taking in take turns: two busy threads of one interpreter would make each hop wait for the other,
        # and what changes meanwhile comes with the next poll in one go.
        self._turn = threading.Semaphore(1)
        self._over = threading.Event()
        self._notes: list[str] = []
        self._unserved: dict[str, float] = {}  # since when, on the monotonic clock
        self.stopping = False
        self.interrupted = False

    def interrupt(self) -> None:
        """The user wants the run to end. May be called in a signal handler."""
        self.interrupted = True
        self._events.put(Interrupted())

    def say(self, text: str) -> None:
        """Show a line. May be called in any thread."""
        self._events.put(Said(text))

    def fail(self, error: Exception) -> None:
        """The run cannot be followed any more: `follow` raises the error. May be called in any thread."""
        self._events.put(Failed(error))

    def follow(self) -> None:
        """Until no job is ready or active any more. The run must have begun.

        Raises:
            JobmonError: the server refuses this client (Superseded, for instance).
        """
        poller = threading.Thread(target=self._poll, name="jobmon-changes", daemon=True)
        try:
            self._jobs.queue_ready()
            poller.start()
            while not self._is_over():
                polled = self._take_event()
                if not self.stopping:
                    self._jobs.queue_ready()
                if polled:
                    self._turn.release()
                self._view.show(progress(self._jobs, self._executors), self._notes)
        finally:
            self._over.set()
            self._turn.release()
            self._say_the_rest()

    def _is_over(self) -> bool:
        return self._jobs.n_active() == 0 and (self.stopping or not self._jobs.has_ready())

    def _poll(self) -> None:
        while True:
            self._turn.acquire()
            if self._over.is_set():
                return
            try:
                self._events.put(self._jobs.poll(_WAIT_S))
            except Exception as error:  # noqa: BLE001 - raised again where the run is followed
                self.fail(error)
                return

    def _take_event(self) -> bool:
        """Wait for an event, not for long, and act on it; whether it came from the poller."""
        try:
            event = self._events.get(timeout=_SHOW_S)
        except Empty:
            return False
        match event:
            case Changes() | Snapshot():
                self._take_news(event)
                return True
            case Interrupted():
                self._stop(
                    "stopping: running jobs are told to end, and are recorded. Press Ctrl-C again to leave at once; "
                    "what is recorded stays true, and run(resume=True) goes on from there"
                )
            case Said(text):
                self._view.line(text)
            case Failed(error):
                raise error
        return False

    def _take_news(self, news: Changes | Snapshot) -> None:
        notables = self._jobs.apply(news)
        for line in self._tell_failures(notables) if notables else ():
            self._view.line(line)
        if self._fail_fast and any(notable.change.state is JobState.ERROR_FATAL for notable in notables):
            self._stop("stopping after the first failure (fail_fast): running jobs are told to end, and are recorded")
        if news.run_state in FINAL_RUN_STATES:
            raise Superseded(
                f"this run is {news.run_state}: another run of the workflow has taken its place. "
                "Its jobs live on under that one"
            )
        if news.run_state is RunState.STOPPING and not self.stopping:
            self.stopping = True
            self._view.line("the run is being stopped")
        if isinstance(news, Changes):
            self._notes = [*self._long_unserved(news.unserved), *news.notes]

    def _long_unserved(self, names: Sequence[str]) -> list[str]:
        now = time.monotonic()
        self._unserved = {name: self._unserved.get(name, now) for name in names}
        found = (self._unserved_note(name, now - since) for name, since in self._unserved.items())
        return [note for note in found if note]

    def _unserved_note(self, name: str, waited_s: float) -> str:
        """Nothing while it may just be slow; a text that stays the same, as each new one is shown."""
        if not self._manager_lives(name):
            return f"executor {name} has queued jobs, and no live manager serves it" if waited_s >= _GRACE_S else ""
        if waited_s < _START_S:
            return ""
        slow = waited_s >= _SLOW_START_S
        return f"executor {name} has queued jobs, and its manager is still starting" + (
            ": this host is very busy, or what the manager imports is on a slow disk" if slow else ""
        )

    def _stop(self, why: str) -> None:
        if not self.stopping:
            self.stopping = True
            self._view.line(why)
            self._jobs.stop()

    def _say_the_rest(self) -> None:
        while not self._events.empty():
            event = self._events.get()
            if isinstance(event, Said):
                self._view.line(event.text)
