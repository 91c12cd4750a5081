"""Start files: what a worker must know before it can ask the server, its credential among it."""

import os
from collections.abc import Iterable

import msgspec

from jobmon.managers.folders import Folders
from jobmon.requester import Requester
from jobmon.worker.build import build_worker

_START_WAIT_S = 600.0
_REPORT_WAIT_S = 900.0


class StartFiles:
    """Writes one private file per attempt and tells the command that places its worker."""

    def __init__(self, requester: Requester, folders: Folders, python: str) -> None:
        self._requester, self._folders, self._python = requester, folders, python
        self._worker = str(build_worker(folders.shared))

    def write(self, token: str, credential: str | None) -> tuple[str, ...]:
        """Write the attempt's file; its worker's command line, which holds no secret."""
        endpoint = self._folders.endpoint_file
        content = {
            "server": self._requester.url,
            "endpoint": None if endpoint is None else str(endpoint),
            "token": token,
            "credential": credential or "",
            "start_wait_s": _START_WAIT_S,
            "report_wait_s": _REPORT_WAIT_S,
            "outbox": str(self._folders.outbox / f"{token}.json"),
        }
        path = self._folders.starts / f"{token}.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(content))
        return (self._python, "-I", "-S", self._worker, "run", str(path))

    def remove(self, tokens: Iterable[str]) -> None:
        """Remove the files of attempts that are final."""
        for token in tokens:
            (self._folders.starts / f"{token}.json").unlink(missing_ok=True)
