"""Wrong answers of one executor's plugin: counted, said to the user, and charged to nobody."""

import logging
import re
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

#: Kinds that are kept and logged, and of these that are shown.
_MOST_KEPT, _MOST_SHOWN = 100, 3
_LONGEST = 500
_VALUE = re.compile(r"'[^']*'|[0-9]+")  #: what differs from one fault of a kind to the next
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
    words: str  #: when it was heard first: they stay, so that views need not repeat them
    at: datetime = datetime.min
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
            words = plain(fault.words, _LONGEST)
            with self._lock:
                kind = method, _VALUE.sub("#", words)
                heard = self._heard.get(kind)
                if heard is None and len(self._heard) >= _MOST_KEPT:
                    continue
                new = heard is None
                if heard is None:
                    heard = self._heard[kind] = _Heard(f"{method}{self._about(fault.token)}: {words}")
                heard.times, heard.at = heard.times + 1, self._clock.now()
            if new:
                _log.warning("%s answers wrongly: %s", plugin_of(self._cls), heard.words)

    def words(self) -> str:
        """What was wrong, the newest first, and whom to tell; empty: nothing."""
        if not self._heard:
            return ""
        with self._lock:
            newest = list(self._heard.values())[: -_MOST_SHOWN - 1 : -1]
            more = len(self._heard) - len(newest)
        said = [f"{heard.words}{_when(heard)}" for heard in newest]
        said += [f"{more} more, in the manager's log"] if more else []
        return f"{plugin_of(self._cls)} answers wrongly (tell its author): {'; '.join(said)}"

    def _about(self, token: str) -> str:
        attempt = self._live.get(token)
        task = f" (task {written(attempt.name)})" if attempt is not None else ""
        return f" of {token}{task}" if token else ""


def _when(heard: _Heard) -> str:
    times = f"{heard.times:,} times, last " if heard.times > 1 else ""
    return f" ({times}at {heard.at:%H:%M:%S} UTC)"
