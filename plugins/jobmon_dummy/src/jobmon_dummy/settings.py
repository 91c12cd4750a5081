"""What `[executors.NAME]` of jobmon.toml may say of a dummy executor."""

from datetime import datetime

import attrs

from jobmon.plugins import Reason


def _share(_instance: object, field: "attrs.Attribute[float]", value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{field.name} = {value}: a share is between 0 and 1")


@attrs.frozen
class Settings:
    """The comment beside each field is its help; the type is checked by the host, validators check the rest."""

    seed: int = 0  #: another seed, other fates
    per_task: bool = False  #: draw a job's fate from its task's name, the same in every run, not anew for every attempt
    duration_s: float = attrs.field(default=0.0, validator=attrs.validators.ge(0))  #: how long a job takes
    duration_max_s: float | None = None  #: with this, anything between the two
    workers: int | None = None  #: how many jobs run at once; None: all
    failures: dict[Reason, float] = attrs.field(factory=dict)  #: share of jobs that end for each reason
    lost: float = attrs.field(default=0.0, validator=_share)  #: share of jobs that vanish from the platform
    refused: float = attrs.field(default=0.0, validator=_share)  #: share of submissions that are refused for good
    deferred: float = attrs.field(default=0.0, validator=_share)  #: share of submissions that are put off
    retry_after_s: float = 1.0  #: for how long
    uncertain: float = attrs.field(default=0.0, validator=_share)  #: share of submissions of which no answer comes
    uncertain_accepted: float = attrs.field(default=0.5, validator=_share)  #: share of those that the platform has
    outage_at: datetime | None = None  #: the platform does not answer from this instant, an aware one
    outage_for_s: float = 0.0  #: for so long

    def __attrs_post_init__(self) -> None:
        if sum(self.failures.values()) + self.lost > 1 or self.refused + self.deferred + self.uncertain > 1:
            raise ValueError("shares of one whole add up to more than 1")
        if self.duration_max_s is not None and self.duration_max_s < self.duration_s:
            raise ValueError(f"duration_max_s = {self.duration_max_s} is below duration_s = {self.duration_s}")
        if self.outage_at is not None and self.outage_at.tzinfo is None:
            raise ValueError(f"outage_at = {self.outage_at} has no time zone; write it like 2026-01-31T12:00:00Z")
