"""The kit that tests executor plugins; installed with `jobmon[testing]`.

Derive a test class from `ExecutorConformance` and run pytest; its summary says which levels the type reaches.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobmon.reports.records import Area, Level
    from jobmon.testing.command_platform import Answer, CommandPlatform, Fake
    from jobmon.testing.conformance import ExecutorConformance
    from jobmon.testing.context import KitContext
    from jobmon.testing.here import jobs_run_here
    from jobmon.testing.job_table import (
        AnswerBroken,
        AnswerLost,
        ArrayTooLarge,
        CancelRefused,
        JobRefused,
        JobTable,
        PlatformAway,
        TableJob,
    )
    from jobmon.testing.local_platform import LocalPlatform
    from jobmon.testing.platform import Platform
    from jobmon.testing.real_conformance import RealConformance
    from jobmon.testing.real_platform import RealPlatform
    from jobmon.testing.sentences import does_not_apply, not_exercised
    from jobmon.testing.world import World

#: Names and their modules, which are imported when first used: the summary's plugin is loaded by every pytest.
_HOMES = {
    "Answer": "command_platform",
    "AnswerBroken": "job_table",
    "AnswerLost": "job_table",
    "Area": "sentences",
    "ArrayTooLarge": "job_table",
    "CancelRefused": "job_table",
    "CommandPlatform": "command_platform",
    "ExecutorConformance": "conformance",
    "Fake": "command_platform",
    "JobRefused": "job_table",
    "JobTable": "job_table",
    "KitContext": "context",
    "Level": "conformance",
    "LocalPlatform": "local_platform",
    "Platform": "platform",
    "PlatformAway": "job_table",
    "RealConformance": "real_conformance",
    "RealPlatform": "real_platform",
    "TableJob": "job_table",
    "World": "world",
    "does_not_apply": "sentences",
    "jobs_run_here": "here",
    "not_exercised": "sentences",
}

__all__ = [
    "Answer",
    "AnswerBroken",
    "AnswerLost",
    "Area",
    "ArrayTooLarge",
    "CancelRefused",
    "CommandPlatform",
    "ExecutorConformance",
    "Fake",
    "JobRefused",
    "JobTable",
    "KitContext",
    "Level",
    "LocalPlatform",
    "Platform",
    "PlatformAway",
    "RealConformance",
    "RealPlatform",
    "TableJob",
    "World",
    "does_not_apply",
    "jobs_run_here",
    "not_exercised",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"jobmon.testing.{_HOMES[name]}"), name)
