"""Text of others, such as names and error messages of tasks, made fit for the user's terminal."""

import re

#: What turns the direction of text, ends lines, or is no character at all.
_UNSEEN = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[\x00-\x1f\x7f-\x9f{_UNSEEN}]")
_CONTROL_BUT_LINES = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{_UNSEEN}]")


def printable(value: object) -> str:
    """Text that stays on its line and cannot steer a terminal, whatever a user named a task."""
    return _CONTROL.sub(_shown, "" if value is None else str(value))


def printable_lines(text: str) -> str:
    """The same for text that may have several lines."""
    return _CONTROL_BUT_LINES.sub(_shown, text)


def last_line(text: str | None) -> str:
    """The last line that says anything, fit to be printed; nothing when there is none."""
    lines = [line for line in (text or "").splitlines() if line.strip()]
    return printable(lines[-1].strip()) if lines else ""


def _shown(match: re.Match[str]) -> str:
    return repr(match[0])[1:-1]


def span(seconds: float) -> str:
    """A length of time: `3.2 s`, `2:13 min`, `1:02:13`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02} min"
