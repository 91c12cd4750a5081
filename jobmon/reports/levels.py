"""Which level follows from what the kit found out: bronze, silver, gold and platinum, as data and one judge."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import attrs

from jobmon.reports.records import Area, Findings, Level, Measurement, Outcome, Result, Tried

_ARRAYS = "test_an_array_is_one_submission_under_its_token"


@attrs.frozen
class Bound:
    """A figure that must have been measured."""

    name: str
    meaning: str
    at_most: float | None = None
    at_least: float | None = None
    of: str = ""  #: a check; where it does not apply, the bound does not either

    def keeps(self, value: float) -> bool:
        """Whether a value is within it."""
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)

    def __str__(self) -> str:
        word, limit = ("at most", self.at_most) if self.at_least is None else ("at least", self.at_least)
        return f"{self.name} ({self.meaning}) must be {word} {limit:g}"


@attrs.frozen
class Needs:
    """What a level needs beside the levels before it."""

    areas: tuple[Area, ...] = ()  #: hold, on whatever platform
    on_real: tuple[Area, ...] = ()  #: hold on the real platform, but for sentences that need a fault
    measured: tuple[Bound, ...] = ()


NEEDS: Mapping[Level, Needs] = MappingProxyType(
    {
        Level.BRONZE: Needs(areas=(Area.CORE,)),
        Level.SILVER: Needs(areas=(Area.ROBUSTNESS, Area.FIND)),
        Level.GOLD: Needs(
            areas=(Area.ARRAY, Area.USAGE, Area.REASONS),
            on_real=(Area.CORE, Area.ARRAY, Area.USAGE, Area.REASONS),
        ),
        Level.PLATINUM: Needs(
            measured=(
                Bound(
                    "array_ratio", "time that an array takes, in times of the platform's own", at_most=1.25, of=_ARRAYS
                ),
                Bound("chaos_hours", "hours of workflows under faults, without a flaw", at_least=24.0),
            )
        ),
    }
)
#: The figures that are read in a report.
MEASURED = frozenset(bound.name for needs in NEEDS.values() for bound in needs.measured)


@attrs.frozen
class Shortfall:
    """Something that keeps a type from a level."""

    level: Level
    what: str
    not_run: bool = False  #: only because this run left it out

    def __str__(self) -> str:
        return f"{self.level}: {self.what}"


def reached(findings: Findings) -> tuple[Level, ...]:
    """The levels that follow, from the lowest on."""
    return tuple(level for level in Level if not shortfalls(level, findings))


def shortfalls(level: Level, findings: Findings) -> list[Shortfall]:
    """What keeps a type from a level, the levels before it included; the lowest first. Empty: it is reached."""
    found: list[Shortfall] = []
    for lower in Level:
        found += _own(lower, findings)
        if lower is level:
            break
    return found


def combined(findings: Findings, *, real: bool = False) -> dict[str, Result]:
    """What is known of each check from all trials, or from those on the real platform."""
    worst = (Outcome.DOES_NOT_APPLY, Outcome.NOT_EXERCISED, Outcome.HOLDS, Outcome.BROKEN)
    known: dict[str, Result] = {}
    for trial in findings.trials:
        if real and trial.platform is not Tried.REAL:
            continue
        for result in trial.results:
            before = known.get(result.check)
            if before is None or worst.index(result.outcome) > worst.index(before.outcome):
                known[result.check] = result
    return known


def _own(level: Level, findings: Findings) -> list[Shortfall]:
    needs, known = NEEDS[level], combined(findings)
    found = _areas(level, needs.areas, known.values(), "")
    if needs.on_real:
        real = [one for one in combined(findings, real=True).values() if not one.sentence.fault]
        if real:
            found += _areas(level, needs.on_real, real, " on the real platform")
        else:
            found.append(Shortfall(level, "nothing was tried on the real platform"))
    for bound in needs.measured:
        if bound.of in known and known[bound.of].outcome is Outcome.DOES_NOT_APPLY:
            continue
        found += _measured(level, bound, findings.measurements)
    return found


def _areas(level: Level, areas: Sequence[Area], results: Iterable[Result], where: str) -> list[Shortfall]:
    found, results = [], list(results)
    for area in areas:
        own = [one for one in results if one.sentence.area is area]
        if not own:
            found.append(Shortfall(level, f"{area} was not exercised{where}"))
        broken = sum(one.outcome is Outcome.BROKEN for one in own)
        if broken:
            found.append(Shortfall(level, f"{_count(broken)} of {area} broken{where}"))
        idle = [one for one in own if one.outcome is Outcome.NOT_EXERCISED]
        if idle:
            left_out = all(one.not_run for one in idle)
            found.append(Shortfall(level, f"{_count(len(idle))} of {area} not exercised{where}", left_out))
    return found


def _count(number: int) -> str:
    return "1 sentence" if number == 1 else f"{number} sentences"


def _measured(level: Level, bound: Bound, measurements: Iterable[Measurement]) -> list[Shortfall]:
    values = [one.value for one in measurements if one.name == bound.name]
    if not values:
        return [Shortfall(level, f"{bound}, and was not measured")]
    wrong = [value for value in values if not bound.keeps(value)]
    return [Shortfall(level, f"{bound}, and is {wrong[0]:g}")] if wrong else []


def claim(findings: Findings) -> Level | None:
    """The highest level that a test class claims."""
    claims = [trial.claims for trial in findings.trials if trial.claims is not None]
    return max(claims, key=list(Level).index, default=None)


def refusals(findings: Findings) -> list[str]:
    """Why the claim does not hold: empty when it does, when there is none, or when a part of the kit alone was run."""
    claimed = claim(findings)
    short = [] if claimed is None else shortfalls(claimed, findings)
    return [f"{claimed} is claimed, and not reached; {one}" for one in short if not one.not_run]
