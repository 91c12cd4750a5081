"""Executor type `uge`: jobs of a Grid Engine cluster (Univa, Altair, Son of Grid Engine and their relatives)."""

from jobmon.plugins import Executor, hookimpl
from jobmon_uge.executor import GridEngine
from jobmon_uge.settings import OwnResources, Settings

__all__ = ["GridEngine", "OwnResources", "Settings", "jobmon_executor_types"]


@hookimpl
def jobmon_executor_types() -> list[type[Executor]]:
    """The one type of this distribution."""
    return [GridEngine]
