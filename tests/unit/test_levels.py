"""Which level follows from what the kit found out."""

import attrs
import pytest

from jobmon.reports.levels import NEEDS, reached, refusals, shortfalls
from jobmon.reports.records import Area, Findings, Level, Measurement, Outcome, Result, Sentence, Trial, Tried

HOLDS, BROKEN, IDLE, NONE = Outcome
ARRAYS = "test_an_array_is_one_submission_under_its_token"
MEASURED = (Measurement("array_ratio", 1.25, "by hand"), Measurement("chaos_hours", 24.0, "by hand"))


def results(**outcomes: Outcome) -> tuple[Result, ...]:
    """A result of each area; `core=BROKEN` says what came of one. The one of arrays is about arrays."""
    return tuple(
        Result(ARRAYS if area is Area.ARRAY else f"test_{area}", Sentence(area, "It does."), outcomes.get(area, HOLDS))
        for area in Area
    )


def trial(platform: Tried = Tried.REAL, claims: Level | None = None, **outcomes: Outcome) -> Trial:
    return Trial("TestIt", "it", platform, claims, results(**outcomes))


def test_every_area_is_needed_by_some_level_and_every_level_needs_something() -> None:
    assert {area for needs in NEEDS.values() for area in needs.areas} == set(Area)
    assert list(NEEDS) == list(Level)
    assert all(needs.areas or needs.measured for needs in NEEDS.values())


def test_all_that_holds_on_a_fake_is_silver_and_on_the_real_platform_gold() -> None:
    assert reached(Findings((trial(Tried.FAKE),))) == (Level.BRONZE, Level.SILVER)
    assert reached(Findings((trial(),))) == (Level.BRONZE, Level.SILVER, Level.GOLD)
    assert reached(Findings((trial(),), MEASURED)) == tuple(Level)


@pytest.mark.parametrize("outcome", [BROKEN, IDLE])
@pytest.mark.parametrize(
    ("area", "best"),
    [("core", None), ("robustness", "bronze"), ("find", "bronze"), ("array", "silver"), ("usage", "silver")],
)
def test_what_is_broken_or_not_exercised_ends_at_the_level_before(
    area: str, best: str | None, outcome: Outcome
) -> None:
    levels = reached(Findings((trial(**{area: outcome}),), MEASURED))
    assert (levels[-1] if levels else None) == best


def test_what_does_not_apply_stops_no_level() -> None:
    findings = Findings((trial(usage=NONE, reasons=NONE, array=NONE),), MEASURED[1:])
    assert reached(findings) == tuple(Level), "without arrays, none can be timed"


def test_nothing_tried_reaches_nothing() -> None:
    assert reached(Findings()) == ()
    assert reached(Findings((attrs.evolve(trial(), results=()),), MEASURED)) == ()


@pytest.mark.parametrize(("name", "value"), [("array_ratio", 1.26), ("chaos_hours", 23.9)])
def test_a_measurement_out_of_bounds_is_no_platinum(name: str, value: float) -> None:
    bad = [attrs.evolve(one, value=value) if one.name == name else one for one in MEASURED]
    findings = Findings((trial(),), tuple(bad))
    assert reached(findings)[-1] == "gold"
    assert [str(one) for one in shortfalls(Level.PLATINUM, findings)] == [
        f"platinum: {next(str(b) for b in NEEDS[Level.PLATINUM].measured if b.name == name)}, and is {value:g}"
    ]


def test_what_a_fake_exercises_and_the_real_platform_cannot_counts_unless_it_must_be_real() -> None:
    fake, real = trial(Tried.FAKE), trial(robustness=IDLE, find=IDLE)
    assert reached(Findings((fake, real)))[-1] == "gold"
    assert reached(Findings((fake, trial(robustness=IDLE, usage=IDLE))))[-1] == "silver"
    assert reached(Findings((fake, trial(robustness=BROKEN))))[-1] == "bronze", "a fake outvotes no broken sentence"


def test_a_sentence_that_needs_a_fault_may_be_held_by_a_fake() -> None:
    def with_fault(outcome: Outcome) -> tuple[Result, ...]:
        return (*results(), Result("test_lost", Sentence(Area.ARRAY, "It is found.", fault=True), outcome))

    fake = attrs.evolve(trial(Tried.FAKE), results=with_fault(HOLDS))
    real = attrs.evolve(trial(), results=with_fault(IDLE))
    assert reached(Findings((fake, real)))[-1] == "gold"
    assert reached(Findings((real,)))[-1] == "silver", "nobody has tried it"


def test_a_claim_is_refused_at_what_is_missing_and_a_smaller_one_is_not() -> None:
    assert refusals(Findings((trial(claims=Level.GOLD, usage=IDLE),))) == [
        "gold is claimed, and not reached; gold: 1 sentence of usage not exercised",
        "gold is claimed, and not reached; gold: 1 sentence of usage not exercised on the real platform",
    ]
    assert refusals(Findings((trial(claims=Level.SILVER, usage=IDLE),))) == []
    assert refusals(Findings((trial(usage=IDLE),))) == [], "nothing is claimed"


def test_a_claim_is_not_judged_by_what_was_left_out_of_a_run_but_by_what_is_broken_in_it() -> None:
    left_out = [attrs.evolve(one, outcome=IDLE, not_run=True) for one in results()]
    part = attrs.evolve(trial(claims=Level.SILVER), results=tuple(left_out))
    assert reached(Findings((part,))) == ()
    assert refusals(Findings((part,))) == []
    broken = attrs.evolve(part, results=(*left_out[1:], attrs.evolve(left_out[0], outcome=BROKEN, not_run=False)))
    assert refusals(Findings((broken,))) == ["silver is claimed, and not reached; bronze: 1 sentence of core broken"]
