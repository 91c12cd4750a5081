"""Whether the open files of the database are still those that its path names."""

import os
from pathlib import Path

from jobmon.errors import DatabaseGone


class Presence:
    """Watches a database and its write-ahead log, which stands for as long as the database is open."""

    def __init__(self, path: Path) -> None:
        self._paths = (os.fspath(path), f"{path}-wal")
        self._opened: list[tuple[int, int] | None] = [None, None]

    def begin(self) -> None:
        """They are open now."""
        self._opened = [_identity(name) for name in self._paths]

    def check(self) -> None:
        """Raises DatabaseGone: a file was removed or replaced, so what is written now would be gone with the server."""
        for name, opened in zip(self._paths, self._opened, strict=True):
            if opened is not None and _identity(name) != opened:
                raise DatabaseGone(
                    f"{name} was removed or replaced while the server had it open: what was acknowledged since is gone "
                    "with it. The server ends"
                )


def _identity(name: str) -> tuple[int, int] | None:
    try:
        stat = os.stat(name)  # noqa: PTH116 - once per commit: a third of Path.stat
    except OSError:
        return None
    return stat.st_dev, stat.st_ino
