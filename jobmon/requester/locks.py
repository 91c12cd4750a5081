"""Locks of a data folder. The kernel lets go of one when its process ends, whatever the process's host is called."""

import fcntl
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

from jobmon.errors import ConfigurationError

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.005, 0.1


class FileLock:
    """An advisory lock on a file, held by this process until it releases it or ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def acquire(self, *, wait_s: float = 0.0) -> bool:
        """Take the lock; False when another holds it for longer than `wait_s`.

        Raises:
            ConfigurationError: its file cannot be opened, or not be locked.
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {self._path.parent} cannot be written ({self._path.name}: {error.strerror}). "
                "Make it writable or make room, or set JOBMON_DATA to another folder"
            ) from error
        deadline, pause_s, pause = time.monotonic() + wait_s, _FIRST_PAUSE_S, threading.Event()
        while not _locked(file, self._path, fcntl.LOCK_EX):
            if time.monotonic() >= deadline:
                os.close(file)
                return False
            pause.wait(pause_s)  # flock(2) waits for ever or not at all
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        self._file = file
        return True

    def release(self) -> None:
        """Let go of the lock, also where a child has inherited its descriptor."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        os.close(self._file)

    def guards(self) -> bool:
        """Whether the file that is locked is still the one at its path: a folder may be removed and made anew."""
        with suppress(FileNotFoundError, NotADirectoryError):
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        return False


def is_held(path: Path) -> bool:
    """Whether some process, of whatever name its host has, holds the lock on this file.

    Raises:
        ConfigurationError: it cannot be read, or not be locked.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigurationError(f"the lock {path} cannot be read: {error.strerror}") from error
    try:
        if not _locked(file, path, fcntl.LOCK_SH):
            return True
        fcntl.flock(file, fcntl.LOCK_UN)  # closing alone would not do if another thread forks just now
        return False
    finally:
        os.close(file)


def _locked(file: int, path: Path, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise ConfigurationError(
            f"the file system of {path} has no locks ({error.strerror}): set JOBMON_DATA to a folder on a disk of "
            "this host"
        ) from error
    return True
