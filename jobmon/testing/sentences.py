"""Which sentence of the contract a check holds, and the two honest ways of not checking it."""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from jobmon.reports.records import Area, Sentence

__all__ = ["Area", "Sentence", "does_not_apply", "holds", "not_exercised", "sentence_of"]

F = TypeVar("F", bound=Callable[..., Any])
_ATTRIBUTE = "jobmon_holds"
#: How the two reasons for which a check is skipped begin.
NOT_EXERCISED = "not exercised: "
DOES_NOT_APPLY = "does not apply: "


def holds(area: Area, text: str, *, fault: bool = False) -> Callable[[F], F]:
    """Mark a check with the sentence that it holds, and whether it needs a fault though its area does not."""

    def mark(check: F) -> F:
        setattr(check, _ATTRIBUTE, Sentence(area, text, fault))
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
