"""What is configured: jobmon.toml of the user and of the project, and environment variables; and executors by name."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobmon.config.host import HostSettings
    from jobmon.config.load import load_config
    from jobmon.config.model import Config, ExecutorConfig, ServerConfig, WorkflowConfig
    from jobmon.config.named import NamedExecutor
    from jobmon.config.resolving import describe_choices, resolve

#: Names and their modules, imported when first used: whether there is any configuration is seen without them.
_HOMES = {
    "Config": "model",
    "ExecutorConfig": "model",
    "HostSettings": "host",
    "NamedExecutor": "named",
    "ServerConfig": "model",
    "WorkflowConfig": "model",
    "describe_choices": "resolving",
    "load_config": "load",
    "resolve": "resolving",
}

__all__ = [
    "Config",
    "ExecutorConfig",
    "HostSettings",
    "NamedExecutor",
    "ServerConfig",
    "WorkflowConfig",
    "describe_choices",
    "load_config",
    "resolve",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"jobmon.config.{_HOMES[name]}"), name)
