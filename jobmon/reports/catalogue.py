"""A page of executor types, made of reports alone. They may come from anybody: nothing in them is taken for markup."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import attrs

from jobmon.reports.levels import reached, shortfalls
from jobmon.reports.records import Findings, Level, Outcome, Report, Result, Sentence, Trial

_INTRODUCTION = """\
# Executor types

Made of reports of the conformance kit by `jobmon plugin catalogue`. A report is what its maker says; to see for
yourself, run `jobmon plugin check NAME --tests FILE`. The level is not the one that a report names: it follows from
what the report says of each sentence of the kit of this Jobmon.
"""
_COLUMNS = ("type", "distribution", "version", "level", "tried on", "Jobmon", "contract", "Python", "made")


def page(reports: Sequence[Report], refused: Mapping[str, str], sentences: Mapping[str, Sentence]) -> str:
    """The page in Markdown.

    Args:
        reports: those that can be read; of several on one version of a type the newest counts.
        refused: file -> why its report cannot be used.
        sentences: those of the kit by check, by which all reports are judged.
    """
    newest: dict[tuple[str, str, str], Report] = {}
    for report in sorted(reports, key=lambda one: one.made_at):
        newest[report.type, report.distribution, report.version] = report
    shown = sorted(newest.values(), key=lambda one: (one.type, one.distribution, one.version))
    lines = [_INTRODUCTION, _row(_COLUMNS), _row(["---"] * len(_COLUMNS))]
    judged = [(report, by_todays_kit(report.findings, sentences)) for report in shown]
    lines += [_row(_cells(report, findings)) for report, findings in judged]
    for report, findings in judged:
        lines += ["", f"## {_code(report.type)} of {_code(report.distribution)} {_code(report.version)}", ""]
        lines += _details(report, findings)
    if refused:
        lines += ["", "## Not used", "", *(f"- {escape(file)}: {escape(why)}" for file, why in refused.items())]
    return "\n".join(lines) + "\n"


def by_todays_kit(findings: Findings, sentences: Mapping[str, Sentence]) -> Findings:
    """What findings say of the sentences of this kit. What they do not have was not run."""
    return attrs.evolve(findings, trials=tuple(_retried(trial, sentences) for trial in findings.trials))


def _retried(trial: Trial, sentences: Mapping[str, Sentence]) -> Trial:
    known = {one.check: one for one in trial.results}
    results = [
        attrs.evolve(known[check], sentence=sentence)
        if check in known
        else Result(check, sentence, Outcome.NOT_EXERCISED, "the report does not have it", not_run=True)
        for check, sentence in sentences.items()
    ]
    return attrs.evolve(trial, results=tuple(results))


def _cells(report: Report, findings: Findings) -> Iterator[str]:
    levels = reached(findings)
    yield from map(_code, (report.type, report.distribution, report.version))
    yield str(levels[-1]) if levels else "none"
    yield ", ".join(sorted({str(trial.platform) for trial in findings.trials})) or "nothing"
    yield from map(_code, (report.jobmon, report.contract, report.python))
    yield f"{report.made_at:%Y-%m-%d}"


def _details(report: Report, findings: Findings) -> Iterator[str]:
    levels = reached(findings)
    if levels != report.levels:
        named = report.levels[-1] if report.levels else "none"
        yield f"- The report names the level {named}, which does not follow by this kit from what it says."
    if report.claims is not None and report.claims not in levels:
        yield f"- It claims {report.claims}, which is not reached."
    beyond = [level for level in Level if level not in levels]
    if beyond:
        yield from (f"- not {short}" for short in shortfalls(beyond[0], findings))
    for measurement in findings.measurements:
        origin = "handed in" if measurement.handed_in else "measured by the kit"
        yield f"- {escape(measurement.name)} = {measurement.value:g} ({origin}): {escape(measurement.how)}"
    yield from (f"- {escape(problem)}" for problem in (*report.problems, *report.refused))
    for outcome in (Outcome.BROKEN, Outcome.NOT_EXERCISED, Outcome.DOES_NOT_APPLY):
        whys = Counter(one.why for trial in findings.trials for one in trial.results if one.outcome is outcome)
        yield from (f"- {outcome}: {escape(why)}" + (f" ({n} sentences)" if n > 1 else "") for why, n in whys.items())


def escape(text: str) -> str:
    """A text that Markdown and HTML show as it is, whatever it holds."""
    return "".join(c if c.isalnum() or c in " ,;-/'()" or not c.isascii() else f"&#{ord(c)};" for c in text)


def _code(name: str) -> str:
    """A name or version, which files.read has held to characters that need no escape in code."""
    return f"`{name}`"


def _row(cells: Sequence[str] | Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"
