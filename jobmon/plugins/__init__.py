"""Everything that the author of an executor plugin needs; nothing else of Jobmon is public to plugins.

An executor is a class derived from `Executor`, named by an entry point of the group `jobmon.executors`:

    [project.entry-points."jobmon.executors"]
    labbatch = "jobmon_labbatch"

The module `jobmon_labbatch` has one hook, which returns the class whose `name` is the entry point's:

    @hookimpl
    def jobmon_executor_types():
        return [LabBatch]

The plugin `jobmon_dummy` is the smallest whole example.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobmon.plugins.batch.executor import BatchExecutor
    from jobmon.plugins.batch.rows import Row, State
    from jobmon.plugins.beside import Answer, Beside
    from jobmon.plugins.command import Completed
    from jobmon.plugins.context import ExecutorContext
    from jobmon.plugins.executor import CONTRACT_VERSION, Executor
    from jobmon.plugins.hookspecs import hookimpl
    from jobmon.plugins.records import (
        Absent,
        Accepted,
        ArrayRefused,
        ArrayRequest,
        CannotTell,
        Deferred,
        Exited,
        Finding,
        Found,
        Observation,
        Outcome,
        Pending,
        Placement,
        Rejected,
        Running,
        SchedulerUnavailable,
        Submission,
        SubmitRequest,
        Submitted,
        Support,
        Uncertain,
        Unknown,
        ending,
    )
    from jobmon.plugins.resources import Resources, parse_memory, parse_runtime
    from jobmon.plugins.settings import NoSettings, setting
    from jobmon.processes import ProcessIdentity, identify, is_alive, kill_marked, marked
    from jobmon.states.evidence import Reporting
    from jobmon.states.reasons import Reason
    from jobmon.whereabouts import user_name
    from jobmon.wire.jobs import Call, Command

#: Modules and the names that come from them, imported when first used: to list what is installed needs none.
_HOMES = {
    "jobmon.plugins.batch.executor": "BatchExecutor",
    "jobmon.plugins.batch.rows": "Row State",
    "jobmon.plugins.beside": "Answer Beside",
    "jobmon.plugins.command": "Completed",
    "jobmon.plugins.context": "ExecutorContext",
    "jobmon.plugins.executor": "CONTRACT_VERSION Executor",
    "jobmon.plugins.hookspecs": "hookimpl",
    "jobmon.plugins.records": (
        "Absent Accepted ArrayRefused ArrayRequest CannotTell Deferred Exited Finding Found Observation Outcome "
        "Pending Placement Rejected Running SchedulerUnavailable Submission SubmitRequest Submitted Support "
        "Uncertain Unknown ending"
    ),
    "jobmon.plugins.resources": "Resources parse_memory parse_runtime",
    "jobmon.plugins.settings": "NoSettings setting",
    "jobmon.processes": "ProcessIdentity identify is_alive kill_marked marked",
    "jobmon.surroundings": "surroundings",
    "jobmon.whereabouts": "user_name",
    "jobmon.states.evidence": "Reporting",
    "jobmon.states.reasons": "Reason",
    "jobmon.wire.jobs": "Call Command",
}

__all__ = [
    "CONTRACT_VERSION",
    "Absent",
    "Accepted",
    "Answer",
    "ArrayRefused",
    "ArrayRequest",
    "BatchExecutor",
    "Beside",
    "Call",
    "CannotTell",
    "Command",
    "Completed",
    "Deferred",
    "Executor",
    "ExecutorContext",
    "Exited",
    "Finding",
    "Found",
    "NoSettings",
    "Observation",
    "Outcome",
    "Pending",
    "Placement",
    "ProcessIdentity",
    "Reason",
    "Rejected",
    "Reporting",
    "Resources",
    "Row",
    "Running",
    "SchedulerUnavailable",
    "State",
    "Submission",
    "Submitted",
    "SubmitRequest",
    "Support",
    "Uncertain",
    "Unknown",
    "ending",
    "hookimpl",
    "identify",
    "is_alive",
    "kill_marked",
    "marked",
    "parse_memory",
    "parse_runtime",
    "setting",
    "surroundings",
    "user_name",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names.split():
            value = globals()[name] = getattr(importlib.import_module(module), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
