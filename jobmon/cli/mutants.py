"""`jobmon plugin check --mutants`: which small faults of a type do its own tests let through?"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobmon.cli.conformance import kit_listing, run_pytest
from jobmon.cli.exits import Exit

if TYPE_CHECKING:
    from jobmon.reports.records import Findings
    from jobmon.reports.verdicts import Verdict


def try_mutants(name: str, tests: Sequence[Path], within_s: float) -> int:
    """Try all mutants of a type, and say what became of each; 1 when some got through, or could not be judged."""
    from jobmon.plugins.registry import Registry
    from jobmon.reports.verdicts import Fate

    Registry().load(name)
    mutants, until = kit_listing()["mutants"], time.monotonic() + within_s
    click.echo(f"the tests on {name} itself ...")
    right = _run(name, tests, [], until)
    if wrong := _wrong(name, right):
        click.echo(wrong, err=True)
        return Exit.FAILED
    verdicts = []
    for number, one in enumerate(mutants, 1):
        verdict = _judge(name, tests, one, right, until)
        verdicts.append((one, verdict))
        why = f"  ({verdict.why})" if verdict.why else ""
        click.echo(f"[{number:2}/{len(mutants)}] {verdict.fate:<15} {one['what']}{why}")
    for one, verdict in verdicts:
        if verdict.fate is Fate.LET_THROUGH:
            click.echo(f"\nLET THROUGH: an executor that {one['what']}.")
            click.echo(
                f"  Your fake never {one['fake']}{' (' + verdict.why + ')' if verdict.why else ''}: let {one['add']}."
            )
    counts = {fate: sum(verdict.fate is fate for _, verdict in verdicts) for fate in Fate}
    click.echo("\n" + ", ".join(f"{count} {fate}" for fate, count in counts.items() if count))
    return Exit.FAILED if counts[Fate.LET_THROUGH] or counts[Fate.NOT_JUDGED] else Exit.OK


def _judge(name: str, tests: Sequence[Path], one: dict[str, Any], right: "Findings | None", until: float) -> "Verdict":
    """What becomes of a mutant: by the checks that should catch it, then by all others up to the first that does."""
    from jobmon.reports.verdicts import Fate, Verdict, verdict

    unwrapped = verdict(right, one["caught_by"])
    for known in (unwrapped, verdict(right, [one["as_far_as"]])):
        if known.fate is Fate.DOES_NOT_APPLY:
            return known
    if time.monotonic() >= until:
        return Verdict(Fate.NOT_JUDGED, "the time is over: --within SECONDS gives more")
    option = ["--conformance-mutant", one["name"], "-x"]
    first = unwrapped if unwrapped.why else verdict(_run(name, tests, option, until), one["caught_by"])
    if first.fate is not Fate.LET_THROUGH:
        return first
    others = _run(name, tests, [*option, "--conformance-rest"], until)
    if others is None:
        return Verdict(Fate.NOT_JUDGED, "the tests did not come to their end")
    checks = {result.check for trial in others.trials for result in trial.results}
    then = verdict(others, sorted(checks))
    return then if then.fate is Fate.CAUGHT else first


def _run(name: str, tests: Sequence[Path], options: Sequence[str], until: float) -> "Findings | None":
    """What the tests find out about the type; None: they did not come to their end."""
    from jobmon.reports.files import read_findings

    with tempfile.TemporaryDirectory(prefix="jobmon-mutants-") as folder:
        results = Path(folder) / "results.json"
        options = ["--conformance-results", str(results), *options]
        left_s = max(0.0, until - time.monotonic())
        status = run_pytest(Path(folder), tests, options, limit_s=left_s, quiet=True)
        return read_findings(results).get(name) if status in (0, 1) and results.exists() else None


def _wrong(name: str, findings: "Findings | None") -> str:
    """Why no mutant can be tried; empty: they can."""
    from jobmon.reports.records import Outcome

    if findings is None:
        return f"{name}: its tests did not come to their end, or do not try it; run them without --mutants first"
    broken = [one.check for trial in findings.trials for one in trial.results if one.outcome is Outcome.BROKEN]
    return f"{name}: the type itself breaks a sentence; mend it first: {', '.join(broken)}" if broken else ""
