"""Where the workers of one executor find the server."""

from pathlib import Path

import msgspec

from jobmon.config.named import NamedExecutor
from jobmon.managers.folders import Folders
from jobmon.plugins import Placement
from jobmon.requester import Requester, workers_url
from jobmon.requester.endpoint import write_private


class Reach:
    """The server's address for workers, and the file that they read again when they lose it.

    Workers of this host use the server's own file. For those of other hosts the manager has the server listen where
    they reach it, and writes that address into a file of its own, where they can read it.
    """

    def __init__(self, named: NamedExecutor, requester: Requester, folders: Folders) -> None:
        self._server, self._requester = named.server, requester
        self.remote = named.cls.placement is Placement.REMOTE
        self.file: Path | None = folders.workers_endpoint if self.remote else folders.endpoint_file
        self._cluster: str | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """The address as it was when it was last looked at."""
        return self._requester.url if self._url is None else self._url

    def begin(self, cluster: str | None) -> None:
        """Look for the address, of which `cluster` is a host that the way leads to; None where none is known.

        Raises:
            ConfigurationError: no address is one that workers reach.
        """
        self._cluster = cluster
        self._look()

    @property
    def begun(self) -> bool:
        """The address has been looked for, and found."""
        return self._url is not None

    def refresh(self) -> None:
        """Look again: the server may have been started anew, and be somewhere else.

        Raises:
            ConfigurationError: as `begin`.
        """
        self._look()

    def _look(self) -> None:
        host, port = self._server.host, self._server.port
        url = workers_url(self._requester, host=host, port=port, cluster=self._cluster)
        if url != self._url and self.file is not None:
            write_private(self.file, msgspec.json.encode({"url": url}))
        self._url = url
