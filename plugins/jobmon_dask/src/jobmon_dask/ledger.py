"""The ledger: what became of our attempts, kept by Dask's scheduler. This module runs there and is sent by value.

So it needs nothing of Jobmon on the cluster. It is what makes Dask fit for attempts that start at most once:

- A task must win its start here. Dask runs a task again when its worker is lost; the second run wins nothing.
- Ends are told to the ledger, not left as results of tasks on workers that may die. They outlive the manager, and go
  when the manager says that they are settled.
- Who looks for an attempt that has not arrived revokes it in the same step: it does not start, should it come later.

The scheduler is one thread, so each of these steps is whole.
"""

import asyncio
import re
import time
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin

NAME = "jobmon-ledger-1"

#: Where an attempt stands.
SENT, STARTED, ENDED, REVOKED = "sent", "started", "ended", "revoked"
#: How long ends are kept for a manager that does not come back.
KEEP_S = 7 * 24 * 3600.0


class Entry:
    """One attempt. `end` is what is told of it when it has ended: reason, words, what its runner wrote."""

    def __init__(self, key: str, topic: str) -> None:
        self.key = key
        self.topic = topic
        self.state = SENT
        self.worker = ""
        self.end: tuple[str | None, str, str] = (None, "", "")
        self.changed_s = time.monotonic()


