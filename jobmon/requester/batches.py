"""Batches of which no element holds up another one, whether the server refuses it or it cannot even be sent."""

from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

import attrs

from jobmon.errors import InvalidRequest, InvalidTransition, WorkflowChanged
from jobmon.wire.problems import Problem, to_problem

#: What the server may say of an element; anything else it says of itself, or of the sender.
_REFUSED = (InvalidRequest, InvalidTransition, WorkflowChanged)
#: What making JSON of something strange may raise: text that is no UTF-8, a number or nesting that is too large.
_UNSENDABLE = (TypeError, ValueError, OverflowError, RecursionError)


class BatchAnswer(Protocol):
    """What answers a batch."""

    @property
    def refused(self) -> list[Problem]:
        """Elements that were refused, each by itself."""


Element = TypeVar("Element")
Answer = TypeVar("Answer", bound=BatchAnswer)


@attrs.frozen
class Piece(Generic[Element, Answer]):
    """Elements that were sent together, and the answer; or one alone that was refused, and no answer."""

    elements: list[Element]
    answer: Answer | None
    refused: list[Problem]

    def why(self, key: str) -> dict[Any, str]:
        """Why elements were refused, by what names them."""
        return {problem.data.get(key): problem.detail for problem in self.refused}


def in_pieces(
    send: Callable[[list[Element]], Answer], batch: list[Element], **name: Callable[[Element], Any]
) -> Iterator[Piece[Element, Answer]]:
    """Send a batch in as few pieces as get through. `name` is the key of an element, and how to read it.

    Raises:
        JobmonError: the server refuses all of it for a reason of its own, or does not answer.
    """
    try:
        answer = send(batch)
    except (*_REFUSED, *_UNSENDABLE) as error:
        if isinstance(error, OSError):
            raise  # of the network: some of these are ValueErrors as well
        if len(batch) > 1:
            middle = len(batch) // 2
            yield from in_pieces(send, batch[:middle], **name)
            yield from in_pieces(send, batch[middle:], **name)
            return
        which = {key: read(one) for key, read in name.items() for one in batch}
        told = error if isinstance(error, _REFUSED) else InvalidRequest(f"{type(error).__name__}: {error}")
        yield Piece(batch, None, [attrs.evolve(to_problem(told), data={**told.data, **which})])
    else:
        yield Piece(batch, answer, answer.refused)
