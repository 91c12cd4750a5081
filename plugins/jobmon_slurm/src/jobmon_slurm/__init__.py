"""Executor type `slurm`: jobs and arrays on a Slurm cluster."""

from jobmon.plugins import Executor, hookimpl
from jobmon_slurm.executor import Slurm
from jobmon_slurm.settings import Settings, SlurmResources

__all__ = ["Settings", "Slurm", "SlurmResources", "jobmon_executor_types"]


@hookimpl
def jobmon_executor_types() -> list[type[Executor]]:
    """The one type of this distribution."""
    return [Slurm]
