"""What a report of the conformance kit holds."""

from datetime import datetime
from enum import StrEnum

import attrs

SCHEMA = 1


class Area(StrEnum):
    """A part of the contract: sentences that belong together."""

    CORE = "core"  #: submits, observes, cancels, and lives on after a restart
    ARRAY = "array"  #: many attempts in one call
    FIND = "find"  #: finds submissions of unknown outcome
    USAGE = "usage"  #: tells what an attempt used
    REASONS = "reasons"  #: tells why an attempt ended
    ROBUSTNESS = "robustness"  #: keeps the contract while its platform does not


class Level(StrEnum):
    """How far an executor type can be relied on. Each level includes those before it; see `levels.NEEDS`."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


class Outcome(StrEnum):
    """What came of the check of one sentence."""

    HOLDS = "holds"
    BROKEN = "broken"
    NOT_EXERCISED = "not exercised"  #: nothing is known of it
    DOES_NOT_APPLY = "does not apply"  #: it is about something that the type does not do, or its platform cannot


class Tried(StrEnum):
    """What the kit ran the executor on."""

    FAKE = "fake"  #: something that stands for the platform
    REAL = "real"  #: the platform itself


@attrs.frozen
class Sentence:
    """A sentence of the contract."""

    area: Area
    text: str
    #: It needs a fault, which a real platform shows when it likes: there, a fake may stand for it.
    fault: bool = False


@attrs.frozen
class Result:
    """What came of one check."""

    check: str
    sentence: Sentence
    outcome: Outcome
    why: str = ""  #: why it was not exercised, does not apply, or is broken
    not_run: bool = False  #: not exercised because it was left out of this run


@attrs.frozen
class Trial:
    """One test class and what came of every sentence of the kit."""

    name: str
    type: str
    platform: Tried
    claims: Level | None
    results: tuple[Result, ...]


@attrs.frozen
class Measurement:
    """A figure that no run of minutes can give, or that only the real platform can."""

    name: str
    value: float
    how: str  #: by whom, when, with what
    handed_in: bool = False  #: by the report's maker; else the kit measured it


@attrs.frozen
class Findings:
    """What one run of the kit found out."""

    trials: tuple[Trial, ...] = ()
    measurements: tuple[Measurement, ...] = ()


@attrs.frozen
class Report:
    """What the kit found out about one version of an executor type."""

    schema: int
    type: str
    distribution: str
    version: str
    jobmon: str  #: the version of Jobmon, and so of the kit
    contract: str
    python: str
    made_at: datetime  #: aware
    levels: tuple[Level, ...]  #: that are reached
    claims: Level | None
    refused: tuple[str, ...]  #: why the claim does not hold, a sentence each
    problems: tuple[str, ...]  #: what kept the kit from doing all that it was asked to, a sentence each
    findings: Findings
