"""Which variables of the submitting process the jobs get."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

#: These let their holder act as the user; they never travel to a job, whatever the configuration says.
SECRET = frozenset({"JOBMON_TOKEN", "JOBMON_TOKEN_FILE"})


def captured(environ: Mapping[str, str], patterns: Iterable[str]) -> dict[str, str]:
    """The variables whose names match one of the patterns (`*` and `?` as in a shell)."""
    wanted = tuple(patterns)
    return {
        name: value
        for name, value in environ.items()
        if name not in SECRET and any(fnmatchcase(name, pattern) for pattern in wanted)
    }
