"""Wrong answers of one executor's plugin: counted, said to the user, and charged to nobody."""

import logging
import threading
from collections.abc import Iterable
from datetime import datetime
from functools import cache

import attrs

from jobmon.clock import Clock
from jobmon.managers.live import LiveTable
from jobmon.plugins import Executor
from jobmon.plugins.answer_parts import Fault, plain, written
from jobmon.plugins.metadata import InstalledType
from jobmon.plugins.registry import Registry

#: Different ones that are kept, and of these that are written.
_MOST_KEPT, _MOST_SHOWN = 100, 3
_LONGEST = 500
_log = logging.getLogger(__name__)


@cache
def installed_as(type_name: str) -> InstalledType | None:
    """What is installed of an executor type; None: it is used without being installed."""
    return next((t for t in Registry().installed() if t.name == type_name), None)


def plugin_of(cls: type[Executor]) -> str:
    """The distribution of an executor type, and its version."""
    installed = installed_as(cls.name)
    return f"{installed.distribution} {installed.version}" if installed else f"the plugin of executor type {cls.name!r}"


@attrs.define
class _Heard:
    about: str
    at: datetime
    times: int = 0


class WrongAnswers:
    """What was wrong with the answers of one executor. Thread-safe."""

    def __init__(self, cls: type[Executor], live: LiveTable, clock: Clock) -> None:
        self._cls, self._live, self._clock = cls, live, clock
        self._heard: dict[tuple[str, str], _Heard] = {}
        self._lock = threading.Lock()

    def heard(self, method: str, faults: Iterable[Fault]) -> None:
        """Take what is wrong with an answer of this method."""
        for fault in faults:
            key = method, plain(fault.words, _LONGEST)
            with self._lock:
                known = self._heard.pop(key, None)
                new = known or _Heard("", self._clock.now())
                new.about, new.at = self._about(fault.token), self._clock.now()
                new.times += 1
                self._heard[key] = new  # the last at the end
                if len(self._heard) > _MOST_KEPT:
                    del self._heard[next(iter(self._heard))]
            if known is None:
                _log.warning("%s answers wrongly: %s%s: %s", plugin_of(self._cls), method, new.about, key[1])

    def words(self) -> str:
        """What was wrong, the last first, and whom to tell; empty: nothing."""
        if not self._heard:
            return ""
        with self._lock:
            last = list(self._heard.items())[: -_MOST_SHOWN - 1 : -1]
            more = len(self._heard) - len(last)
        said = [f"{method}{heard.about}: {words}{_when(heard)}" for (method, words), heard in last]
        said += [f"{more} more, in the manager's log"] if more else []
        return f"{plugin_of(self._cls)} answers wrongly (tell its author): {'; '.join(said)}"

    def _about(self, token: str) -> str:
        attempt = self._live.get(token)
        task = f" (task {written(attempt.name)})" if attempt is not None else ""
        return f" of {token}{task}" if token else ""


def _when(heard: _Heard) -> str:
    times = f"{heard.times:,} times, last " if heard.times > 1 else ""
    return f" ({times}at {heard.at:%H:%M:%S} UTC)"
