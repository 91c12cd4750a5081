"""Whether what the class of a batch system's executor declares can be used."""

import inspect
import re
from collections.abc import Iterator, Mapping

from jobmon.plugins.batch.executor import BatchExecutor
from jobmon.plugins.executor import Executor
from jobmon.plugins.methods import wrong_method
from jobmon.plugins.records import Exited, Pending, Running
from jobmon.plugins.wording import said, shown

_PATTERNS = ("refusals", "not_now", "too_large", "none_listed")
_NUMBERS = {"name_length": 27, "cancel_many": 1}  #: and the least that each may be
_LIMITS = (
    "submit_limit_s",
    "query_limit_s",
    *(f"accounting_{which}_s" for which in ("limit", "patience", "late", "silent")),
)


def wrong_batch(cls: type[Executor]) -> Iterator[str]:
    """What is wrong with the tables, patterns, numbers and methods of such a class, a phrase each; else nothing."""
    if not issubclass(cls, BatchExecutor):
        return
    states: object = cls.states  # a plugin may have put anything there
    if not isinstance(states, Mapping):
        yield f"states is {shown(states)}, not a mapping of the platform's words to Pending, Running or Exited"
    else:
        for word, state in states.items():
            if not isinstance(word, str) or not isinstance(state, Pending | Running | Exited):
                yield f"states has {shown(word)}: {shown(state)}, not a word and a Pending, Running or Exited"
    for name in _PATTERNS:
        pattern = getattr(cls, name)
        if not isinstance(pattern, str):
            yield f"{name} is {shown(pattern)}, not a pattern"
        elif problem := _no_pattern(pattern):
            yield f"{name} is {shown(pattern)}, which cannot be read: {problem}"
        elif pattern and re.search(pattern, ""):
            yield f"{name} is {shown(pattern)}, which is in every text"
    for name, least in _NUMBERS.items():
        if type(number := getattr(cls, name)) is not int or number < least:
            yield f"{name} is {shown(number)}, not a whole number of {least} or more"
    for name in _LIMITS:
        if type(limit := getattr(cls, name)) not in (int, float) or not 0 <= limit < float("inf"):
            yield f"{name} is {shown(limit)}, not a number of seconds"
    for name, base in vars(BatchExecutor).items():
        if not name.startswith("_") and inspect.isfunction(base) and not hasattr(Executor, name):
            yield from wrong_method(cls, name, base)
    arrays = (cls.submit_array, cls.submit_array_argv) != (BatchExecutor.submit_array, BatchExecutor.submit_array_argv)
    if cls.array_limit is not Executor.array_limit and not arrays:
        yield "it has array_limit without submit_array_argv"


def _no_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return said(error)
    return ""
