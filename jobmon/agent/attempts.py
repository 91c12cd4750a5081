"""What the agent knows of its attempts, and the decisions that need nothing else. Pure: no process, socket or clock."""

from collections import deque
from collections.abc import Iterable, Iterator

import attrs

from jobmon.agent.messages import Order, Stage
from jobmon.states.reasons import Reason
from jobmon.wire.workers import Work

#: So many dropped tokens are remembered: an executor hears that they never ran.
_DROPPED_KEPT = 10_000


@attrs.define(eq=False)
class Attempt:
    """One attempt and how far it has come here."""

    order: Order
    stage: Stage = Stage.WAITING
    asked: bool = False  #: its start is asked for, or won
    work: Work | None = None  #: won, and to be run
    pid: int = 0
    cores: int = 0  #: that it occupies while it runs
    began_at: float = 0.0  #: monotonic
    ending: tuple[Reason, str] | None = None  #: why its end is under way
    revoked: bool = False  #: not to be started any more

    @property
    def token(self) -> str:
        return self.order.token


class Attempts:
    """The attempts of one agent, in the order they came, within `workers` cores at once."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.cores_in_use = 0
        self.running: dict[str, Attempt] = {}
        self._known: dict[str, Attempt] = {}
        self._queue: deque[Attempt] = deque()  # not asked for yet
        self._ready: deque[Attempt] = deque()  # won
        self._asked = 0
        self._dropped: dict[str, None] = {}
        self.gone: list[str] = []  #: those that are not here any more, until somebody has taken note

    def __len__(self) -> int:
        return len(self._known)

    def get(self, token: str) -> Attempt | None:
        """The attempt, if it is here."""
        return self._known.get(token)

    def accept(self, orders: Iterable[Order]) -> list[str]:
        """Take orders; one that is already here is accepted again and changes nothing. Those dropped stay dropped."""
        accepted = []
        for order in orders:
            accepted.append(order.token)
            if order.token not in self._known and order.token not in self._dropped:
                self._known[order.token] = attempt = Attempt(order)
                self._queue.append(attempt)
        return accepted

    def carry_over(self, tokens: Iterable[str]) -> None:
        """These ended below an older agent, and the server is still to hear of it."""
        for token in tokens:
            self._known[token] = Attempt(Order(token), Stage.ENDED)

    def stages(self, tokens: Iterable[str]) -> dict[str, Stage]:
        """Where those are that are known."""
        found = {}
        for token in tokens:
            attempt = self._known.get(token)
            if attempt is not None:
                found[token] = attempt.stage
            elif token in self._dropped:
                found[token] = Stage.DROPPED
        return found

    def to_ask(self, ahead: int) -> list[str]:
        """Tokens whose start is to be won now, so that `ahead` are asked for or ready; none while half of them are."""
        have = self._asked + len(self._ready)
        if have > ahead // 2:
            return []
        tokens: list[str] = []
        while self._queue and have + len(tokens) < ahead:
            attempt = self._queue.popleft()
            attempt.asked = True
            tokens.append(attempt.token)
        self._asked += len(tokens)
        return tokens

    def answered(self, token: str, work: Work | None) -> bool:
        """The server answered a start: True when the work is won but must be given back."""
        attempt = self._known.get(token)
        if attempt is None or attempt.work is not None:
            return False
        self._asked -= 1
        if work is None:
            self.drop(attempt)
            return False
        attempt.work = work
        if attempt.revoked:
            return True
        self._ready.append(attempt)
        return False

    def next_to_run(self) -> Attempt | None:
        """The oldest that is ready, when there is room for its cores; it counts as running from now on."""
        while self._ready:
            attempt = self._ready[0]
            if attempt.revoked:
                self._ready.popleft()
                continue
            cores = min(attempt.order.cores, self.workers)
            if self.cores_in_use + cores > self.workers and self.running:
                return None
            self._ready.popleft()
            attempt.cores = cores
            self.cores_in_use += cores
            self.running[attempt.token] = attempt
            attempt.stage = Stage.RUNNING
            return attempt
        return None

    def put_back(self, attempt: Attempt) -> None:
        """It could not be started just now: it is the next again."""
        self._leave(attempt)
        attempt.stage = Stage.WAITING
        self._ready.appendleft(attempt)

    def ended(self, attempt: Attempt) -> None:
        """Its command has ended; the server is to hear of it."""
        self._leave(attempt)
        attempt.stage = Stage.ENDED

    def reported(self, token: str) -> None:
        """The server has its end, or has it back."""
        attempt = self._known.get(token)
        if attempt is None:
            return
        if attempt.stage is Stage.WAITING:
            self._remember_dropped(token)
        del self._known[token]
        self.gone.append(token)

    def revoke(self, attempt: Attempt) -> bool:
        """It shall not be started any more. True when its start was won, so that it must be given back."""
        if attempt.revoked:
            return False
        attempt.revoked = True
        if attempt.work is not None:
            return True
        if not attempt.asked:
            self._queue.remove(attempt)
            self.drop(attempt)
        return False

    def drop(self, attempt: Attempt) -> None:
        """It never ran and never will; nothing is owed to the server."""
        del self._known[attempt.token]
        self.gone.append(attempt.token)
        self._remember_dropped(attempt.token)

    def waiting(self) -> Iterator[Attempt]:
        """Those that have not been started."""
        return (attempt for attempt in list(self._known.values()) if attempt.stage is Stage.WAITING)

    @property
    def free_and_starved(self) -> bool:
        """A worker is free and nothing is ready for it."""
        return not self._ready and self.cores_in_use < self.workers

    def owed(self) -> list[str]:
        """Those whose start was won and whose end the server does not know."""
        return [token for token, attempt in self._known.items() if attempt.work is not None]

    def _leave(self, attempt: Attempt) -> None:
        if self.running.pop(attempt.token, None) is not None:
            self.cores_in_use -= attempt.cores

    def _remember_dropped(self, token: str) -> None:
        self._dropped[token] = None
        if len(self._dropped) > _DROPPED_KEPT:
            del self._dropped[next(iter(self._dropped))]
