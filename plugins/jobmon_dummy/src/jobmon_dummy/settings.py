"""What `[executors.NAME]` of jobmon.toml may say of a dummy executor."""

from datetime import datetime

import attrs

from jobmon.plugins import Reason, setting


def _share(_instance: object, field: "attrs.Attribute[float]", value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{field.name} = {value}: a share is between 0 and 1")


@attrs.frozen
class Settings:
    """`jobmon executors show` prints the help of each; the type is checked by the host, validators check the rest."""

    seed: int = setting(0, help="another seed, other fates")
    per_task: bool = setting(
        False, help="draw a job's fate from its task's name, the same in every run, not anew for every attempt"
    )
    duration_s: float = setting(0.0, validator=attrs.validators.ge(0), help="how long a job takes")
    duration_max_s: float | None = setting(None, help="with this, anything between the two")
    workers: int | None = setting(None, help="how many jobs run at once; none: all")
    failures: dict[Reason, float] = setting(factory=dict, help="share of jobs that end for each reason")
    lost: float = setting(0.0, validator=_share, help="share of jobs that vanish from the platform")
    refused: float = setting(0.0, validator=_share, help="share of submissions that are refused for good")
    deferred: float = setting(0.0, validator=_share, help="share of submissions that are put off")
    retry_after_s: float = setting(1.0, help="for how long a submission is put off")
    uncertain: float = setting(0.0, validator=_share, help="share of submissions of which no answer comes")
    uncertain_accepted: float = setting(0.5, validator=_share, help="share of those that the platform has")
    outage_at: datetime | None = setting(
        None, help="the platform does not answer from this instant, such as 2026-01-31T12:00:00Z"
    )
    outage_for_s: float = setting(0.0, help="for so long")

    def __attrs_post_init__(self) -> None:
        if sum(self.failures.values()) + self.lost > 1 or self.refused + self.deferred + self.uncertain > 1:
            raise ValueError("shares of one whole add up to more than 1")
        if self.duration_max_s is not None and self.duration_max_s < self.duration_s:
            raise ValueError(f"duration_max_s = {self.duration_max_s} is below duration_s = {self.duration_s}")
        if self.outage_at is not None and self.outage_at.tzinfo is None:
            raise ValueError(f"outage_at = {self.outage_at} has no time zone; write it like 2026-01-31T12:00:00Z")
