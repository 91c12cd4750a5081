"""Where configuration may stand. To see that there is none costs nothing."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from jobmon.errors import ConfigurationError
from jobmon.whereabouts import working_folder

FILE_NAME = "jobmon.toml"
PREFIX = "JOBMON__"


def user_file(environ: Mapping[str, str]) -> Path:
    """The path of the user's file, whether it exists or not."""
    home = environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 - no error without a home
    return Path(home) / "jobmon" / FILE_NAME


def project_file(folder: Path) -> Path | None:
    """The nearest jobmon.toml in or above the folder, else in or above the working folder; None when there is none."""
    starts = [folder]
    with suppress(ConfigurationError):  # a working folder that was removed has no file; a manager can do without
        starts = [working_folder() / folder, working_folder()]
    for start in starts:
        for candidate in (start, *start.parents):
            if (candidate / FILE_NAME).is_file():
                return candidate / FILE_NAME
    return None


def any_source(folder: Path, environ: Mapping[str, str]) -> bool:
    """Whether there is anything to read for a script in `folder`."""
    return (
        user_file(environ).is_file()
        or project_file(folder) is not None
        or any(variable.startswith(PREFIX) for variable in environ)
    )
