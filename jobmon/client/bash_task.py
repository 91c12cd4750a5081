"""Tasks that run a command."""

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from jobmon.client.task import Task
from jobmon.wire.jobs import Command


def _program(value: Any) -> Any:
    return value if isinstance(value, str) else tuple(value) if isinstance(value, Sequence) else value


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

    def payload(self, refer: Callable[[Task], Any], import_path: str) -> Command:  # noqa: ARG002 - as every task's
        """What a worker runs."""
        return Command(shell=self.command) if isinstance(self.command, str) else Command(argv=list(self.command))


def command_problem(command: object) -> str | None:
    """What is wrong with a command, or None."""
    if isinstance(command, str):
        if not command.strip():
            return "its command is empty"
        return _text_problem(command, "its command")
    if not isinstance(command, tuple):
        return f"its command must be text or a list of texts, not {type(command).__name__}"
    if not command or command[0] == "":
        return "its command is empty"
    for i, part in enumerate(command):
        if not isinstance(part, str):
            return f"command[{i}] must be text, not {type(part).__name__}: {part!r}"
        problem = _text_problem(part, f"command[{i}]")
        if problem:
            return problem
    return None


def _text_problem(text: str, what: str) -> str | None:
    if "\0" in text:
        return f"{what} contains a NUL byte, which no command can"
    try:
        text.encode()
    except UnicodeEncodeError:
        return f"{what} contains a lone surrogate, which is no text"
    return None
