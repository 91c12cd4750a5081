"""The simulated platform: what happens to a job is a pure function of the settings and the job's name.

So the executor needs no memory: asked again, by whichever manager, it gives the same answer.
"""

from hashlib import blake2b

import attrs

from jobmon.plugins import Accepted, Deferred, Exited, Outcome, Reason, Rejected, Uncertain
from jobmon_dummy.settings import Settings

#: What the simulated programs exit with, where that reason has an exit status.
_STATUS = {Reason.EXIT_NONZERO: 1}


@attrs.frozen
class Fate:
    """How a job goes once the platform has it."""

    duration_s: float
    lost: bool = False  #: in the end the platform does not know it any more
    reason: Reason | None = None  #: why it fails; None: it succeeds

    def end(self) -> Exited:
        """What the platform says when it has ended."""
        if self.reason is None:
            return _SUCCESS
        return Exited(_STATUS.get(self.reason), self.reason, detail=f"simulated {self.reason}")


_SUCCESS = Exited(0)


def draw(settings: Settings, what: str, name: str) -> float:
    """A number from 0 up to 1 that depends on nothing but the seed, the question and the name."""
    digest = blake2b(f"{settings.seed} {what} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64


def executor_job_id(token: str) -> str:
    """The platform's id of a job. A real platform chooses its own, and uses it again one day."""
    return f"dummy-{token[1:]}"


def outcome_of(settings: Settings, token: str) -> Outcome:
    """What comes of submitting the token."""
    if not (settings.refused or settings.deferred or settings.uncertain):
        return Accepted(executor_job_id(token))
    share = draw(settings, "outcome", token)
    if share < settings.refused:
        return Rejected("simulated refusal")
    if share < settings.refused + settings.deferred:
        return Deferred("simulated queue is full", settings.retry_after_s)
    if share < settings.refused + settings.deferred + settings.uncertain:
        return Uncertain("simulated time-out of the submission")
    return Accepted(executor_job_id(token))


def has(settings: Settings, token: str) -> bool:
    """Whether the platform has a job of that token, supposing that it was submitted."""
    outcome = outcome_of(settings, token)
    if isinstance(outcome, Uncertain):
        return draw(settings, "arrived", token) < settings.uncertain_accepted
    return isinstance(outcome, Accepted)


def fate_of(settings: Settings, token: str, task_name: str) -> Fate:
    """How the job goes."""
    name = task_name if settings.per_task else token
    duration_s = settings.duration_s
    if settings.duration_max_s is not None:
        duration_s += draw(settings, "duration", name) * (settings.duration_max_s - settings.duration_s)
    if not (settings.lost or settings.failures):
        return Fate(duration_s)
    share = draw(settings, "fate", name)
    if share < settings.lost:
        return Fate(duration_s, lost=True)
    share -= settings.lost
    for reason, part in settings.failures.items():
        if share < part:
            return Fate(duration_s, reason=reason)
        share -= part
    return Fate(duration_s)
