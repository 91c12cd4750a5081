"""Writes docs/testing-reference.md: `python docs/make_testing_reference.py`. A test holds both equal."""

import inspect
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from jobmon import testing

HERE = Path(__file__).resolve().parent
_parts = runpy.run_path(str(HERE / "make_reference.py"))
described, prose, signature = (_parts[name] for name in ("described", "prose", "signature"))

INTRODUCTION = """# Reference of the conformance kit

<!-- Made by docs/make_testing_reference.py from jobmon/testing; do not edit. -->

Every name here is imported from `jobmon.testing`, which needs `pip install 'jobmon[testing]'`. How it all goes
together: [the conformance kit](executors.md#the-conformance-kit).
"""
#: Sections of the page, what they begin with, and what stands in each, in order. Other names come last.
SECTIONS = {
    "The test class": ("", ["ExecutorConformance", "RealConformance"]),
    "Platforms": (
        "A platform object brings about what happens to a platform, for one test. Derive from the first that fits.",
        ["CommandPlatform", "Fake", "Answer", "LocalPlatform", "RealPlatform", "JobTable", "TableJob", "Platform"],
    ),
    "What a table of jobs answers when it does not": (
        "Raised by the doors of `JobTable`; `CommandPlatform` makes answers of them.",
        ["PlatformAway", "JobRefused", "ArrayTooLarge", "CancelRefused", "AnswerLost", "AnswerBroken"],
    ),
    "What is not checked": ("Called in methods of platform objects.", ["does_not_apply", "not_exercised"]),
    "What the summary says": ("", ["Area", "Level"]),
    "Workflows": ("For a test of your own that runs a workflow.", ["jobs_run_here"]),
    "What checks work with": (
        "For platform objects (`self.world`) and for tests of your own, with the fixture `world`.",
        ["World", "KitContext"],
    ),
}


def entry(name: str) -> Iterator[str]:
    """One name of jobmon.testing."""
    thing = getattr(testing, name)
    yield from [f"### {name}", ""]
    if inspect.isfunction(thing):
        yield from [signature(thing), "", prose(thing), ""]
    elif not inspect.isclass(thing):
        yield from [*alias(name, thing), ""]
    else:
        bases = [base.__name__ for base in thing.__bases__ if base.__name__ in testing.__all__]
        yield from [f"Derived from [{base}](#{base.lower()})." for base in bases]
        # The fixture is a function to older versions of pytest, and none to newer ones.
        yield from ["", *(line for line in described(name, thing) if not line.startswith("- `world("))]


def alias(name: str, thing: Any) -> list[str]:
    """A name for a type: the words above it in its module."""
    home: ModuleType = inspect.getmodule(testing.CommandPlatform) or testing
    words = re.search(rf"^#: (.*)\n{name} = (.*)$", inspect.getsource(home), re.MULTILINE)
    return [words[1], "", f"`{words[2]}`"] if words else [f"`{thing}`"]


def others() -> list[str]:
    """Public names without a place of their own on the page."""
    return sorted(set(testing.__all__) - {name for _, names in SECTIONS.values() for name in names})


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    sections = SECTIONS | ({"Other names": ("", others())} if others() else {})
    for title, (words, names) in sections.items():
        lines += [f"## {title}", "", words, ""]
        for name in names:
            lines += entry(name)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).rstrip() + "\n"


if __name__ == "__main__":
    (HERE / "testing-reference.md").write_text(page(), encoding="utf-8")
