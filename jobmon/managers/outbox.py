"""Reports that workers left behind: read before the platform is believed.

They could not send them while the server was away; or a signal from outside had ended the command, and the platform may
know why.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

import attrs
import msgspec

from jobmon.errors import InvalidRequest
from jobmon.requester import Requester
from jobmon.states.evidence import Sighting
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.decoding import Undecodable
from jobmon.wire.leases import Observation
from jobmon.wire.workers import FinishAttempts, FinishReport

_log = logging.getLogger(__name__)
#: What a worker cannot know of a signal that it received, and its platform can.
_BEHIND_SIGNALS = frozenset(
    {
        Reason.TIMEOUT,
        Reason.OUT_OF_MEMORY,
        Reason.PREEMPTED,
        Reason.NODE_FAILURE,
        Reason.CANCELLED,
        Reason.CANCELLED_BY_USER,
    }
)


@attrs.frozen
class LeftReport:
    """What a worker leaves: the body of the request, and whether its platform knows more of the end than it does."""

    worker_id: str
    reports: list[FinishReport]
    ended_from_outside: bool = False


def completed(report: FinishReport, seen: Observation) -> FinishReport:
    """The report of an end that came from outside, with the platform's reason; LOST where it has none, as nothing shows
    that the task is to blame: a controller that forgot a job, for instance, kills it and starts it a second time.
    """
    reason, said = Reason.LOST, seen.detail
    if seen.reason in _BEHIND_SIGNALS:
        reason = seen.reason
    elif seen.sighting is Sighting.ABSENT:
        said = "the platform does not have it any more"
    return attrs.evolve(report, reason=reason, detail="; ".join(text for text in (said, report.detail) if text) or None)


class Outbox:
    """The folder where workers leave such reports, one file per attempt."""

    def __init__(self, requester: Requester, folder: Path) -> None:
        self._requester, self._folder = requester, folder

    def deliver(self, gone: Iterable[Observation]) -> None:
        """Send the reports of these attempts that are there. A file that is no report is set aside, and said."""
        for seen in gone:
            path = self._folder / f"{seen.token}.json"
            try:
                left = msgspec.json.decode(path.read_bytes(), type=LeftReport)
                reports = [completed(r, seen) for r in left.reports] if left.ended_from_outside else left.reports
                answer = self._requester.call(routes.FINISH_ATTEMPTS, FinishAttempts(left.worker_id, reports))
                if answer.refused:
                    raise InvalidRequest("; ".join(problem.detail for problem in answer.refused))
            except FileNotFoundError:
                continue
            except (*Undecodable, InvalidRequest) as error:
                aside = path.with_suffix(".refused")
                path.replace(aside)
                _log.warning("a worker left a report that cannot be used (%s); it is kept as %s", error, aside)
            else:
                path.unlink(missing_ok=True)  # its worker may have got through at last, and removed it
