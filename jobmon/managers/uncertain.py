"""Submissions of unknown outcome: what is to be recorded after the platform was asked for them."""

from collections.abc import Mapping, Sequence

from jobmon.managers.live import Attempt, Phase
from jobmon.plugins import Absent, CannotTell, Finding, Found
from jobmon.states.evidence import Sighting
from jobmon.wire.leases import Observation, Outcome, OutcomeKind


def settle(
    attempts: Sequence[Attempt], findings: Mapping[str, Finding], now_s: float, uncertain_after_s: float
) -> tuple[list[Outcome], list[Observation]]:
    """What to record of the attempts, of which those that were found become PLACED.

    The time until an attempt is given up begins with the first *answer* that could not settle it: while the platform
    does not answer at all, no time passes. A missing answer counts as CannotTell.
    """
    outcomes, observations = [], []
    for attempt in attempts:
        finding = findings.get(attempt.token)
        if isinstance(finding, Found):
            attempt.executor_job_id = finding.executor_job_id
            attempt.phase = Phase.PLACED
            attempt.unsettled_since_s = None
            outcomes.append(Outcome(attempt.token, OutcomeKind.ACCEPTED, finding.executor_job_id))
        elif isinstance(finding, Absent):
            why = f"its submission had no certain outcome; the platform has none (as of {finding.as_of:%H:%M:%S})"
            outcomes.append(Outcome(attempt.token, OutcomeKind.NEVER_ACCEPTED, None, why))
            if attempt.running:  # its worker won the start: the platform has lost what it had
                observations.append(Observation(attempt.token, Sighting.ABSENT))
        elif attempt.unsettled_since_s is None:
            attempt.unsettled_since_s = now_s
        elif now_s - attempt.unsettled_since_s >= uncertain_after_s and not attempt.running:
            last = f": {finding.why}" if isinstance(finding, CannotTell) else ""
            why = f"its submission had no certain outcome and could not be found for {uncertain_after_s:g} s{last}"
            outcomes.append(Outcome(attempt.token, OutcomeKind.REVOKED, None, why))
    return outcomes, observations
