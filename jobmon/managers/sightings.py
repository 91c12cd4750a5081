"""An executor's observation as a message to the server."""

from collections.abc import Mapping

from jobmon.plugins import Absent, Exited, Observation, Pending, Running, Unknown
from jobmon.states.evidence import Sighting
from jobmon.wire import leases

_NO_USAGE: dict[str, float] = {}
_SIGHTINGS: Mapping[type, Sighting] = {
    Pending: Sighting.PENDING,
    Running: Sighting.RUNNING,
    Exited: Sighting.EXITED,
    Absent: Sighting.ABSENT,
    Unknown: Sighting.UNKNOWN,
}


def sighting_of(observation: object) -> Sighting:
    """Which sighting it is; UNKNOWN for what is no observation at all."""
    return _SIGHTINGS.get(type(observation), Sighting.UNKNOWN)


def to_wire(
    token: str, executor_job_id: str | None, observation: Observation, output: str | None = None
) -> leases.Observation:
    """The message that tells of it; `output` is the end of the platform's own output of the attempt."""
    if type(observation) is Exited:
        return leases.Observation(
            token,
            Sighting.EXITED,
            observation.reason,
            observation.status,
            observation.detail,
            dict(observation.usage) if observation.usage else _NO_USAGE,
            observation.result,
            executor_job_id,
            output,
            observation.signal,
            observation.host,
            observation.stdout_tail,
            observation.stderr_tail,
        )
    why = getattr(observation, "why", None)
    if isinstance(observation, Absent):
        why = f"as of {observation.as_of:%Y-%m-%d %H:%M:%S} UTC" + (f": {why}" if why else "")
    return leases.Observation(
        token, sighting_of(observation), None, None, why, _NO_USAGE, None, executor_job_id, output
    )
