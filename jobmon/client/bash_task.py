"""Tasks that run a command."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from jobmon.client.names import text_problem
from jobmon.client.task import Task
from jobmon.wire.jobs import Command
from jobmon.worker.values import of_numpy, shown


def _program(value: Any) -> Any:
    if type(value) is str:
        return value
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return tuple(map(of_numpy, value)) if several else of_numpy(value)


@attrs.define(eq=False, weakref_slot=False)
class BashTask(Task):
    """Runs a command: one string under `bash -c`, or a list of program and arguments without a shell."""

    command: str | Sequence[str] = attrs.field(converter=_program)

    def __attrs_post_init__(self) -> None:
        problem = command_problem(self.command)
        if problem:
            self.problems = (problem,)

    def identity(self) -> Any:
        """What makes it this piece of work."""
        return self.command

    def payload(self, refer: Callable[[Task], Any], import_paths: list[str]) -> Command:  # noqa: ARG002 - as every task's
        """What a worker runs."""
        return Command(shell=self.command) if isinstance(self.command, str) else Command(argv=list(self.command))


def command_problem(command: object) -> str | None:
    """What is wrong with a command, or None."""
    if type(command) is str:
        if not command.strip():
            return "its command is empty"
        problem = text_problem(command)
        return f"its command {problem}" if problem else None
    if type(command) is not tuple:
        return f"its command must be text or a list of texts, not {type(command).__name__}"
    if not command or command[0] == "":
        return "its command is empty"
    for i, part in enumerate(command):
        if type(part) is not str:
            return f"command[{i}] must be text, not {type(part).__name__}: {shown(part)}"
        problem = text_problem(part)
        if problem:
            return f"command[{i}] {problem}"
    return None
