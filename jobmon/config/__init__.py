"""What is configured: jobmon.toml of the user and of the project, and environment variables; and executors by name."""

from jobmon.config.host import HostSettings
from jobmon.config.load import load_config
from jobmon.config.model import Config, ExecutorConfig, ServerConfig, WorkflowConfig
from jobmon.config.named import NamedExecutor
from jobmon.config.resolve import describe_choices, resolve

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
