"""Area robustness: jobs of others whose names nearly carry an attempt's token, or are in another alphabet."""

from collections.abc import Iterator

from jobmon.ids import TOKEN_LENGTH
from jobmon.plugins import Found, Pending, Running
from jobmon.testing.fault_checks import succeeded
from jobmon.testing.sentences import Area, holds
from jobmon.testing.world import World, find_is_defined

_ADVICE = "a job is the attempt's only if its name begins with the whole token, letter by letter"


def near(job_name: str, tokens: list[str]) -> list[str]:
    """Names that are nearly this one: its token later in the name, in capitals, cut, or with another end."""
    token = job_name[:TOKEN_LENGTH]
    other = next(one for one in _ends(token) if one not in tokens)
    return [
        f"copy-of-{job_name}",
        job_name.upper(),
        token[:-1],
        job_name[1:],
        other + job_name[TOKEN_LENGTH:],
        "jünpà-日本",
    ]


def _ends(token: str) -> Iterator[str]:
    return (token[:-1] + letter for letter in "0123456789" if letter != token[-1])


class NameChecks:
    """Nobody else's job is an attempt's."""

    @holds(Area.ROBUSTNESS, "Jobs of others, whatever their names, hide no attempt and are told as none.")
    def test_jobs_of_nearly_the_same_name_are_told_as_no_attempt(self, world: World) -> None:
        one, never = world.live()[0], world.requests()[0]
        world.platform.strangers(
            [*near(one.job_name, world.tokens()), *near(never.job_name, [*world.tokens(), never.token])]
        )
        seen = world.look(one)
        assert isinstance(seen, Pending | Running), f"beside jobs of others it is {seen!r}"
        if find_is_defined(world):
            found = world.find([one, never])
            assert found.get(one.token) == Found(one.executor_job_id), f"beside jobs of others find says {found}"
            stranger = found.get(never.token)
            assert not isinstance(stranger, Found), (
                f"{never.job_name} was never sent, and find says {stranger!r}: {_ADVICE}"
            )
        world.platform.forget(one.executor_job_id)
        seen = world.look(one)
        assert not isinstance(seen, Pending | Running), (
            f"it is gone, and beside jobs of others it is {seen!r}: {_ADVICE}"
        )
        assert not succeeded(seen), f"it is gone, and beside jobs of others it is {seen!r}: {_ADVICE}"

    @holds(Area.ROBUSTNESS, "Jobs of others, whatever their names, are never cancelled.")
    def test_jobs_of_nearly_the_same_name_are_not_cancelled(self, world: World) -> None:
        one = world.live()[0]
        world.platform.strangers(near(one.job_name, world.tokens()))
        world.cancelled([one])
        world.cancel([one])
        assert world.platform.untouched(), f"with {one.job_name} a job of nearly the same name was cancelled: {_ADVICE}"
