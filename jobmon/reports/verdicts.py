"""What became of a mutant that an author's conformance tests met."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import attrs

from jobmon.reports.records import Findings, Outcome


class Fate(StrEnum):
    """What the tests made of a mutant."""

    CAUGHT = "caught"
    LET_THROUGH = "let through"
    DOES_NOT_APPLY = "does not apply"
    NOT_JUDGED = "not judged"


@attrs.frozen
class Verdict:
    """A fate and its reason: the check that caught it, or why none could."""

    fate: Fate
    why: str = ""


def verdict(findings: Findings | None, checks: Sequence[str]) -> Verdict:
    """What these checks made of a mutant; without findings, nothing is known."""
    if findings is None:
        return Verdict(Fate.NOT_JUDGED, "the tests did not come to their end")
    met = [one for trial in findings.trials for one in trial.results if one.check in checks]
    for one in met:
        if one.outcome is Outcome.BROKEN:
            return Verdict(Fate.CAUGHT, one.check)
    if met and all(one.outcome is Outcome.DOES_NOT_APPLY for one in met):
        return Verdict(Fate.DOES_NOT_APPLY, _first(one.why for one in met))
    if any(one.outcome is Outcome.HOLDS for one in met):
        return Verdict(Fate.LET_THROUGH)
    return Verdict(
        Fate.LET_THROUGH, "not exercised: " + _first(o.why for o in met if o.outcome is Outcome.NOT_EXERCISED)
    )


def _first(whys: Iterable[str]) -> str:
    return next(iter(whys), "not run")
