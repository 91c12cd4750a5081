"""The configuration as records."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

#: What `module` and `conda` need where a job runs: bash's start-up file and the functions that a shell has exported,
#: and what Environment Modules, Lmod and conda keep of what is loaded.
_SHELL = ("BASH_ENV", "BASH_FUNC_*")
_MODULES = ("MODULE*", "LOADEDMODULES", "_LMFILES_*", "__MODULES_*", "LMOD_*", "__LMOD_*", "_ModuleTable*")
_CONDA = ("CONDA_*", "_CE_*", "MAMBA_*")
#: Variables of the submitting process that jobs get: names, with `*` and `?` as in a shell.
DEFAULT_ENVIRONMENT = ("PATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "PYTHONPATH", *_SHELL, *_MODULES, *_CONDA)


@attrs.frozen
class ExecutorConfig:
    """One table `[executors.NAME]`; `settings` are the fields of the plugin's Settings, `host` HostSettings'."""

    name: str
    type: str
    settings: Mapping[str, Any] = MappingProxyType({})
    host: Mapping[str, Any] = MappingProxyType({})
    source: str = "jobmon.toml"  #: the files and variables that its keys come from


@attrs.frozen
class WorkflowConfig:
    """`[workflow]`: defaults of every workflow."""

    executor: str | None = None  #: for tasks that name none
    log_folder: str | None = None  #: where output of jobs goes; None: `logs` in the data folder
    environment: tuple[str, ...] = DEFAULT_ENVIRONMENT  #: variables captured for the jobs when they are bound


@attrs.frozen
class ServerConfig:
    """`[server]`: where a server listens."""

    host: str | None = None  #: for workers on other hosts, beside loopback; None: the address of the route to them
    port: int | None = None  #: None: the last one's, else any


@attrs.frozen
class Config:
    """All that is configured. `folder` is where the project's file was looked for from."""

    folder: Path
    project_file: Path | None = None
    user_file: Path | None = None
    executors: Mapping[str, ExecutorConfig] = MappingProxyType({})
    workflow: WorkflowConfig = WorkflowConfig()
    server: ServerConfig = ServerConfig()
