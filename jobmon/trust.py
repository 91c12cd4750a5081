"""Which files of this host this user may trust, and the making of files and folders that stay so under any umask.

Trusted is what belongs to this user or to root and can be written by nobody else.
"""

import os
import shlex
import stat
from pathlib import Path
from typing import IO

from jobmon.errors import ConfigurationError
from jobmon.whereabouts import user_name


def check(path: Path, what: str, otherwise: str, *, secret: bool = False) -> None:
    """Refuse a file or folder that others own or can write, or, if it is `secret`, can read.

    `what` names it in the error, `otherwise` says what to do where its owner is another. What is not there is fine.

    Raises:
        ConfigurationError: it is refused.
    """
    try:
        for status in (path.lstat(), path.stat()):  # a link, too, has an owner, who chose what it leads to
            _check(path, status, what, otherwise, secret=secret)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(f"{what} {path} cannot be used: {error.strerror}") from error


def read(path: Path, what: str, otherwise: str, *, secret: bool = False) -> bytes:
    """The content of a file, if it is to be trusted; the very file that is read is checked.

    Raises:
        OSError: it cannot be read.
        ConfigurationError: as `check`.
    """
    _check(path, path.lstat(), what, otherwise, secret=secret)
    with path.open("rb") as file:
        _check(path, os.fstat(file.fileno()), what, otherwise, secret=secret)
        return file.read()


def check_folder(path: Path, what: str, otherwise: str) -> None:
    """As `check`, for a folder and what stands directly in it.

    Raises:
        ConfigurationError: one is refused, or the folder cannot be listed.
    """
    check(path, what, otherwise)
    try:
        with os.scandir(path) as entries:
            found = [(entry.path, entry.stat(follow_symlinks=False)) for entry in entries]
    except FileNotFoundError:
        return  # it, or a file of it, has gone just now
    except OSError as error:
        raise ConfigurationError(f"{what} {path} cannot be used: {error.strerror}") from error
    for entry, status in found:
        _check(Path(entry), status, f"part of {what},", otherwise)


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make a folder, and those above it, if they are not there; nobody else can write them whatever the umask is.

    Raises:
        OSError: it cannot be made.
    """
    if not path.is_dir():
        make_parents(path)
        path.mkdir(mode=mode, exist_ok=True)


def make_parents(path: Path) -> None:
    """Make the folders above a path, as `make_folder`.

    Raises:
        OSError: one cannot be made.
    """
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir(mode=0o755, exist_ok=True)


def open_log(path: Path, mode: int = 0o600, *, anew: bool = False) -> IO[bytes]:
    """A file to append to, made if it is not there, emptied for `anew`; nobody else can write it under any umask.

    Raises:
        OSError: it cannot be opened.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | (os.O_TRUNC if anew else 0)
    return os.fdopen(os.open(path, flags, mode), "ab")


def _check(path: Path, status: os.stat_result, what: str, otherwise: str, *, secret: bool = False) -> None:
    if status.st_uid not in (os.geteuid(), 0):
        raise ConfigurationError(
            f"{what} {path} belongs to user {user_name(status.st_uid)} and is not used: {otherwise}"
        )
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return  # all of its bits are always set
    if secret and mode & 0o077:
        doing, change = "read", "go-rwx"
    elif mode & 0o022:
        doing, change = "write", "go-w"
    else:
        return
    raise ConfigurationError(
        f"{what} {path} is not used, as other users can {doing} it (mode {mode:04o}): "
        f"if its content is as you left it, run: chmod {change} {shlex.quote(str(path))}"
    )
