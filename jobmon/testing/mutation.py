"""A wrong executor made of a right one, by one small change: what a mutant is, and how it is made."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from jobmon.plugins import Executor, Observation
from jobmon.testing.command_platform import CommandPlatform
from jobmon.testing.local_platform import LocalPlatform
from jobmon.testing.platform import Platform

AnyExecutor = Any  # a class that is derived from one which is known at run time alone
Change = Callable[[AnyExecutor], AnyExecutor]


@attrs.frozen
class Mutant:
    """A small wrong behaviour, and the sentences that should catch it."""

    name: str
    what: str  #: what it does, after "an executor that ..."
    caught_by: tuple[str, ...]  #: checks
    fake: str  #: what a fake that lets it through never does, after "your fake never ..."
    add: str  #: what to add to it, after "let ..."
    change: Change
    #: A method without which it does not apply; "commands": the platform is reached through `run`; "names": what
    #: stands for it has names of jobs, which this host's processes have not.
    needs: str = ""
    as_far_as: str = ""  #: a check; where it does not apply to the type, the mutant does not either

    def does_not_apply(self, executor_type: type[Executor], platform_type: type[Platform] | None) -> str:
        """Why it cannot be made of this type; empty: it can."""
        if self.needs == "commands":
            commands = platform_type is not None and issubclass(platform_type, CommandPlatform)
            return "" if commands else "its platform is not reached through commands"
        if self.needs == "names":
            local = platform_type is None or issubclass(platform_type, LocalPlatform)
            return "processes of this host have no names of jobs" if local else ""
        if self.needs and getattr(executor_type, self.needs) is getattr(Executor, self.needs):
            return f"it does not define {self.needs}"
        return ""


#: All mutants by name, in the order in which they are tried.
MUTANTS: dict[str, Mutant] = {}


def mutant(
    what: str, *, caught_by: Sequence[str], fake: str, add: str, needs: str = "", as_far_as: str = ""
) -> Callable[[Change], Change]:
    """Note a mutant: a function that derives the wrong class from a right one, and is named as the mutant."""

    def note(change: Change) -> Change:
        MUTANTS[change.__name__] = Mutant(change.__name__, what, tuple(caught_by), fake, add, change, needs, as_far_as)
        return change

    return note


def seeing(base: AnyExecutor, change: Callable[[Any, str, Observation], Observation]) -> AnyExecutor:
    """A class that tells what `change` makes of each observation, in answers and when it pushes."""

    class Wrong(base):  # type: ignore[misc]
        def start(self, context: Any) -> None:
            super().start(_Changing(context, lambda token, seen: change(self, token, seen)))

        def observe(self, *, submitted: Sequence[Any]) -> Mapping[str, Observation]:
            told = super().observe(submitted=submitted)
            return {token: change(self, token, seen) for token, seen in told.items()}

    return Wrong


def sending(base: AnyExecutor, change: Callable[[Any, Any, Any], Any]) -> AnyExecutor:
    """A class that tells what `change` makes of each outcome: it gets executor, request and outcome."""

    class Wrong(base):  # type: ignore[misc]
        def submit(self, *, requests: Sequence[Any]) -> Iterator[tuple[str, Any]]:
            by_token = {request.token: request for request in requests}
            for token, outcome in super().submit(requests=requests):
                yield token, change(self, by_token[token], outcome)

    return Wrong


def asking(base: AnyExecutor, change: Callable[[Any, Any], Any]) -> AnyExecutor:
    """A class that submits what `change` makes of each request: it gets executor and request."""

    class Wrong(base):  # type: ignore[misc]
        def submit(self, *, requests: Sequence[Any]) -> Any:
            return super().submit(requests=[change(self, request) for request in requests])

    return Wrong


def finding(base: AnyExecutor, change: Callable[[Any, str, Any], Any]) -> AnyExecutor:
    """A class that tells what `change` makes of each finding: it gets executor, token and finding."""

    class Wrong(base):  # type: ignore[misc]
        def find(self, *, submissions: Sequence[Any]) -> Mapping[str, Any]:
            told = super().find(submissions=submissions)
            return {token: change(self, token, found) for token, found in told.items()}

    return Wrong


def trusting(base: AnyExecutor, method: str) -> AnyExecutor:
    """A class that takes it that every command of this method did what it was asked."""

    def called(self: Any, **asked: Any) -> Any:
        self.__dict__["trusts"] = True
        try:
            return getattr(base, method)(self, **asked)
        finally:
            self.__dict__["trusts"] = False

    def run(self: Any, argv: Any, **given: Any) -> Any:
        done = base.run(self, argv, **given)
        return attrs.evolve(done, status=0, stderr="") if self.__dict__.get("trusts") else done

    return type("Wrong", (base,), {method: called, "run": run})


class _Changing:
    """A context that changes what is pushed through it."""

    def __init__(self, context: Any, change: Callable[[str, Observation], Observation]) -> None:
        self._context, self._change = context, change

    def report(self, *, observations: Mapping[str, Observation]) -> None:
        self._context.report(observations={token: self._change(token, seen) for token, seen in observations.items()})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
