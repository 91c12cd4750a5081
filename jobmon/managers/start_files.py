"""Start files: what a worker must know before it can ask the server, its credential among it."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from jobmon.config.host import HostSettings
from jobmon.managers.folders import Folders
from jobmon.managers.reach import Reach
from jobmon.worker.build import build_starter


class StartFiles:
    """Writes one private file per submission and tells the command that places its workers, which holds no secret."""

    def __init__(self, reach: Reach, folders: Folders, settings: HostSettings, exit_map: Mapping[int, int]) -> None:
        self._reach, self._folders = reach, folders
        self._python = settings.python or sys.executable
        self._same = {
            "endpoint": None if reach.file is None else str(reach.file),
            "direct": folders.endpoint_file is not None,  # else the user names the server: it may be a tunnel to it
            "start_wait_s": settings.start_wait_s,
            "report_wait_s": settings.report_wait_s,
            "grace_s": settings.grace_s,
            "outbox": str(folders.outbox),
            "exit_map": {str(status): instead for status, instead in exit_map.items()},
        }
        self._worker = str(build_starter(folders.shared))

    def write(self, token: str, credential: str | None, runtime_s: float | None) -> tuple[str, ...]:
        """Write an attempt's file; its worker's command line. `runtime_s`: what the worker holds the command to."""
        return self._write(token, {"token": token, "credential": credential or ""}, runtime_s)

    def write_array(
        self, token: str, members: Sequence[tuple[str, str | None]], runtime_s: float | None
    ) -> tuple[str, ...]:
        """Write an array's file, of its members' tokens and credentials; the command line, without the index."""
        credentials = [(member, credential or "") for member, credential in members]
        return self._write(token, {"members": credentials}, runtime_s)

    def _write(self, token: str, who: Mapping[str, Any], runtime_s: float | None) -> tuple[str, ...]:
        content = {**who, "server": self._reach.url, "runtime_s": runtime_s, **self._same}
        path = self._folders.starts / f"{token}.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(content))
        return (self._python, "-I", "-S", self._worker, "run", str(path))

    def remove(self, tokens: Iterable[str]) -> None:
        """Remove the files of submissions of which every attempt is final."""
        for token in tokens:
            (self._folders.starts / f"{token}.json").unlink(missing_ok=True)
