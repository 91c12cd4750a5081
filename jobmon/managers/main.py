"""The manager as a process of its own."""

import logging
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from jobmon.config.named import NamedExecutor
from jobmon.errors import JobmonError, Superseded
from jobmon.managers.ahead import SUPERSEDED
from jobmon.managers.job_instance_manager import JobInstanceManager
from jobmon.managers.standing_manager import StandingManager
from jobmon.requester import Requester

DONE, FAILED = 0, 1  #: exit statuses, beside that of `ahead`
_log = logging.getLogger(__name__)


def run_manager(workflow_id: int | None, executors: Sequence[NamedExecutor], requester: Requester) -> int:
    """Serve the executors until the workflow needs them no more, without a workflow for all and ever; the exit status.

    The first SIGTERM or SIGINT stops politely, with the leases released; a second one ends at once. Attempts on the
    platforms live on either way.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(threadName)s: %(message)s"
    )
    manager: JobInstanceManager | StandingManager
    if workflow_id is None:
        manager, whom = StandingManager(executors, requester=requester), "every workflow"
    else:
        manager, whom = JobInstanceManager(workflow_id, executors, requester=requester), f"workflow {workflow_id}"
    presses = 0

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses == 1:
            manager.stop()
        else:
            requester.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    names = ", ".join(f"{named.name} ({named.cls.name})" for named in executors)
    _log.info("serving %s: %s", whom, names)
    try:
        manager.run()
    except Superseded as error:
        _log.info("ended: %s", error)
        return SUPERSEDED
    except JobmonError as error:
        _log.error("ended: %s", error)
        return FAILED
    _log.info("ended: nothing is left to do" if not presses else "ended by a signal")
    return DONE
