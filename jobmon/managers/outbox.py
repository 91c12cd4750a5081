"""Reports that workers could not send while the server was away: read before the platform is believed."""

import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec

from jobmon.errors import InvalidRequest
from jobmon.requester import Requester
from jobmon.wire import routes
from jobmon.wire.workers import FinishAttempts

_log = logging.getLogger(__name__)


class Outbox:
    """The folder where workers leave such reports, one file per attempt, which holds the body of the request."""

    def __init__(self, requester: Requester, folder: Path) -> None:
        self._requester, self._folder = requester, folder

    def deliver(self, tokens: Iterable[str]) -> None:
        """Send the reports of these attempts that are there. A file that is no report is set aside, and said."""
        for token in tokens:
            path = self._folder / f"{token}.json"
            try:
                report = msgspec.json.decode(path.read_bytes(), type=FinishAttempts)
                self._requester.call(routes.FINISH_ATTEMPTS, report)
            except FileNotFoundError:
                continue
            except (msgspec.DecodeError, InvalidRequest) as error:
                aside = path.with_suffix(".refused")
                path.replace(aside)
                _log.warning("a worker left a report that cannot be used (%s); it is kept as %s", error, aside)
            else:
                path.unlink(missing_ok=True)  # its worker may have got through at last, and removed it
