"""Puts a mutant in the place of the author's class, and chooses the checks that are run on it."""

from typing import Any

import pytest

from jobmon.testing.mutants import MUTANTS
from jobmon.testing.sentences import DOES_NOT_APPLY, sentence_of

_LIVES = 5


def mutate(items: list[Any], name: str, *, rest: bool) -> None:
    """Leave the checks that should catch a mutant (or, with `rest`, all others), and let them meet it.

    Raises:
        pytest.UsageError: there is no such mutant.
    """
    if name not in MUTANTS:
        raise pytest.UsageError(f"there is no mutant {name!r}")
    one = MUTANTS[name]
    items[:] = [
        item
        for item in items
        if sentence_of(getattr(item, "function", None)) and (item.originalname in one.caught_by) is not rest
    ]
    for cls in dict.fromkeys(item.cls for item in items):
        base = cls.executor_type
        why = one.does_not_apply(base, cls.platform_type)
        if why:
            skip = pytest.mark.skip(reason=DOES_NOT_APPLY + why)
            for item in items:
                if item.cls is cls:
                    item.add_marker(skip)
            continue
        wrong = one.change(base)
        wrong.__name__, wrong.__qualname__, wrong.__module__ = base.__name__, base.__qualname__, base.__module__
        cls.executor_type, cls.shrinks, cls.lives = wrong, False, min(cls.lives, _LIVES)
