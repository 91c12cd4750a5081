"""Where configuration comes from: the user's file, the project's file, variables `JOBMON__SECTION__KEY`."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from jobmon import trust
from jobmon.config.places import PREFIX
from jobmon.errors import ConfigurationError

_OTHERWISE = (
    "put a jobmon.toml of your own into the script's folder (the nearest one counts, and may be empty), or, as root, "
    "make it yours (chown)"
)


@attrs.frozen
class Source:
    """One table of settings and where it comes from, in words for an error."""

    where: str
    table: Mapping[str, Any]


def read_file(path: Path) -> Source:
    """The tables of a file.

    Raises:
        ConfigurationError: it cannot be read, is no TOML, or others own or can write it: it names programs to run.
    """
    try:
        content = trust.read(path, "the configuration file", _OTHERWISE)
        return Source(str(path), tomllib.loads(content.decode("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not TOML: {error}") from error


def read_environment(environ: Mapping[str, str], executors: Iterable[str]) -> list[Source]:
    """One source for each variable `JOBMON__A__B__C`, key `c` of the table `a.b`; its value is TOML, else text.

    `executors` are the names of the files' executors: `MY_CLUSTER` in a variable means `my-cluster` when there is one.
    """
    spelled = {_flat(name): name for name in executors}
    sources = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX):
            continue
        path = variable[len(PREFIX) :].lower().split("__")
        if len(path) < 2 or not all(path):
            raise ConfigurationError(
                f"environment variable {variable}: expected {PREFIX}SECTION__KEY, such as JOBMON__WORKFLOW__EXECUTOR"
            )
        if path[0] == "executors":
            path[1] = spelled.get(_flat(path[1]), path[1])
        table: Any = _value(environ[variable])
        for key in reversed(path):
            table = {key: table}
        sources.append(Source(f"environment variable {variable}", table))
    return sources


def _flat(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
