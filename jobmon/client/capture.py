"""Which variables of the submitting process the jobs get."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from jobmon.client.names import is_utf8

#: These let their holder act as the user; they never travel to a job, whatever the configuration says.
SECRET = frozenset({"JOBMON_TOKEN", "JOBMON_TOKEN_FILE"})


def captured(environ: Mapping[str, str], patterns: Iterable[str]) -> dict[str, str]:
    """The variables whose names match one of the patterns (`*` and `?` as in a shell), those left out that are not
    UTF-8: they cannot travel.
    """
    return {name: value for name, value in _wanted(environ, patterns) if is_utf8(name + value)}


def left_out(environ: Mapping[str, str], patterns: Iterable[str]) -> list[str]:
    """The names of variables that match and are not UTF-8."""
    return [ascii(name)[1:-1] for name, value in _wanted(environ, patterns) if not is_utf8(name + value)]


def _wanted(environ: Mapping[str, str], patterns: Iterable[str]) -> Iterator[tuple[str, str]]:
    wanted = tuple(patterns)
    for name, value in environ.items():
        if name not in SECRET and any(fnmatchcase(name, pattern) for pattern in wanted):
            yield name, value