class Ledger(SchedulerPlugin):
    """The scheduler's side. Its handlers are called by clients and workers as `jobmon_...`."""

    name = NAME
    idempotent = True

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.tokens: dict[str, str] = {}  #: by key

    async def start(self, scheduler: Any) -> None:
        """Begin to answer."""
        self.scheduler = scheduler
        self.arrival = asyncio.Event()
        for what in ("expect", "arrived", "start", "end", "look", "find", "cancel", "settle"):
            scheduler.handlers[f"jobmon_{what}"] = getattr(self, f"on_{what}")

    # Asked by clients.

    def on_expect(self, keys: dict[str, str], topic: str) -> bool:
        """These tokens are going to be submitted, as tasks of these keys; news of them go to the topic."""
        self._drop_old()
        for token, key in keys.items():
            self.entries[token] = Entry(key, topic)
            self.tokens[key] = token
        return True

    async def on_arrived(self, tokens: list[str], wait_s: float) -> list[str]:
        """Those that have not arrived as tasks after so long."""
        until = time.monotonic() + wait_s
        while True:
            missing = [token for token in tokens if self._missing(token)]
            left_s = until - time.monotonic()
            if not missing or left_s <= 0:
                return missing
            try:
                await asyncio.wait_for(self.arrival.wait(), left_s)
            except TimeoutError:
                continue

    def _missing(self, token: str) -> bool:
        entry = self.entries.get(token)
        return entry is None or (entry.state == SENT and entry.key not in self.scheduler.tasks)

    def on_look(self, tokens: list[str]) -> dict[str, list[Any]]:
        """Where each stands: `[state, words]`, or for one that has ended `["ended", reason, words, what was told]`."""
        return {token: self._look(token) for token in tokens}

    def _look(self, token: str) -> list[Any]:
        entry = self.entries.get(token)
        if entry is not None and entry.state == SENT:
            task = self.scheduler.tasks.get(entry.key)
            if task is not None:
                return ["pending", self._why(task)]
            self._change(entry, REVOKED)
        if entry is None or entry.state == REVOKED:
            return ["absent", ""]
        return ["running", entry.worker] if entry.state == STARTED else ["ended", *entry.end]

    def on_find(self, tokens: list[str]) -> dict[str, str]:
        """The key of each that is here, ended or not; empty for those that are not, which are revoked."""
        seen = self.on_look(tokens)
        return {token: self.entries[token].key if seen[token][0] != "absent" else "" for token in tokens}

    def _why(self, task: Any) -> str:
        if task.state == "no-worker":
            wanted = ", ".join(f"{name}={amount:g}" for name, amount in (task.resource_restrictions or {}).items())
            return f"no worker of the cluster has {wanted or 'what it needs'}"
        return "the workers of the cluster are busy" if self.scheduler.workers else "the cluster has no workers"

    def on_cancel(self, tokens: list[str]) -> list[list[str]]:
        """Those that had not begun end here: their keys; those that run: the addresses of their workers."""
        unbegun, workers = [], set()
        for entry in [self.entries[token] for token in tokens if token in self.entries]:
            if entry.state == SENT:
                self._end(entry, "CANCELLED", "cancelled before it began")
                unbegun.append(entry.key)
            elif entry.state == STARTED:
                workers.add(entry.worker)
        return [unbegun, sorted(workers)]

    def on_settle(self, tokens: list[str]) -> bool:
        """Nobody will ask for these again."""
        for token in tokens:
            entry = self.entries.pop(token, None)
            if entry is not None:
                self.tokens.pop(entry.key, None)
        return True

    # Asked by workers.

    def on_start(self, token: str, worker: str) -> bool:
        """Whether the attempt may start there. It may once."""
        entry = self.entries.get(token)
        if entry is None or entry.state != SENT:
            return False
        entry.worker = worker
        self._change(entry, STARTED)
        self._tell(entry, token)
        return True

    def on_end(self, token: str, told: str, trouble: str) -> bool:
        """The attempt has ended: what its runner wrote, or what went wrong with the runner."""
        entry = self.entries.get(token)
        if entry is not None and entry.state == STARTED:
            self._end(entry, "UNKNOWN" if trouble else None, trouble, told)
        return True

    # What Dask itself says.

    def update_graph(self, scheduler: Any, *, keys: Any, **_: Any) -> None:
        """Tasks have arrived, and have not begun. Ours run to their ends, whatever becomes of the client, and go then.

        That is what `fire_and_forget` asks for, by a message that may come when a short task has ended, and then keeps
        it for ever.
        """
        scheduler.client_desires_keys(keys=[key for key in keys if key in self.tokens], client="fire-and-forget")
        self.arrival.set()
        self.arrival = asyncio.Event()

    def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:  # noqa: ARG002 - Dask names them
        """What ran there has ended with its worker."""
        for entry in self.entries.values():
            if entry.state == STARTED and entry.worker == worker:
                self._end(entry, "NODE_FAILURE", f"Dask lost its worker {worker}")

    def transition(self, key: Any, start: str, finish: str, *_: Any, **__: Any) -> None:  # noqa: ARG002
        """A task that fails, or that Dask is told to forget, before it has told its own end."""
        if finish not in ("erred", "forgotten") or key not in self.tokens:
            return
        entry = self.entries[self.tokens[key]]
        if finish == "erred" and entry.state in (SENT, STARTED):
            task = self.scheduler.tasks.get(key)
            words = str(getattr(task, "exception_text", "")) or "its task failed"
            killed = re.search(r"\bKilledWorker\b", words) is not None
            self._end(entry, "NODE_FAILURE" if killed else "UNKNOWN", words)
        elif finish == "forgotten" and entry.state == SENT:
            self._end(entry, "UNKNOWN", "Dask was told to forget its task before it began")

    def _end(self, entry: Entry, reason: str | None, words: str, told: str = "") -> None:
        entry.end = (reason, words, told)
        self._change(entry, ENDED)
        self._tell(entry, self.tokens[entry.key])

    def _change(self, entry: Entry, state: str) -> None:
        entry.state, entry.changed_s = state, time.monotonic()

    def _tell(self, entry: Entry, token: str) -> None:
        self.scheduler.log_event(entry.topic, token)

    def _drop_old(self) -> None:
        before_s = time.monotonic() - KEEP_S
        over = (ENDED, REVOKED)
        self.on_settle([t for t, e in self.entries.items() if e.state in over and e.changed_s < before_s])
