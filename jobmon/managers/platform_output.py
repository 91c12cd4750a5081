"""The platform's own output of attempts: what a worker, or whatever kept it from running, said there."""

import os
from collections.abc import Iterable
from pathlib import Path

from jobmon.managers.folders import Folders
from jobmon.managers.live import Attempt

_TAIL_BYTES = 1000


class PlatformOutput:
    """Files that executors have the platform write, at `ExecutorContext.output_path`."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders

    def tail(self, attempt: Attempt) -> str | None:
        """The last lines, at most 1 kB; None when nothing was written, or not by this executor."""
        try:
            with self._path(attempt).open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL_BYTES))
                said = file.read(_TAIL_BYTES)
        except OSError:
            return None  # it says nothing, and the end of the attempt is told without it
        if size > _TAIL_BYTES:
            said = said.partition(b"\n")[2] or said
        return said.decode(errors="replace").strip() or None

    def tidy(self, attempts: Iterable[Attempt]) -> None:
        """Remove the files of attempts that are final, where nothing stands in them, as is usual."""
        for attempt in attempts:
            path = self._path(attempt)
            try:
                if path.stat().st_size == 0:
                    path.unlink()
            except FileNotFoundError:
                continue

    def _path(self, attempt: Attempt) -> Path:
        if attempt.array is None:
            return self._folders.output_path(attempt.token)
        return self._folders.output_path(attempt.array.token, str(attempt.array.index))
