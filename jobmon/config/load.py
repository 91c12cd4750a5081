"""Puts the sources together: the user's file, the project's, the environment; later beats earlier, key by key."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from jobmon.config.host import HostSettings
from jobmon.config.model import Config, ExecutorConfig, ServerConfig, WorkflowConfig
from jobmon.config.places import project_file, user_file
from jobmon.config.sources import Source, read_environment, read_file
from jobmon.errors import ConfigurationError
from jobmon.plugins.settings import build

SECTIONS = ("executors", "workflow", "server")
Section = TypeVar("Section", WorkflowConfig, ServerConfig)


def load_config(folder: Path, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of a script in `folder`.

    The project's file is the nearest in or above that folder, else the nearest in or above the working folder.

    Raises:
        ConfigurationError: some source is unreadable or holds unknown sections or keys; all of them are named.
    """
    environ = os.environ if environ is None else environ
    users = user_file(environ)
    project = project_file(folder)
    files = [path for path in (users, project) if path is not None and path.is_file()]
    sources = [read_file(path) for path in dict.fromkeys(files)]
    names = [name for source in sources for name in _table(source.table.get("executors"))]
    sources += read_environment(environ, names)
    problems = [problem for source in sources for problem in _misplaced(source)]
    executors = _executors(sources, problems)
    workflow = _section(sources, "workflow", WorkflowConfig, problems)
    server = _section(sources, "server", ServerConfig, problems)
    if problems:
        raise ConfigurationError("the configuration is wrong:\n" + "\n".join(f"  {problem}" for problem in problems))
    return Config(
        folder=folder,
        project_file=project,
        user_file=users if users in files else None,
        executors=executors,
        workflow=workflow or WorkflowConfig(),
        server=server or ServerConfig(),
    )


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _misplaced(source: Source) -> list[str]:
    """What stands at the top of a source and is no section, or a section that is no table."""
    problems = []
    for key, value in source.table.items():
        if key not in SECTIONS:
            close = difflib.get_close_matches(key, SECTIONS, 1)
            hint = f"did you mean [{close[0]}]?" if close else "there are [executors.NAME], [workflow] and [server]"
            problems.append(f"{source.where}: unknown section {key!r}; {hint}")
        elif not isinstance(value, dict):
            problems.append(f"{source.where}: {key} must be a table")
    for name, value in _table(source.table.get("executors")).items():
        if not isinstance(value, dict):
            problems.append(f"{source.where}: executors.{name} must be a table, [executors.{name}]")
    return problems


def _executors(sources: list[Source], problems: list[str]) -> dict[str, ExecutorConfig]:
    names = dict.fromkeys(name for source in sources for name in _table(source.table.get("executors")))
    found = {}
    for name in names:
        executor = _executor(name, sources, problems)
        if executor is not None:
            found[name] = executor
    return found


def _executor(name: str, sources: list[Source], problems: list[str]) -> ExecutorConfig | None:
    """One executor from all sources. A source that changes its type starts its settings anew: they belong to a type."""
    type_name: Any = None
    settings: dict[str, Any] = {}
    host: dict[str, Any] = {}
    where: list[str] = []
    for source in sources:
        table = dict(_table(_table(source.table.get("executors")).get(name)))
        if not table:
            continue
        if "type" in table and table["type"] != type_name:
            type_name, settings, where = table["type"], {}, []
        table.pop("type", None)
        where.append(source.where)
        own_host = table.pop("host", {})
        # A plugin may have a plain setting named `host`; the host's own settings are always a table.
        if isinstance(own_host, dict):
            problems.extend(
                f"{source.where}: [executors.{name}.host]: {problem}" for problem in build(HostSettings, own_host)[1]
            )
            host |= own_host
        else:
            settings["host"] = own_host
        settings |= table
    if type_name is None:
        type_name = name  # an installed type is an executor of that name; the table only sets it up
    if not isinstance(type_name, str):
        problems.append(f"{where[-1]}: [executors.{name}]: type must be text, the name of an executor type")
        return None
    return ExecutorConfig(name, type_name, settings, host, " and ".join(where))


def _section(sources: list[Source], name: str, cls: type[Section], problems: list[str]) -> Section | None:
    merged: dict[str, Any] = {}
    for source in sources:
        table = _table(source.table.get(name))
        _, wrong = build(cls, table)
        problems.extend(f"{source.where}: [{name}]: {problem}" for problem in wrong)
        merged |= {key: value for key, value in table.items() if key in attrs.fields_dict(cls)}
    section, _ = build(cls, merged)
    return section  # type: ignore[no-any-return]
