"""Parts of an executor's answer: texts, numbers and instants, each with its bounds. Pure.

A plugin may answer anything, so each part is looked at by its very type, and nothing of a stranger's class is called.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from jobmon.plugins.wording import cut, said

#: Characters of an executor job id, of a `why`, of `detail`, of each tail, and of a host's name.
MOST_ID, MOST_WHY, MOST_DETAIL, MOST_TAIL, MOST_HOST = 1000, 2000, 10_000, 10_000, 255
MOST_STATUS, MOST_SIGNAL = 255, 64
#: Seconds of `Deferred.retry_after_s`.
LEAST_RETRY_S, MOST_RETRY_S, RETRY_S = 0.01, 86_400.0, 5.0
USAGE_KEYS: Final = ("wall_s", "cpu_s", "max_rss_bytes")
#: Of a number of usage: far above all that was ever used, and exact as a float.
MOST_USED = 2**53
#: By how much `as_of` may lie outside of its call: platforms tell whole seconds.
CLOCK_S = 1.0
_MOST_SHOWN = 80


@attrs.frozen
class Fault:
    """What is wrong with an answer. `part` is the field that is; `token` the attempt that it is about, if one is."""

    words: str
    part: str = ""
    token: str = ""


@attrs.frozen
class Span:
    """From when to when a call lasted, by the clock on the wall."""

    began: datetime
    ended: datetime

    @classmethod
    def measured(cls, began: datetime, ended: datetime, lasted_s: float) -> "Span":
        """The span of a call, in which the clock may have been set: what it then lasted by another clock tells."""
        lasted = timedelta(seconds=lasted_s)
        return cls(min(began, ended - lasted), max(ended, began + lasted))


def written(value: Any) -> str:
    """A value in a few words: what is plain as it is written in Python, what is not by its type."""
    kind = type(value)
    if kind is str:
        return ascii(value) if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]!a}..."
    if value is None or kind is bool or kind is float or (kind is int and -(2**63) <= value < 2**64):
        return repr(value)
    name = kind.__qualname__[:_MOST_SHOWN]
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def plain(text: str, most: int) -> str:
    """The text as it can be sent and stored: without what is no Unicode, and of no more than `most` characters."""
    if len(text) > most:
        note = f" ... (cut: it has {len(text):,} characters)"
        text = text[: most - len(note)] + note
    return text if text.isascii() else text.encode(errors="replace").decode()


def text_of(error: BaseException) -> str:
    """What an exception says, without its type."""
    try:
        return cut(str(error), MOST_WHY)
    except Exception:  # noqa: BLE001 - of a plugin's own class
        return said(error)


def wrong_id(value: Any) -> str:
    """What is wrong with a platform's id; empty: nothing."""
    if type(value) is str and 0 < len(value) <= MOST_ID and value.isprintable():
        if value[0] != " " != value[-1]:  # no other space is printable
            return ""
    elif type(value) is str and len(value) > MOST_ID:
        return f"executor_job_id has {len(value):,} characters, more than {MOST_ID:,}"
    return f"executor_job_id is {written(value)}, no printable text without space around it"


def text(part: str, value: Any, most: int, *, needed: bool = False, end: bool = False) -> tuple[str, Fault | None]:
    """A text for people, in the form and the length in which it is used, and what is wrong with it.

    Of one that is too long the beginning is kept, or the `end`. One that is `needed` is not empty.
    """
    if type(value) is str and value.isascii() and len(value) <= most and (value or not needed):
        return value, None
    if not issubclass(type(value), str):  # isinstance would ask the value for its class
        return f"(no text: {written(value)})", Fault(f"{part} is {written(value)}, no text", part)
    exact = str.__str__(value)
    if len(exact) > most:
        kept = exact[-most:] if end else exact
        which = "last" if end else "first"
        fault = Fault(f"{part} has {len(exact):,} characters; the {which} {most:,} are kept", part)
        return plain(kept, most), fault
    if type(value) is not str:
        return plain(exact, most), Fault(f"{part} is {written(value)}, not plain text", part)
    if not exact:
        return "(no words)", Fault(f"{part} is empty: somebody has to read it", part)
    clean = plain(exact, most)
    return clean, None if clean == exact else Fault(f"{part} holds bytes that are no text", part)


def wrong_instant(value: Any, during: Span) -> str:
    """What is wrong with the `as_of` of a call; empty: nothing."""
    if type(value) is not datetime or value.utcoffset() is None:
        return f"as_of is {_instant(value)}, no aware instant"
    slack = timedelta(seconds=CLOCK_S)
    if during.began - slack <= value <= during.ended + slack:
        return ""
    when = "before the call began" if value < during.began else "after the call ended"
    return f"as_of is {_instant(value)}, {when}"


def _instant(value: Any) -> str:
    return f"{value.isoformat(timespec='milliseconds')}" if type(value) is datetime else written(value)


def in_utc(value: datetime) -> datetime:
    """The same instant in UTC."""
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def wrong_status(value: Any) -> str:
    """What is wrong with an exit status; empty: nothing."""
    if value is None or (type(value) is int and 0 <= value <= MOST_STATUS):
        return ""
    return f"status is {written(value)}, no whole number from 0 to {MOST_STATUS}"


def wrong_limit(value: Any) -> str:
    """What is wrong with a number of attempts; empty: nothing."""
    return "" if type(value) is int and value >= 1 else f"it is {written(value)}, no whole number of 1 or more"


def retry_after_s(value: Any) -> tuple[float, Fault | None]:
    """The pause that is kept, and what is wrong with the one that was asked for."""
    part = "retry_after_s"
    if type(value) not in (int, float) or not 0 < value < math.inf:
        return RETRY_S, Fault(f"{part} is {written(value)}, no number above 0; {RETRY_S:g} is taken", part)
    kept = min(max(value, LEAST_RETRY_S), MOST_RETRY_S)
    if kept != value:
        return float(kept), Fault(f"{part} is {written(value)}; {kept:g} is taken", part)
    return float(kept), None


def wrong_used(key: Any, value: Any) -> str:
    """What is wrong with one number of usage; empty: nothing."""
    if type(key) is not str or key not in USAGE_KEYS:
        return f"usage has {written(key)}; there are {', '.join(USAGE_KEYS)}"
    if type(value) not in (int, float) or not 0 <= value <= MOST_USED:
        return f"usage has {key} = {written(value)}, no number from 0 to 2**53"
    return ""
