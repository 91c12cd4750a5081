"""Executor type `sequential`: one job at a time, in order, on this host."""

from jobmon.plugins import Executor, hookimpl
from jobmon_sequential.executor import Sequential


@hookimpl
def jobmon_executor_types() -> list[type[Executor]]:
    """The one type of this distribution."""
    return [Sequential]
