"""From a name to an executor that can be used."""

import difflib

from jobmon.config.host import HostSettings
from jobmon.config.model import Config, ExecutorConfig
from jobmon.config.named import NamedExecutor
from jobmon.errors import ConfigurationError, UnknownExecutor
from jobmon.plugins.installed import DISABLE_VARIABLE, disabled
from jobmon.plugins.registry import Registry
from jobmon.plugins.settings import build


def resolve(name: str, config: Config, registry: Registry, *, asked_by: str = "") -> NamedExecutor:
    """The executor of that name: a configured one, else the installed type of that name with its defaults.

    `asked_by` says in an error who wants it, such as `task "upload"`.

    Raises:
        UnknownExecutor: neither is there, or the configured one's type is not installed; the text lists what is.
        ConfigurationError: its settings are wrong; all of them are named.
        PluginError: its plugin cannot be used.
    """
    configured = config.executors.get(name)
    if configured is None:
        if not registry.knows(name):
            raise UnknownExecutor(_unknown(name, config, registry, asked_by))
        configured = ExecutorConfig(name, name)
    elif not registry.knows(configured.type):
        raise UnknownExecutor(_not_installed(configured, registry, asked_by))
    cls = registry.load(configured.type)
    settings, problems = build(cls.settings_type, configured.settings)
    host, host_problems = build(HostSettings, configured.host)
    if problems or host_problems:
        lines = [*problems, *(f"host: {problem}" for problem in host_problems)]
        raise ConfigurationError(
            f"executor {name!r} ({configured.type}), set up in {configured.source}:\n"
            + "\n".join(f"  {line}" for line in lines)
        )
    exclusive = cls.exclusive if host.exclusive is None else host.exclusive
    return NamedExecutor(name, cls, settings, host, exclusive, config.server)


def describe_choices(config: Config, registry: Registry) -> str:
    """A line each: which executors are configured, which types are installed, which of them are disabled, if any."""
    configured = ", ".join(f"{e.name} ({e.type})" for e in config.executors.values()) or "none"
    installed = ", ".join(f"{t.name} {t.version}" for t in registry.installed()) or "none"
    blocked = f"\n  disabled by {DISABLE_VARIABLE}: {', '.join(sorted(disabled()))}" if disabled() else ""
    return f"  configured in jobmon.toml: {configured}\n  installed types: {installed}{blocked}"


def _unknown(name: str, config: Config, registry: Registry, asked_by: str) -> str:
    close = difflib.get_close_matches(name, [*config.executors, *registry.names()], 1)
    who = f'{asked_by} asks for executor "{name}", which' if asked_by else f'executor "{name}"'
    hint = f'\n  did you mean "{close[0]}"?' if close else ""
    return f"{who} is neither configured nor installed.\n{describe_choices(config, registry)}{hint}"


def _not_installed(configured: ExecutorConfig, registry: Registry, asked_by: str) -> str:
    if configured.type in disabled():
        return f'executor "{configured.name}": its type "{configured.type}" is disabled by {DISABLE_VARIABLE}.'
    types = registry.names()
    close = difflib.get_close_matches(configured.type, types, 1)
    who = f'{asked_by} asks for executor "{configured.name}": ' if asked_by else f'executor "{configured.name}": '
    hint = (
        f' Did you mean "{close[0]}"?'
        if close
        else f" If it exists, try: pip install jobmon-executor-{configured.type}"
    )
    return (
        f'{who}its type "{configured.type}" ({configured.source}) is not installed; '
        f"installed types: {', '.join(types) or 'none'}.{hint}"
    )
