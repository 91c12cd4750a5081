"""A named executor: an executor type with the settings of one table of jobmon.toml."""

from typing import Any

import attrs

from jobmon.config.host import HostSettings
from jobmon.config.model import ServerConfig
from jobmon.plugins import Executor


@attrs.frozen
class NamedExecutor:
    """An executor that can be used: its type is loaded and its settings are checked."""

    name: str
    cls: type[Executor]
    settings: Any
    host: HostSettings
    exclusive: bool
    server: ServerConfig = attrs.field(factory=ServerConfig)  #: where remote workers reach the server

    def make(self) -> Executor:
        """A new executor object; it does no work until it is started."""
        return self.cls(self.settings)
