"""Where answers of the executor under test arrive: each is held against the rules that its host holds it against.

Usage is not judged here: only the sentences about usage do that, since not every type tells it.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn, TypeVar

import attrs

from jobmon.plugins import Outcome, answers
from jobmon.plugins.answer_parts import Fault, Span, written

T = TypeVar("T")
_MOST_NAMED = 5


def hold(method: str, faults: Iterable[Fault]) -> None:
    """End the check if an answer is wrong.

    Raises:
        AssertionError: it is, and how.
    """
    wrong = [fault for fault in faults if fault.part != "usage"]
    named = "; ".join(f"of {one.token}: {one.words}" if one.token else one.words for one in wrong[:_MOST_NAMED])
    more = f"; and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
    assert not wrong, f"{method} answers wrongly: {named}{more}"


def read(
    method: str,
    answer: object,
    tokens: Sequence[str],
    check: Callable[[object, Span], tuple[T, list[Fault]]],
    during: Callable[[], Span],
) -> dict[str, T]:
    """The answer about several attempts, by token; `during` tells how long the call lasted, up to now.

    Raises:
        AssertionError: it is wrong.
    """
    found, faults = answers.by_token(answer, tokens, lambda told: check(told, during()), _left_out)
    hold(method, faults)
    return found


def _left_out(why: str) -> NoReturn:
    raise AssertionError(why)


def read_outcomes(
    told: Iterable[object], tokens: Sequence[str], outcomes: list[tuple[str, Outcome]], faults: list[Fault]
) -> None:
    """Read what `submit` yields as it comes, into `outcomes`, and what is wrong with it into `faults`."""
    answered: set[str] = set()
    for one in told:
        try:
            token, came = answers.pair(one)
        except ValueError as error:
            faults.append(Fault(str(error)))
            continue
        if type(token) is not str or token not in tokens:
            faults.append(Fault(f"it tells of {written(token)}, of which it was not asked"))
            continue
        if token in answered:
            faults.append(Fault("it is answered twice", token=token))
        answered.add(token)
        outcome, wrong = answers.outcome(came)
        faults += [attrs.evolve(fault, token=token) for fault in wrong]
        outcomes.append((token, outcome))
    faults += [Fault("it ends without an outcome", token=token) for token in tokens if token not in answered]


def pushed(observations: object, during: Span) -> tuple[dict[str, Any], list[Fault]]:
    """What is pushed, as it came, and what is wrong with it."""
    told, faults = answers.told_by_token(observations)
    for token, observation in told.items():
        faults += [attrs.evolve(fault, token=token) for fault in answers.observation(observation, during)[1]]
    return told, faults
