"""Which names workflows and tasks may have, and which text can travel at all."""

import re

LONGEST = 1000
# Control characters, line separators and lone surrogates: they would break log lines, tables and file names.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def text_problem(text: str) -> str | None:
    """Why a text cannot be given to a process through JSON, or None."""
    if "\0" in text:
        return "contains a NUL byte, which no command and no environment can"
    if not is_utf8(text):
        return "is not UTF-8 (it contains a lone surrogate)"
    return None


def is_utf8(text: str) -> bool:
    """Whether it is text as a whole; file names and variables that are other bytes come with lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def name_problem(name: object) -> str | None:
    """What is wrong with a name, or None. Spaces and any letters are fine; newlines and control characters are not."""
    if type(name) is not str:  # what derives from text would arrive as something else
        return f"its name must be text, not {type(name).__name__}"
    if not name.strip():
        return "its name is empty"
    found = _UNPRINTABLE.search(name)
    if found:
        return f"its name contains {found[0]!r}; names are one line of text without control characters"
    if len(name) > LONGEST:
        return f"its name has {len(name)} characters; {LONGEST} is the most"
    return None
