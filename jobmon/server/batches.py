"""Batches: no element fails another one. What cannot be read of a batch is refused alone, and the rest goes on.

Whoever works on a batch does the same with what it cannot take, and lists both in the answer's `refused`. Only a batch
of which nothing can be taken is refused as a whole.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import attrs
import msgspec

from jobmon.errors import InvalidRequest, JobmonError
from jobmon.wire.bounds import check_nesting
from jobmon.wire.decoding import Undecodable
from jobmon.wire.jobs import JobSpec
from jobmon.wire.problems import Problem, error_of_all, to_problem
from jobmon.wire.routes import Route

_KEYS = ("token", "job_id", "executor")


class Reader:
    """Reads the messages of one route."""

    def __init__(self, route: Route[Any, Any]) -> None:
        self._whole = msgspec.json.Decoder(route.request)
        self._answer = msgspec.json.Decoder(route.answer)
        request: Any = route.request
        has_batch = any(field.name == "refused" for field in attrs.fields(route.answer))
        self._field, element, self._most = _batch_of(request) if has_batch else ("", None, 0)
        self._one = msgspec.json.Decoder(element)

    @property
    def takes_batches(self) -> bool:
        """Whether its messages hold a batch."""
        return bool(self._field)

    def read(self, body: bytes) -> tuple[Any, list[Problem]]:
        """The message, with those elements of its batch that can be read, and why others cannot.

        Raises:
            InvalidRequest: it cannot be read, or none of its elements can.
        """
        try:
            message = self._whole.decode(body)
            for spec in message.jobs if self._field == "jobs" else ():
                if spec.resources or spec.call is not None:  # nothing else of it nests
                    _check(spec)
        except (*Undecodable, InvalidRequest) as error:
            found = self._by_element(body) if self._field else None
            if found is None:
                raise InvalidRequest(f"the message cannot be read: {error}") from error
            return found
        return message, []

    def _by_element(self, body: bytes) -> tuple[Any, list[Problem]] | None:
        """None when the batch is not what hinders."""
        try:  # a byte that is no UTF-8, or half a character, is some element's own
            fields = json.loads(body.decode(errors="surrogateescape"))
            elements = fields[self._field]
            message = self._whole.decode(json.dumps(fields | {self._field: []}))
        except (*Undecodable, ValueError, KeyError, TypeError):
            return None
        good, refused = [], []
        for index, said in enumerate(elements if isinstance(elements, list) else ()):
            try:
                element = self._one.decode(json.dumps(said))
                _check(element)
                good.append(element)
            except (*Undecodable, InvalidRequest) as error:
                what = InvalidRequest(f"element {index} of {self._field} cannot be read: {error}")
                refused.append(refusal(what, index=index, **_key_of(said)))
        if not good or len(elements) > self._most:
            return None
        return attrs.evolve(message, **{self._field: good}), refused

    def with_refused(self, answer: bytes, unread: Sequence[Problem]) -> bytes:
        """The encoded answer, which lists these as well."""
        message = self._answer.decode(answer)
        return msgspec.json.encode(attrs.evolve(message, refused=[*message.refused, *unread]))


@cache
def _batch_of(request: Any) -> tuple[str, Any, int]:
    """The field that holds the batch, the type of its elements, and how many it takes; no field: it holds none."""
    for name, hint in get_type_hints(request, include_extras=True).items():
        kind, *more = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        if get_origin(kind) is list:
            most = next((meta.max_length for meta in more if isinstance(meta, msgspec.Meta)), None)
            return name, get_args(kind)[0], 1_000_000 if most is None else most
    return "", None, 0


def _check(element: Any) -> None:
    if isinstance(element, JobSpec):
        if element.resources:
            check_nesting(element.resources)
        if element.call is not None:
            check_nesting(element.call.args)
            check_nesting(element.call.kwargs)


def _key_of(said: Any) -> dict[str, Any]:
    """What names an element that cannot be read, as far as that can be."""
    found = said if isinstance(said, dict) else {}
    return {key: found[key] for key in _KEYS if isinstance(found.get(key), int) or _is_text(found.get(key))}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.isprintable()


def refusal(error: JobmonError, **which: Any) -> Problem:
    """The error as what is refused of a batch; `which` names the element."""
    problem = to_problem(error)
    return attrs.evolve(problem, data={**problem.data, **which})


def refuse_if_nothing_is_left(message: Any, refused: Sequence[Problem]) -> None:
    """Refuse a batch of which no element was taken.

    Raises:
        JobmonError: as the first of them.
    """
    kind: Any = type(message)
    if len(refused) >= len(getattr(message, _batch_of(kind)[0])):
        raise error_of_all(refused)
