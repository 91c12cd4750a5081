"""Run jobs on an existing Dask cluster: the distributed engine for people without a batch system."""

from jobmon.plugins import Executor, hookimpl
from jobmon_dask.executor import Dask
from jobmon_dask.settings import DaskResources, Settings

__all__ = ["Dask", "DaskResources", "Settings", "jobmon_executor_types"]


@hookimpl
def jobmon_executor_types() -> list[type[Executor]]:
    """The type that the entry point names."""
    return [Dask]
