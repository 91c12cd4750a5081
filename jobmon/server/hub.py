"""Wakes those who wait for changes, after the commit that made them."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable


class Hub:
    """Topics with waiters. `publish` may be called from any thread; all else belongs to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[Hashable, set[asyncio.Event]] = defaultdict(set)
        self._published: Counter[Hashable] = Counter()
        self._closing = False

    def publish(self, topics: set[Hashable]) -> None:
        """Wake everyone who waits for one of the topics."""
        self._loop.call_soon_threadsafe(self._wake, topics)

    def _wake(self, topics: set[Hashable]) -> None:
        for topic in topics:
            self._published[topic] += 1
            for event in self._waiting.get(topic, ()):
                event.set()

    def published(self, topic: Hashable) -> int:
        """How often something was published on a topic."""
        return self._published[topic]

    @property
    def closing(self) -> bool:
        """The server is about to end: nobody may wait any more."""
        return self._closing

    def close(self) -> None:
        """Wake everyone: the server is about to end."""
        self._closing = True
        self._wake(set(self._waiting))

    def listen(self, topic: Hashable) -> "Listener":
        """A waiter for a topic, to be used in a `with` statement that is entered *before* the state is read."""
        return Listener(self._waiting, topic, lambda: self._closing)


class Listener:
    """Waits for publications of one topic."""

    def __init__(
        self, waiting: dict[Hashable, set[asyncio.Event]], topic: Hashable, closing: Callable[[], bool]
    ) -> None:
        self._waiting, self._topic, self._closing = waiting, topic, closing
        self._event = asyncio.Event()

    def __enter__(self) -> "Listener":
        self._waiting[self._topic].add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        waiters = self._waiting[self._topic]
        waiters.discard(self._event)
        if not waiters:
            del self._waiting[self._topic]

    async def wait(self, seconds: float) -> bool:
        """True when something was published since the last call or within the time."""
        if self._closing():
            return False
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return False
        self._event.clear()
        return not self._closing()
