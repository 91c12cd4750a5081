"""What a process has around it and may lack: a working folder that exists, a name for its user. Cheap to import."""

import os
import pwd
from pathlib import Path

from jobmon.errors import ConfigurationError


def working_folder() -> Path:
    """The working folder of this process.

    Raises:
        ConfigurationError: it was removed.
    """
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ConfigurationError(
            "the working folder of this process is gone (removed, or unmounted): change to a folder that exists (cd)"
        ) from error


def user_name(uid: int | None = None) -> str:
    """The name of a user (of this process's when no id is given), or the number where it has none, as in containers."""
    uid = os.geteuid() if uid is None else uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
