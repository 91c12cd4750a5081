"""A named executor: an executor type with the settings of one table of jobmon.toml."""

from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from jobmon.config.host import HostSettings
from jobmon.config.model import ServerConfig
from jobmon.errors import PluginError
from jobmon.plugins import Executor, SchedulerUnavailable
from jobmon.plugins.wording import said

T = TypeVar("T")


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

    def ask(self, question: Callable[[Executor], T]) -> T:
        """What a new executor that is not started answers: how the client asks before a run.

        Raises:
            PluginError: it fails.
            SchedulerUnavailable: its platform does not answer here.
        """
        try:
            return question(self.make())
        except SchedulerUnavailable:
            raise
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"executor {self.name!r}: its type {self.cls.name!r} fails when it is asked before a run: {said(error)}"
            ) from error
