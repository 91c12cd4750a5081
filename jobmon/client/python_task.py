"""Tasks that call a Python function by reference, or run a Python script."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

import attrs

from jobmon.client.arguments import Arguments, with_outputs
from jobmon.client.bash_task import command_problem
from jobmon.client.references import Reference, reference
from jobmon.client.task import NOTHING, Output, Task, several
from jobmon.errors import InvalidTask
from jobmon.wire.jobs import Call, Command
from jobmon.worker.values import of_numpy, shown

_NO_ARGS: Sequence[Any] = ()


def _args(value: Sequence[Any]) -> Sequence[Any]:
    return several(value, "args", "values")


def _kwargs(value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidTask(f"kwargs must be a dict of values by name, not {type(value).__name__}: {value!r:.200}")
    return value


def _word(value: Any) -> str | None:
    """A text, number or path as it stands on a command line; None for what is none of them."""
    value = of_numpy(value)
    if type(value) not in (str, int, float) and not isinstance(value, PurePath):
        return None
    try:
        return str(value)
    except ValueError:  # a number of thousands of digits
        return None


@attrs.define(eq=False, weakref_slot=False)
class PythonTask(Task):
    """Calls a function with plain values and keeps its result, at most 64 kB of JSON; or runs a script with arguments.

    The function is named, never pickled: a function of a module, `"package.module:function"`, or a function of the
    script itself. Where `other.output` stands in the arguments the worker finds the other task's result; that task
    becomes an upstream task. With `script` the arguments are its command line, and there is no result.
    """

    function: Callable[..., Any] | str | None = attrs.field(default=None, repr=False)
    args: Sequence[Any] = attrs.field(default=_NO_ARGS, kw_only=True, converter=_args)
    kwargs: Mapping[str, Any] = attrs.field(default=NOTHING, kw_only=True, converter=_kwargs)
    script: str | None = attrs.field(default=None, kw_only=True)
    reference: Reference = attrs.field(default=Reference(), init=False, repr=False)
    uses_outputs: bool = attrs.field(default=False, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if (self.function is None) == (self.script is None):
            self.problems = ("give it either a function or script=, one of the two",)
        elif self.script is not None:
            self._take_script()
        else:
            self._take_call()

    def _take_script(self) -> None:
        words = [_word(value) for value in self.args]
        bad = [f"script argument {i} is {shown(self.args[i])}; text, numbers and paths go on a command line"
               for i, word in enumerate(words) if word is None]  # fmt: skip
        if self.kwargs:
            bad.append("a script takes args=, not kwargs=")
        if not Path(str(self.script)).is_file():
            bad.append(f"there is no script {self.script!r} (seen from {Path.cwd()})")
        self.args = tuple(word or "" for word in words)
        problem = command_problem((str(self.script), *self.args))
        self.problems = tuple(bad) or ((problem,) if problem else ())
        self.script = str(Path(str(self.script)).absolute())

    def _take_call(self) -> None:
        function = self.function
        try:
            self.reference = reference(function)
        except TypeError:  # an object that cannot be hashed
            self.reference = Reference(problem=f"{function!r} is no function of a module")
        taken = Arguments()
        if self.args:
            self.args = taken.snapshot(list(self.args), "args")
        if self.kwargs:
            self.kwargs = taken.snapshot(dict(self.kwargs), "kwargs")
        if taken.outputs:
            self.uses_outputs = True
            self.upstream_tasks = tuple(dict.fromkeys([*self.upstream_tasks, *taken.outputs]))
        if self.reference.problem or taken.problems:
            self.problems = (*([self.reference.problem] if self.reference.problem else []), *taken.problems)
        self.function = None  # the reference says all that is needed; the callable may hold on to much

    @property
    def output(self) -> Output:
        """Stands for the result of this task in the arguments of another PythonTask, which then waits for it."""
        if self.script is not None:
            raise InvalidTask(f"task {self.name!r} runs a script, which has no output; only a function returns one")
        return Output(self)

    def default_name(self, position: int) -> str:
        """The function's or the script's name and the position."""
        what = Path(self.script).stem if self.script else self.reference.function
        return f"{what or 'task'}-{position}"

    def identity(self) -> Any:
        """What makes it this piece of work, whichever folder and interpreter it is started from."""
        if self.script is not None:
            return ("script", Path(self.script).name, self.args)
        module = Path(self.reference.module).name if self.reference.is_path else self.reference.module
        args, kwargs = self._arguments(lambda task: task.name)
        return ("call", module, self.reference.function, args, kwargs)

    def _arguments(self, refer: Callable[[Task], Any]) -> tuple[list[Any], dict[str, Any]]:
        args, kwargs = list(self.args), dict(self.kwargs)
        return (with_outputs(args, refer), with_outputs(kwargs, refer)) if self.uses_outputs else (args, kwargs)

    def payload(self, refer: Callable[[Task], Any], import_paths: list[str]) -> Command | Call:
        """What a worker runs; `refer` says how an upstream task whose output is an argument is named there."""
        if self.script is not None:
            return Command(argv=[sys.executable, self.script, *self.args])
        args, kwargs = self._arguments(refer)
        target = self.reference
        return Call(
            module=target.module,
            function=target.function,
            args=args,
            kwargs=kwargs,
            is_path=target.is_path,
            import_paths=import_paths,
            python=sys.executable,
        )
