"""Whether the methods of an executor class can be called as the host calls them."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from jobmon.plugins.executor import Executor
from jobmon.plugins.wording import cut, shown

#: Those of which whoever calls them takes what they yield, one by one.
_YIELDING = frozenset({"submit", "submit_array", "parse_list", "parse_accounting"})


def wrong_methods(cls: type[Executor]) -> Iterator[str]:
    """What is wrong with the methods of the class, a phrase each."""
    if abstract := getattr(cls, "__abstractmethods__", None):
        yield f"it leaves {', '.join(sorted(abstract))} abstract, so that none can be made"
    if problem := _misfit(cls.__init__, [None, None], {}):
        yield f"it cannot be made as {cls.__name__}(settings): {problem}"
    for name, base in vars(Executor).items():
        if not name.startswith("_") and inspect.isfunction(base):
            yield from wrong_method(cls, name, base)
    if cls.array_limit is not Executor.array_limit and cls.submit_array is Executor.submit_array:
        yield "it has array_limit without submit_array"


def wrong_method(cls: type[Executor], name: str, base: Callable[..., Any]) -> Iterator[str]:
    """What is wrong with one of them, in the place of the base class's."""
    method = getattr(cls, name)
    if not callable(method):
        yield f"{name} is {shown(method)}, not a method"
        return
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
        yield f"{name} is a coroutine, not a plain method"
    elif inspect.isgeneratorfunction(method) and name not in _YIELDING:
        yield f"{name} yields, so that a call of it does nothing; it must return"
    elif method is not base:
        bound = isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod)
        needed = [p for p in list(inspect.signature(base).parameters.values())[1:] if p.default is p.empty]
        plain = [p.name for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD]
        named = [p.name for p in needed if p.kind is p.KEYWORD_ONLY]
        if problem := _misfit(method, [*([] if bound else [None]), *plain], dict.fromkeys(named)):
            yield f"{name} cannot be called as {name}({', '.join([*plain, *(f'{n}=...' for n in named)])}): {problem}"


def _misfit(method: Any, arguments: list[Any], named: dict[str, Any]) -> str:
    """Why a method does not take these arguments; empty: it does, or nobody can tell."""
    try:
        signature = inspect.signature(method)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*arguments, **named)
    except TypeError as error:
        return cut(str(error))
    return ""
