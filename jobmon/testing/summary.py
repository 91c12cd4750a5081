"""What the kit says at the end of a run, for people."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from jobmon.reports.levels import reached, refusals, shortfalls
from jobmon.reports.records import Area, Findings, Level, Outcome, Result, Trial

_COUNTED = {
    Outcome.HOLDS: "hold",
    Outcome.BROKEN: "broken",
    Outcome.NOT_EXERCISED: "not exercised",
    Outcome.DOES_NOT_APPLY: "do not apply",
}


def summary(types: Mapping[str, Findings]) -> Iterator[str]:
    """The lines of the summary."""
    for type_name, findings in types.items():
        for trial in findings.trials:
            yield from _trial(trial)
        yield from _levels(type_name, findings)


def _trial(trial: Trial) -> Iterator[str]:
    where = "its real platform" if trial.platform == "real" else "a fake of its platform"
    yield f"{trial.name} ({trial.type}) on {where}"
    for area in Area:
        yield f"  {area:<11}{verdict([one for one in trial.results if one.sentence.area is area])}"
    for one in trial.results:
        if one.outcome is Outcome.BROKEN:
            yield f'  broken ({one.sentence.area}): "{one.sentence.text}"  {one.check}'
    for outcome in (Outcome.NOT_EXERCISED, Outcome.DOES_NOT_APPLY):
        whys = Counter(one.why for one in trial.results if one.outcome is outcome)
        yield from (f"  {outcome}: {why}" + (f" ({n} sentences)" if n > 1 else "") for why, n in whys.items())


def verdict(results: Sequence[Result]) -> str:
    """What is known of one area: it holds when something does, nothing is broken, and no check was left out."""
    counts = Counter(one.outcome for one in results)
    said = ", ".join(f"{counts[outcome]} {word}" for outcome, word in _COUNTED.items() if counts[outcome])
    if counts[Outcome.BROKEN]:
        return f"BROKEN  {said}"
    if counts[Outcome.NOT_EXERCISED] or not results:
        return f"not exercised in full  {said}" if counts[Outcome.HOLDS] else "not exercised"
    return f"holds  {said}" if counts[Outcome.HOLDS] else "does not apply"


def _levels(type_name: str, findings: Findings) -> Iterator[str]:
    levels = reached(findings)
    yield f"{type_name} reaches {levels[-1] if levels else 'no level'}"
    beyond = [level for level in Level if level not in levels]
    if beyond:
        yield from (f"  not {short}" for short in shortfalls(beyond[0], findings))
    yield from (f"  CLAIM REFUSED: {why}" for why in refusals(findings))
