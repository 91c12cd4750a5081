"""Where answers of the executor under test arrive: each is held against the rules that its host holds it against.

Usage is not judged here: that is left to the sentences about usage, since not every type tells it.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import attrs

from jobmon.plugins import Outcome, Submission, Submitted, answers
from jobmon.plugins.answer_parts import Fault, Span, written

T = TypeVar("T")
_MOST_NAMED = 5


class Boundary:
    """Holds what one executor answers against the rules. `call` makes a call of it; `offset` is that of its clock."""

    def __init__(self, call: Callable[[str, Callable[[], Any]], Any], offset: Callable[[], timedelta]) -> None:
        self._call, self._offset = call, offset
        self.wrong_usage: list[Fault] = []

    def of_each(
        self,
        method: str,
        asked: Sequence[Submitted] | Sequence[Submission],
        ask: Callable[[], object],
        check: Callable[[object, Span], tuple[T, list[Fault]]],
        missing: Callable[[str], T],
    ) -> dict[str, T]:
        """The answer about several attempts, by token.

        Raises:
            AssertionError: it is wrong.
        """
        tokens = [one.token for one in asked]

        def work() -> tuple[dict[str, T], list[Fault]]:
            began = datetime.now(UTC)
            return answers.by_token(ask(), tokens, lambda told: check(told, self._since(began)), missing)

        found, faults = self._call(method, work)
        self.hold(method, faults)
        return found  # type: ignore[no-any-return]

    def hold(self, method: str, faults: Iterable[Fault]) -> None:
        """End the check if an answer is wrong; wrong usage is noted.

        Raises:
            AssertionError: it is, and how.
        """
        wrong: list[Fault] = []
        for fault in faults:
            (self.wrong_usage if fault.part == "usage" else wrong).append(fault)
        named = "; ".join(f"of {one.token}: {one.words}" if one.token else one.words for one in wrong[:_MOST_NAMED])
        more = f"; and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        assert not wrong, f"{method} answers wrongly: {named}{more}"

    def _since(self, began: datetime) -> Span:
        """From then until now, by this clock and by the one that the executor sees."""
        now, offset = datetime.now(UTC), self._offset()
        return Span(min(began, began + offset), max(now, now + offset))


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
