"""Opening a run, also in the place of one whose client is dead."""

from typing import TYPE_CHECKING

import attrs
import msgspec

from jobmon.errors import WorkflowActive
from jobmon.processes import ProcessIdentity, is_alive
from jobmon.wire import routes
from jobmon.wire.runs import OpenRun, RunOpened

if TYPE_CHECKING:
    from jobmon.requester import Requester


def open_run(requester: "Requester", request: OpenRun) -> RunOpened:
    """Open a run. One that is active on this host is known to be gone at once when its process is.

    Raises:
        WorkflowExists: it was run before, and `resume` was not said.
        WorkflowActive: another run of it is alive, or on another host where it cannot be looked for.
    """
    try:
        return requester.call(routes.OPEN_RUN, request)
    except WorkflowActive as error:
        if "client" not in error.data or "run_id" not in error.data:
            raise
        client = msgspec.convert(error.data["client"], ProcessIdentity)
        alive = is_alive(client)
        if alive is False:
            return requester.call(routes.OPEN_RUN, attrs.evolve(request, gone_run=int(error.data["run_id"])))
        if alive:
            raise WorkflowActive(
                f"{error}\nIts client is alive: process {client.pid} on this host. Wait for it, end it with Ctrl-C, "
                "or take its place with run(resume=True, take_over=True).",
                error.data,
            ) from error
        raise
