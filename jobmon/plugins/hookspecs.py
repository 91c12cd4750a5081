"""The hooks of Jobmon. There is one."""

import pluggy

from jobmon.plugins.executor import Executor

hookspec = pluggy.HookspecMarker("jobmon")
hookimpl = pluggy.HookimplMarker("jobmon")


@hookspec
def jobmon_executor_types() -> list[type[Executor]]:
    """The executor types that this plugin brings, among them the one its entry point is named after."""
    raise NotImplementedError("a specification is not called")
