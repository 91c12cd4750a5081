"""The pytest plugin of the kit: says at the end which level each executor type reaches, and what keeps it from more.

Every run of pytest loads this (entry point group `pytest11`), so it imports nothing else before it is needed.
"""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

#: Real platforms are touched when this variable is set.
REAL = "JOBMON_REAL"
#: A check that was left out for one of these fails nothing by itself.
_NO_FAULT = ("does not apply", "not exercised: the test class is not set up")
MEASURED = "jobmon_measured"
_HELD = "jobmon_conformance"
_LEFT_OUT: pytest.StashKey[list[str]] = pytest.StashKey()
_RESULTS = "--conformance-results"
_EVIDENCE = "--conformance-evidence"
_MUTANT = "--conformance-mutant"
_REST = "--conformance-rest"
_RECORD = "--conformance-record"
_RECORDS = "test_a_life_on_the_real_platform_is_recorded"


def pytest_addoption(parser: Any) -> None:
    """Add the options by which `jobmon plugin check` gives evidence and hears of the results."""
    group = parser.getgroup("jobmon", "conformance of Jobmon's executor types")
    group.addoption(_RESULTS, metavar="FILE", type=Path, help="keep what is known so far in this file, as JSON")
    group.addoption(_EVIDENCE, metavar="FILE", type=Path, help="JSON with measurements that no run of the kit can make")
    group.addoption(_MUTANT, metavar="NAME", help="put this mutant of it in the place of each executor type")
    group.addoption(_RECORD, metavar="FILE", type=Path, help="record a short life on the real platform, and no more")
    group.addoption(_REST, action="store_true", help="run the checks that this mutant is not meant for")


def pytest_terminal_summary(terminalreporter: Any, config: Any) -> None:
    """Say which classes were left out."""
    for name in config.stash.get(_LEFT_OUT, []):
        terminalreporter.write_line(
            f"{name} was not run: it submits jobs to the real platform. Set {REAL}=1, or run jobmon plugin check --real"
        )


def pytest_configure(config: Any) -> None:
    """Begin to gather."""
    config.pluginmanager.register(_Gathering(config), "jobmon-gathering")


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Leave out real platforms unless they are asked for; note at each check, as a property, what it is about."""
    if not os.environ.get(REAL):
        left_out = [item for item in items if getattr(item.cls, "is_opt_in", False)]
        if left_out:
            items[:] = [item for item in items if not getattr(item.cls, "is_opt_in", False)]
            config.hook.pytest_deselected(items=left_out)
            config.stash[_LEFT_OUT] = sorted({item.cls.__name__ for item in left_out})
    _choose_recording(config, items)
    for item in items:
        if getattr(getattr(item, "function", None), "jobmon_holds", None) is not None:
            from jobmon.testing.results import about

            held = about(item)
            if held is not None:
                item.user_properties.append((_HELD, held))
    if config.getoption(_MUTANT):
        from jobmon.testing.mutating import mutate

        mutate(items, config.getoption(_MUTANT), rest=config.getoption(_REST))


def _choose_recording(config: Any, items: list[Any]) -> None:
    """Leave the one test that records, if it is asked for, and else all others."""
    records = [item for item in items if getattr(item, "originalname", "") == _RECORDS]
    if not config.getoption(_RECORD):
        items[:] = [item for item in items if item not in records]
        return
    if len(records) != 1:
        named = ", ".join(item.cls.__name__ for item in records) or "none"
        raise pytest.UsageError(f"one class derived from RealConformance can be recorded at a time; here: {named}")
    items[:] = records


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any) -> Generator[None, Any, Any]:
    """Let a check that was not exercised fail, where its class says that all of it can be."""
    report = yield
    held = dict(item.user_properties).get(_HELD)
    if held is not None and held["complete"] and report.skipped and not hasattr(report, "wasxfail"):
        why = str(report.longrepr[2]).removeprefix("Skipped: ")
        if not why.startswith(_NO_FAULT):
            report.outcome = "failed"
            report.longrepr = f"{why}; the class says complete = True"
    return report


class _Gathering:
    """The results of one session."""

    def __init__(self, config: Any) -> None:
        self._file: Path | None = config.getoption(_RESULTS)
        self._evidence: Path | None = config.getoption(_EVIDENCE)
        self._worker = hasattr(config, "workerinput")  # of pytest-xdist: its controller gathers
        self._results: Any = None

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep what came of a check, and what the kit measured."""
        properties = dict(report.user_properties)
        if self._worker or not {_HELD, MEASURED} & set(properties):
            return
        if self._results is None:
            from jobmon.testing.results import Results

            self._results = Results(self._evidence)
        if _HELD in properties:
            self._results.note(properties[_HELD], report)
        elif report.when == "call":
            self._results.measured(properties[MEASURED])
        if self._file is not None:
            from jobmon.reports.files import write_findings

            write_findings(self._file, self._results.by_type())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: Any, exitstatus: int) -> None:
        """Fail the session when a class claims a level that it does not reach."""
        if self._results is not None and exitstatus == pytest.ExitCode.OK:
            from jobmon.reports.levels import refusals

            if any(refusals(findings) for findings in self._results.by_type().values()):
                session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say what each type reaches."""
        if self._results is not None:
            from jobmon.testing.summary import summary

            terminalreporter.section("executor conformance")
            for line in summary(self._results.by_type()):
                terminalreporter.write_line(line)
