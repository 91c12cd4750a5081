"""Writes docs/executor-reference.md from jobmon.plugins: `python docs/make_reference.py`. A test holds both equal."""

import functools
import inspect
import operator
import re
import runpy
import typing
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Any

import attrs

from jobmon import errors, plugins
from jobmon.plugins import hookspecs
from jobmon.testing import ExecutorConformance
from jobmon.testing.sentences import Area, sentence_of

HERE = Path(__file__).resolve().parent
table = runpy.run_path(str(HERE / "make_states.py"))["table"]

CONTRACT = ".".join(map(str, plugins.CONTRACT_VERSION))
INTRODUCTION = f"""# Reference of executor plugins

<!-- Made by docs/make_reference.py from jobmon/plugins; do not edit. -->

Contract {CONTRACT}. Every name here is imported from `jobmon.plugins`, the only part of Jobmon that a plugin may use.
Records are frozen attrs classes, made by keyword or in the order shown. How it all goes together:
[writing an executor](executors.md).
"""
#: Sections of the page, and what stands in each, in order.
SECTIONS = {
    "The executor": ["Executor", "ExecutorContext", "Completed"],
    "A batch system that is used through commands": ["BatchExecutor", "Row", "State"],
    "Settings and resources": ["setting", "NoSettings", "Resources", "Support", "parse_memory", "parse_runtime"],
    "What is submitted": ["SubmitRequest", "ArrayRequest", "Command", "Call"],
    "What comes of a submission": ["Outcome", "Accepted", "Rejected", "Deferred", "Uncertain"],
    "What is asked about": ["Submitted", "Submission"],
    "What the platform says of an attempt": [
        "Observation",
        "Pending",
        "Running",
        "Exited",
        "Absent",
        "Unknown",
        "Reason",
        "ending",
    ],
    "What find says": ["Finding", "Found", "CannotTell"],
    "What the class declares": ["Reporting", "Placement", "CONTRACT_VERSION"],
    "What methods may raise": ["SchedulerUnavailable", "ArrayRefused"],
    "What a platform takes long to answer": ["Beside", "Answer"],
    "Processes of this host": [
        "ProcessIdentity",
        "identify",
        "is_alive",
        "marked",
        "kill_marked",
        "surroundings",
        "user_name",
    ],
    "The hook": ["hookimpl"],
}
#: What Jobmon raises when a plugin cannot be used; they are `jobmon.NAME`.
PLUGIN_ERRORS = [errors.UnknownExecutor, errors.PluginError, errors.PluginIncompatible, errors.InvalidResources,
                 errors.ConfigurationError]  # fmt: skip


def comments(cls: type) -> dict[str, str]:
    """The `#:` comment of each name in the body of a class: beside it, or in the lines above."""
    found: dict[str, str] = {}
    above: list[str] = []
    for line in inspect.getsource(cls).splitlines():
        if match := re.fullmatch(r"    #: (.*)", line):
            above.append(match[1])
        elif match := re.match(r"    (\w+)\s*[:=]", line):
            beside = re.search(r"#: (.*)$", line)
            found[match[1]] = beside[1] if beside else " ".join(above)
            above = []
        else:
            above = []
    return found


def prose(thing: Any) -> str:
    """A docstring as Markdown: what it raises becomes a list."""
    text = inspect.getdoc(thing) or ""
    head, _, raises = text.partition("\nRaises:\n")
    items = re.findall(r"^    (\S.*?): (.*)$", raises, re.MULTILINE)
    return head.strip() + "".join(f"\n\n- raises `{name}`: {why}" for name, why in items)


def without_bounds(hint: Any) -> Any:
    """The type that is bounded by `Annotated`, wherever that stands in it."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return without_bounds(parts[0])
    if origin in (typing.Union, UnionType):
        return functools.reduce(operator.or_, map(without_bounds, parts))
    return origin[tuple(map(without_bounds, parts))] if origin in (list, dict) else hint


def type_name(hint: Any) -> str:
    """A type as it is written, without the names of modules, in a table's cell."""
    text = hint if isinstance(hint, str) else inspect.formatannotation(without_bounds(hint))
    return (
        "`" + re.sub(r"\b(?:\w+\.)+", "", text).replace("ForwardRef('", "").replace("')", "").replace("|", "\\|") + "`"
    )


def default(value: Any) -> str:
    """A default in a table's cell."""
    if value is attrs.NOTHING:
        return ""
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        value = value.factory()
    if isinstance(value, MappingProxyType):
        value = dict(value)
    if isinstance(value, type):
        return f"`{value.__name__}`"
    return f"`{value}`" if isinstance(value, Enum) else f"`{value!r}`"


