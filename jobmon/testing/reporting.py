"""The pytest plugin of the kit: says at the end which levels each executor type reaches, and what keeps it from more.

Every run of pytest loads this (entry point group `pytest11`), so it imports nothing else.
"""

from typing import Any

import pytest

_PROPERTY = "jobmon_conformance"
_ORDER = ("core", "array", "find", "usage", "reasons", "robustness")
#: A check that was left out for one of these fails nothing by itself.
_NO_FAULT = ("does not apply", "not exercised: the test class is not set up")
_results: dict[str, dict[str, tuple[str, str, str, str]]] = {}  #: class: check: (level, sentence, outcome, why)


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Note at each check, as a property of its report, which sentence it holds."""
    for item in items:
        held = getattr(getattr(item, "function", None), "jobmon_holds", None)
        if held is not None:
            cls = getattr(item.cls, "executor_type", None)
            who = f"{item.cls.__name__} ({getattr(cls, 'name', 'no executor type')})"
            item.user_properties.append((_PROPERTY, [who, item.originalname, str(held.area), held.text]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Any) -> Any:
    """Let a check that was not exercised fail, where its class says that all of it can be."""
    report = yield
    checked = getattr(getattr(item, "function", None), "jobmon_holds", None) is not None and item.cls.complete
    if checked and report.skipped and not _why(report).startswith(_NO_FAULT):
        report.outcome = "failed"
        report.longrepr = f"{_why(report)}; the class says complete = True"
    return report


def pytest_runtest_logreport(report: Any) -> None:
    """Keep what came of a check: its worst phase counts."""
    held = dict(report.user_properties).get(_PROPERTY)
    if held is None or (report.when != "call" and report.passed):
        return
    who, check, level, text = held
    why = _why(report) if report.skipped else ""
    checks = _results.setdefault(who, {})
    if check not in checks or report.failed:
        checks[check] = (level, text, report.outcome, why)


def _why(report: Any) -> str:
    return str(report.longrepr[2]).removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what each type reaches."""
    if _results:
        terminalreporter.section("executor conformance")
        for line in summary(_results):
            terminalreporter.write_line(line)
    _results.clear()


def summary(results: dict[str, dict[str, tuple[str, str, str, str]]]) -> list[str]:
    """The lines of the summary."""
    lines: list[str] = []
    for who, checks in results.items():
        lines.append(who)
        lines.extend(f"  {level:<11}{_verdict([c for c in checks.values() if c[0] == level])}" for level in _ORDER)
        lines.extend(_details(checks))
    return lines


def _verdict(checks: list[tuple[str, str, str, str]]) -> str:
    """What is known of one level: it is reached when something holds, nothing is broken, and no check was left out."""
    passed = sum(outcome == "passed" for _, _, outcome, _ in checks)
    failed = sum(outcome == "failed" for _, _, outcome, _ in checks)
    idle = sum(outcome == "skipped" and not why.startswith("does not apply") for _, _, outcome, why in checks)
    counts = f"{passed} sentences hold" + (f", {failed} broken" if failed else "")
    counts += f", {idle} not exercised" if idle else ""
    other = len(checks) - passed - failed - idle
    counts += f", {other} do not apply" if other else ""
    if failed:
        return f"NOT REACHED  {counts}"
    if idle or not checks:
        return f"not exercised in full  {counts}" if passed else "not exercised"
    return f"reached  {counts}" if passed else "does not apply"


def _details(checks: dict[str, tuple[str, str, str, str]]) -> list[str]:
    lines = []
    for check, (level, text, outcome, _) in checks.items():
        if outcome == "failed":
            lines.append(f'  broken ({level}): "{text}"  {check}')
    for outcome_word in ("not exercised", "does not apply"):
        whys: dict[str, int] = {}
        for _, _, outcome, why in checks.values():
            if outcome == "skipped" and why.startswith(outcome_word):
                whys[why] = whys.get(why, 0) + 1
        lines.extend(f"  {why}" + (f" ({count} sentences)" if count > 1 else "") for why, count in whys.items())
    return lines
