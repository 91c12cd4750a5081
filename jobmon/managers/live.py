"""The table of one executor's live attempts, as its manager knows them: a cache of the server's, in memory only."""

import threading
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from itertools import repeat

import attrs

from jobmon.ids import platform_job_name
from jobmon.plugins import Submission, Submitted
from jobmon.wire.leases import ArrayPlace


class Phase(Enum):
    """How far an attempt's submission has come."""

    SENDING = 1  #: with the factory, or in a call of `submit`
    UNCERTAIN = 2  #: the outcome is unknown: it must be found
    PLACED = 3  #: the platform has it


@attrs.define(eq=False)
class Attempt:
    """One attempt that is not final. Fields are written by one thread at a time: its phase says whose turn it is."""

    token: str
    name: str  #: the task's
    phase: Phase
    submitted_at: datetime
    array: ArrayPlace | None = None
    executor_job_id: str | None = None
    cancelling: bool = False
    running: bool = False  #: seen running, and said so to the server
    gone_at_s: float | None = None  #: monotonic instant when the platform last said that it is exited or absent
    cancelled_at_s: float | None = None  #: monotonic instant of the last `cancel` that named it
    unclear_for_s: float = 0.0  #: for how long its platform has answered without telling how it goes
    unclear_at_s: float | None = None  #: monotonic instant of the last such answer
    unsettled_since_s: float | None = None  #: monotonic instant of the first answer that could not find it

    @property
    def job_name(self) -> str:
        """The name that it has, or would have, at its platform."""
        return platform_job_name(self.token, self.name) if self.array is None else self.array.job_name

    @property
    def index(self) -> int | None:
        """Its place in its array, from 1 on."""
        return None if self.array is None else self.array.index

    def submission(self) -> Submission:
        """What the executor is asked to find."""
        return Submission(self.token, self.job_name, self.submitted_at, self.index)

    def submitted(self) -> Submitted:
        """What the executor is told of it."""
        return Submitted(self.executor_job_id or "", self.token, self.job_name, self.submitted_at, self.index)


class LiveTable:
    """Live attempts by token. Thread-safe."""

    def __init__(self) -> None:
        self._attempts: dict[str, Attempt] = {}
        self._early_cancels: set[str] = set()
        self._changed = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._attempts)

    def get(self, token: str) -> Attempt | None:
        """The attempt of that token; None when it is final or another executor's."""
        return self._attempts.get(token)

    def add(self, attempts: Iterable[Attempt]) -> None:
        """Take attempts up."""
        with self._changed:
            for attempt in attempts:
                self._attempts[attempt.token] = attempt
                if attempt.token in self._early_cancels:
                    self._early_cancels.discard(attempt.token)
                    attempt.cancelling = True

    def drop(self, tokens: Iterable[str]) -> list[Attempt]:
        """Forget attempts that are final; those that were known."""
        with self._changed:
            dropped = [a for a in map(self._attempts.pop, tokens, repeat(None)) if a is not None]
            if dropped:
                self._changed.notify_all()
        return dropped

    def cancel(self, token: str) -> Attempt | None:
        """Mark an attempt as cancelling; one whose claim is still on its way here is marked when it comes."""
        with self._changed:
            attempt = self._attempts.get(token)
            if attempt is None:
                self._early_cancels.add(token)
            else:
                attempt.cancelling = True
        return attempt

    def forget_cancels(self, tokens: Iterable[str]) -> None:
        """The attempts are final, whether or not they were known here."""
        if self._early_cancels:
            with self._changed:
                self._early_cancels.difference_update(tokens)

    def snapshot(self) -> list[Attempt]:
        """All attempts, at one instant."""
        with self._changed:
            return list(self._attempts.values())

    def wait_for_room(self, limit: int, timeout_s: float) -> int:
        """How many more attempts fit below `limit`; waits up to `timeout_s` for the first place, or until `close`."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._attempts) < limit, timeout_s)
            return max(0, limit - len(self._attempts))

    def close(self) -> None:
        """Nobody waits for room any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
