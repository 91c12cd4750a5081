"""Every error that Jobmon raises for its users: one tree, whose root is `JobmonError`.

JobmonError
├── InvalidWorkflow          the graph or a task is wrong; nothing was started
│   ├── CycleInGraph
│   ├── InvalidTask
│   └── InvalidResources
├── ConfigurationError       jobmon.toml, the environment, an executor's settings
│   └── UnknownExecutor
├── PluginError              one executor plugin cannot be used
│   └── PluginIncompatible
├── ReportInvalid            a report of the conformance kit is damaged, or none
├── WorkflowExists           it was run before; say resume=True
├── WorkflowChanged          resume of a graph that is not the same
├── WorkflowActive           another run of it is alive
├── WorkflowFailed           raised by WorkflowResult.raise_for_failures()
├── ServerError              the server cannot be used
│   ├── ServerUnreachable
│   ├── NotAuthorised
│   └── ServerIncompatible
├── StoreError               the database cannot be used
│   └── DatabaseGone         its file was removed or replaced while it was in use
├── InvalidRequest           the server refuses a message as malformed
│   └── MessageTooLarge
├── Superseded               a newer manager or run has taken this one's place
└── InvalidTransition        a state machine was asked for what cannot be
"""

from collections.abc import Mapping
from typing import Any


class JobmonError(Exception):
    """Base of all errors of Jobmon. Its text says what happened, where, and what to do.

    `data` carries what a program may need beside the text; it travels with the error over HTTP.
    """

    def __init__(self, message: str, data: Mapping[str, Any] | None = None) -> None:
        self.data: Mapping[str, Any] = data or {}
        super().__init__(message)


class InvalidWorkflow(JobmonError):
    """The workflow cannot be run as it is written. Nothing was started."""


class CycleInGraph(InvalidWorkflow):
    """Tasks wait for each other in a circle; `path` names them in order, the first one again at the end."""

    def __init__(self, path: list[str]) -> None:
        self.path = path
        super().__init__("these tasks wait for each other in a circle: " + " -> ".join(path))


class InvalidTask(InvalidWorkflow):
    """One task is wrong: its name, command, callable, arguments or upstream tasks."""


class InvalidResources(InvalidWorkflow):
    """Tasks ask for what their executors cannot give; all problems of all tasks stand in the text."""


class ConfigurationError(JobmonError):
    """jobmon.toml, an environment variable or an executor's settings are wrong."""


class UnknownExecutor(ConfigurationError):
    """A task names an executor that is neither configured nor installed."""


class PluginError(JobmonError):
    """An installed executor plugin cannot be used: it fails to import or does not keep the contract."""


class PluginIncompatible(PluginError):
    """An executor plugin was written for a version of the contract that this Jobmon does not speak."""


class ReportInvalid(JobmonError):
    """A report of the conformance kit is damaged, or none."""


class WorkflowExists(JobmonError):
    """A workflow of this name and workflow_args was run before; `run(resume=True)` goes on with it."""


class WorkflowChanged(JobmonError):
    """The workflow to resume was bound with another graph; the text shows the difference."""


class WorkflowActive(JobmonError):
    """Another run of this workflow is active. At most one may be."""


class WorkflowFailed(JobmonError):
    """Some jobs of the workflow are not done; the text names them and why."""


class ServerError(JobmonError):
    """The server answered with an error of its own; it has written the details to its log."""


class ServerUnreachable(ServerError):
    """No server answers at the address in use."""


class NotAuthorised(ServerError):
    """The server does not accept the token that was sent."""


class ServerIncompatible(ServerError):
    """Client and server speak different versions of the API."""


class StoreError(JobmonError):
    """The database cannot be opened or written."""


class DatabaseGone(StoreError):
    """The database that is in use was removed or replaced: what it had acknowledged cannot be found any more."""


class InvalidRequest(JobmonError):
    """The server refuses a message: a field is missing, of the wrong type, or names what does not exist."""


class MessageTooLarge(InvalidRequest):
    """A message has more bytes than the server takes; in smaller pieces it may be sent."""


class Superseded(JobmonError):
    """A newer manager or run has taken the place of the one that wrote; it must stop without touching anything."""


class InvalidTransition(JobmonError):
    """A state machine was asked for a change that has no meaning; `story` tells the record's history."""

    def __init__(self, message: str, story: str = "") -> None:
        self.story = story
        super().__init__(message + (f"\n{story}" if story else ""))