def signature(function: Callable[..., Any]) -> str:
    """A function's heading, short names only."""
    text = str(inspect.signature(function)).replace("self, ", "").replace("(self)", "()")
    short = re.sub(r"(?<![\w.])(?:[a-z_]+[.])+(?=[A-Za-z])", "", text)
    for union in ("Outcome", "Observation", "Finding"):
        short = short.replace(" | ".join(one.__name__ for one in typing.get_args(getattr(plugins, union))), union)
    return (
        f"`{function.__name__}{short}`".replace("'Completed'", "Completed").replace("'World'", "World").replace("~", "")
    )


def members(cls: type) -> Iterator[str]:
    """Attributes, properties and methods of a class, those that are inherited left out."""
    meaning, hints = comments(cls), typing.get_type_hints(cls)
    named = [name for name in hints if name in vars(cls) or name in getattr(cls, "__annotations__", {})]
    if named:
        rows = [
            [f"`{n}`", type_name(hints[n]), default(vars(cls).get(n, attrs.NOTHING)), meaning.get(n, "")] for n in named
        ]
        yield from [*table(["attribute", "type", "default", ""], rows), ""]
    for name, member in vars(cls).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            yield f"- `{name}`: {prose(member)}"
        elif inspect.isfunction(member) and member.__doc__:  # one without is its base's
            text = "\n".join(f"  {line}".rstrip() for line in prose(member).splitlines()).strip()
            yield f"- {signature(member)}\n\n  {text}\n"
    yield ""


def fields(cls: type) -> Iterator[str]:
    """The fields of a record."""
    meaning = comments(cls)
    if attrs.fields(cls):
        rows = [
            [f"`{field.name}`", type_name(field.type), default(field.default), meaning.get(field.name, "")]
            for field in attrs.fields(cls)
        ]
        yield from [*table(["field", "type", "default", ""], rows), ""]
    for name, member in vars(cls).items():
        public = not name.startswith("_")
        if public and isinstance(member, property):
            yield f"- `{name}`: {prose(member)}"
        elif public and inspect.isfunction(member):
            text = prose(member).replace("\n\n- raises", " Raises")
            yield f"- {signature(member)}: {text}"
    yield ""


def entry(name: str) -> Iterator[str]:
    """One name of jobmon.plugins."""
    thing = getattr(plugins, name)
    if inspect.isfunction(thing):
        yield from [f"### {name}", "", signature(thing), "", prose(thing), ""]
        return
    yield from [f"### {name}", ""]
    if not inspect.isclass(thing):
        yield from [*other(name, thing), ""]
        return
    yield from described(name, thing)


def described(name: str, thing: Any) -> Iterator[str]:
    """A class: what it is, and what it has."""
    yield from [prose(thing), ""]
    if issubclass(thing, Enum):
        meaning = comments(thing)
        rows = [[f"`{member.name}`", f"`{member.value}`", meaning[member.name]] for member in thing]
        yield from [*table(["member", "value", ""], rows), ""]
    elif attrs.has(thing):
        yield from fields(thing)
    elif issubclass(thing, BaseException):
        if "__init__" in vars(thing):
            yield from [f"`{name}{str(inspect.signature(thing)).replace(' -> None', '')}`", ""]
    else:
        yield from members(thing)


def other(name: str, thing: Any) -> list[str]:
    """What is no class and no function."""
    if typing.get_args(thing):
        return [" or ".join(f"[{one.__name__}](#{one.__name__.lower()})" for one in typing.get_args(thing)) + "."]
    if name == "hookimpl":
        hook = hookspecs.jobmon_executor_types
        return [
            "Marks the one hook of a plugin's module, which an entry point of the group `jobmon.executors` names:",
            "",
            f"{signature(hook)}: {prose(hook)}",
        ]
    return [
        f"`{thing!r}`: the version of the contract that this Jobmon speaks. A type loads when the major number of its",
        "`api_version` is the same and the minor number is not above it.",
    ]


def sentences() -> Iterator[str]:
    """What the kit checks."""
    checks = [sentence_of(check) for _, check in inspect.getmembers(ExecutorConformance)]
    for area in Area:
        yield from [f"### Area {area}", ""]
        yield from sorted({f"- {one.text}" for one in checks if one is not None and one.area is area})
        yield ""


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for title, names in SECTIONS.items():
        lines += [f"## {title}", ""]
        for name in names:
            lines += entry(name)
    lines += ["## Errors that users see", "", "They are names of `jobmon`, and are told of one plugin alone.", ""]
    lines += [*table(["error", ""], [[f"`{e.__name__}`", prose(e)] for e in PLUGIN_ERRORS]), ""]
    lines += [
        "## The sentences of the contract",
        "",
        "As `jobmon.testing.ExecutorConformance` checks them.",
        "",
        *sentences(),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


def missing() -> Sequence[str]:
    """Public names without a place on the page."""
    return sorted(set(plugins.__all__) - {name for names in SECTIONS.values() for name in names})


if __name__ == "__main__":
    (HERE / "executor-reference.md").write_text(page(), encoding="utf-8")
