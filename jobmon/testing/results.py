"""What comes of the kit's sentences in one session of pytest, gathered for the summary and for reports."""

import inspect
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest

from jobmon.reports.files import one_line, read_evidence
from jobmon.reports.records import Area, Findings, Level, Measurement, Outcome, Result, Sentence, Trial, Tried
from jobmon.testing.conformance import ExecutorConformance
from jobmon.testing.sentences import DOES_NOT_APPLY, NOT_EXERCISED, sentence_of


@cache
def kit_sentences() -> dict[str, Sentence]:
    """The sentences of this kit by the names of their checks, area by area."""
    found = {name: sentence_of(check) for name, check in inspect.getmembers(ExecutorConformance)}
    held = {name: sentence for name, sentence in found.items() if sentence is not None}
    return dict(sorted(held.items(), key=lambda one: (list(Area).index(one[1].area), one[0])))


@attrs.frozen
class Subject:
    """A test class under which a check ran. It travels as plain values, also from the processes of pytest-xdist."""

    key: str
    name: str
    type: str
    platform: str
    claims: str
    complete: bool
    replaced: tuple[str, ...]  #: checks in whose places the class has tests of its own, which tell nothing


def about(item: Any) -> dict[str, Any] | None:
    """Which class and check an item of pytest is; None when it is none of the kit's own.

    Raises:
        pytest.UsageError: the class claims something that is no level.
    """
    cls, check = item.cls, getattr(item, "originalname", "")
    if item.function is not getattr(ExecutorConformance, check, None):
        return None
    claims = cls.claims or ""
    if claims not in ("", *Level):
        raise pytest.UsageError(f"{cls.__name__}.claims is {claims!r}; the levels are {', '.join(Level)}")
    tried = Tried.REAL if cls.real_platform else Tried.FAKE
    own = tuple(name for name in kit_sentences() if getattr(cls, name) is not getattr(ExecutorConformance, name))
    key, kind = item.parent.nodeid, _type_name(getattr(cls, "executor_type", None))
    subject = Subject(key, cls.__name__, kind, str(tried), str(claims), cls.complete, own)
    return attrs.asdict(subject) | {"check": check}


def _type_name(executor_type: object) -> str:
    """The name of a type, if the class has one that can be: the kit's first sentence tells when it has not."""
    name = getattr(executor_type, "name", None)
    return name if isinstance(name, str) and name.isidentifier() else "unnamed"


def reason(report: Any) -> str:
    """Why a check was skipped, or what it failed with."""
    if isinstance(report.longrepr, tuple):
        return one_line(str(report.longrepr[2]).removeprefix("Skipped: "))
    crash = getattr(report.longrepr, "reprcrash", None)
    return one_line(str(crash.message if crash else report.longrepr))


class Results:
    """The results of a session, class by class."""

    def __init__(self, evidence: Path | None = None) -> None:
        self._handed_in = () if evidence is None else read_evidence(evidence)
        self._subjects: dict[str, Subject] = {}
        self._results: dict[str, dict[str, Result]] = {}
        self._measured: dict[str, list[Measurement]] = {}

    def note(self, held: dict[str, Any], report: Any) -> None:
        """Keep what came of a check: its worst phase counts."""
        check = held["check"]
        subject = Subject(**{name: value for name, value in held.items() if name != "check"})
        self._subjects[subject.key] = subject
        checks = self._results.setdefault(subject.key, {})
        if report.when != "call" and report.passed:
            return
        if check not in checks or report.failed:
            checks[check] = Result(check, kit_sentences()[check], *_outcome(report))

    def measured(self, figure: dict[str, Any]) -> None:
        """Keep a figure that the kit has measured: an executor type, and the fields of a measurement."""
        type_name = figure.pop("type")
        self._measured.setdefault(type_name, []).append(Measurement(**figure))

    def by_type(self) -> dict[str, Findings]:
        """All of it, by executor type. What was not run is there, too."""
        types = dict.fromkeys(subject.type for subject in self._subjects.values())
        return {name: self._findings(name) for name in types}

    def _findings(self, type_name: str) -> Findings:
        trials = tuple(self._trial(one) for one in self._subjects.values() if one.type == type_name)
        return Findings(trials, (*self._measured.get(type_name, ()), *self._handed_in))

    def _trial(self, subject: Subject) -> Trial:
        known = self._results.get(subject.key, {})
        results = tuple(
            known.get(check) or _unknown(check, sentence, check in subject.replaced)
            for check, sentence in kit_sentences().items()
        )
        claims = Level(subject.claims) if subject.claims else None
        return Trial(subject.name, subject.type, Tried(subject.platform), claims, results)


def _unknown(check: str, sentence: Sentence, replaced: bool) -> Result:
    if replaced:
        return Result(check, sentence, Outcome.NOT_EXERCISED, "the class has a test of its own in its place")
    return Result(check, sentence, Outcome.NOT_EXERCISED, "not run", not_run=True)


def _outcome(report: Any) -> tuple[Outcome, str]:
    if report.passed:
        return Outcome.HOLDS, ""
    if report.failed:
        return Outcome.BROKEN, reason(report)
    if hasattr(report, "wasxfail"):
        return Outcome.BROKEN, one_line(f"it is expected to fail: {report.wasxfail}")
    why = reason(report)
    if why.startswith(DOES_NOT_APPLY):
        return Outcome.DOES_NOT_APPLY, why.removeprefix(DOES_NOT_APPLY)
    return Outcome.NOT_EXERCISED, why.removeprefix(NOT_EXERCISED)
