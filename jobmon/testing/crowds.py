"""Many attempts at once, without submitting each of them."""

import re
from functools import cache

import attrs

from jobmon.ids import new_tokens
from jobmon.plugins import Submitted
from jobmon.testing.world import World

_NAME_LENGTH = 100  #: the most that a job's name has


@cache
def _tokens(count: int) -> tuple[str, ...]:
    """The same for each test of a run: making them takes longer than most tests."""
    return tuple(new_tokens(count))


def unknown(one: Submitted, count: int) -> list[Submitted]:
    """Attempts like this one, of which the platform knows nothing."""
    return [
        attrs.evolve(one, token=token, job_name=_name(token), executor_job_id=_id(one, token, 100_000_000 + number))
        for number, token in enumerate(_tokens(count))
    ]


def crowd(world: World, one: Submitted, first: int, count: int) -> list[Submitted]:
    """Live attempts like this one, where the platform object can make them; others that nobody knows.

    `first` of them were made before.
    """
    tokens = _tokens(first + count)[first:]
    ids = world.tried("crowd", [_name(token) for token in tokens])
    if ids is None:
        return unknown(one, first + count)[first:]
    found: list[str] = ids[0]  # type: ignore[assignment]
    return [
        attrs.evolve(one, token=token, job_name=_name(token), executor_job_id=job_id)
        for token, job_id in zip(tokens, found, strict=True)
    ]


def _name(token: str) -> str:
    return f"{token}-".ljust(_NAME_LENGTH, "x")


def _id(one: Submitted, token: str, number: int) -> str:
    """An id of the same form."""
    if one.token in one.executor_job_id:
        return one.executor_job_id.replace(one.token, token)
    digits = list(re.finditer(r"\d+", one.executor_job_id))
    if not digits:
        return f"{one.executor_job_id}{number}"
    begin, end = digits[-1].span()
    return f"{one.executor_job_id[:begin]}{number}{one.executor_job_id[end:]}"
