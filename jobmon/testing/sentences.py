"""Which sentence of the contract a check holds, and the two honest ways of not checking it."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

import attrs

F = TypeVar("F", bound=Callable[..., Any])
_ATTRIBUTE = "jobmon_holds"
#: How the two reasons for which a check is skipped begin.
NOT_EXERCISED = "not exercised: "
DOES_NOT_APPLY = "does not apply: "


class Area(StrEnum):
    """A part of the contract: sentences that belong together."""

    CORE = "core"  #: submits, observes, cancels, and lives on after a restart
    ARRAY = "array"  #: many attempts in one call
    FIND = "find"  #: finds submissions of unknown outcome
    USAGE = "usage"  #: tells what an attempt used
    REASONS = "reasons"  #: tells why an attempt ended
    ROBUSTNESS = "robustness"  #: keeps the contract while its platform does not


@attrs.frozen
class Sentence:
    """A sentence of the contract."""

    area: Area
    text: str


def holds(area: Area, text: str) -> Callable[[F], F]:
    """Mark a check with the sentence that it holds."""

    def mark(check: F) -> F:
        setattr(check, _ATTRIBUTE, Sentence(area, text))
        return check

    return mark


def sentence_of(check: object) -> Sentence | None:
    """The sentence that a check holds; None for anything else."""
    found = getattr(check, _ATTRIBUTE, None)
    return found if isinstance(found, Sentence) else None


def not_exercised(why: str) -> NoReturn:
    """End the check: what it needs is not at hand, so nothing is known."""
    import pytest

    pytest.skip(NOT_EXERCISED + why)


def does_not_apply(why: str) -> NoReturn:
    """End the check: the sentence is about something that this executor does not do, or its platform cannot."""
    import pytest

    pytest.skip(DOES_NOT_APPLY + why)
