"""Jobmon runs workflows of tasks on the executors that they name, and loses nothing.

from jobmon import BashTask, PythonTask, Workflow
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobmon.client.bash_task import BashTask
    from jobmon.client.python_task import PythonTask
    from jobmon.client.result import TaskResult, WorkflowResult
    from jobmon.client.task import Task
    from jobmon.client.workflow import Workflow
    from jobmon.errors import (
        ConfigurationError,
        CycleInGraph,
        DatabaseGone,
        InvalidRequest,
        InvalidResources,
        InvalidTask,
        InvalidTransition,
        InvalidWorkflow,
        JobmonError,
        NotAuthorised,
        PluginError,
        PluginIncompatible,
        ServerError,
        ServerIncompatible,
        ServerUnreachable,
        StoreError,
        Superseded,
        UnknownExecutor,
        WorkflowActive,
        WorkflowChanged,
        WorkflowExists,
        WorkflowFailed,
    )

    __version__: str

#: Names and the modules that they come from, which are imported when first used: `import jobmon` alone costs nothing.
_HOMES = {
    "BashTask": "jobmon.client.bash_task",
    "PythonTask": "jobmon.client.python_task",
    "Task": "jobmon.client.task",
    "TaskResult": "jobmon.client.result",
    "Workflow": "jobmon.client.workflow",
    "WorkflowResult": "jobmon.client.result",
}

__all__ = [
    "BashTask",
    "ConfigurationError",
    "CycleInGraph",
    "DatabaseGone",
    "InvalidRequest",
    "InvalidResources",
    "InvalidTask",
    "InvalidTransition",
    "InvalidWorkflow",
    "JobmonError",
    "NotAuthorised",
    "PluginError",
    "PluginIncompatible",
    "PythonTask",
    "ServerError",
    "ServerIncompatible",
    "ServerUnreachable",
    "StoreError",
    "Superseded",
    "Task",
    "TaskResult",
    "UnknownExecutor",
    "Workflow",
    "WorkflowActive",
    "WorkflowChanged",
    "WorkflowExists",
    "WorkflowFailed",
    "WorkflowResult",
    "__version__",
]


def __getattr__(name: str) -> Any:
    import importlib

    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("jobmon")
    elif name in __all__:
        value = getattr(importlib.import_module(_HOMES.get(name, "jobmon.errors")), name)
    else:
        raise AttributeError(f"module 'jobmon' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
