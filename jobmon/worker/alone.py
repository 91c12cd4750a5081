"""Run a payload for a platform that alone reports how it goes: no server is asked, and none is told."""

from __future__ import annotations

import json
import os
import sys
import time

from . import report
from .child import kill, kill_rest, reap
from .execute import Execution
from .kernel import adopt_orphans, end_with_parent
from .signals import Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .child import Ended


def run_alone() -> int:
    """Run the payload of standard input, write how it ended to standard output, a line of JSON each; the exit status.

    The payload is `{"token", "work" (the JSON of jobmon.wire.workers.Work), "grace_s"}`. SIGTERM ends the command, and
    so does the end of the thread that started this process.
    """
    signals = Signals()
    end_with_parent()
    payload = json.loads(sys.stdin.read())
    work = payload["work"]
    adopt_orphans()
    began = time.monotonic()
    execution = Execution(work, payload["token"], os.path.abspath(sys.argv[0]))
    told: dict[str, Any]
    try:
        signals.start(execution.start)
    except execution.FAILURES as error:
        told = execution.not_started(error)
    else:
        ended, killed = _watch(signals, execution.pid, payload["grace_s"])
        told = execution.ended(ended.status, None, None)
        if killed and told["reason"] is not None:  # what succeeded nevertheless keeps its own end
            told |= {"reason": report.CANCELLED, "detail": "its platform asked for its end"}
        told["usage"] = {"cpu_s": ended.cpu_s, "max_rss_bytes": ended.max_rss_bytes}
    told.setdefault("usage", {})["wall_s"] = time.monotonic() - began
    told |= {"stdout_tail": report.tail(work["stdout"]), "stderr_tail": report.tail(work["stderr"])}
    sys.stdout.write(json.dumps({"host": os.uname().nodename, **told}) + "\n")
    sys.stdout.flush()
    return 0


def _watch(signals: Signals, pid: int, grace_s: float) -> tuple[Ended, bool]:
    """Until the command has ended and nothing of it is left: how it ended, and whether its end was asked for.

    The signal itself is passed on where it arrives (see `Signals`).
    """
    kill_at: float | None = None
    asked = signals.ending is not None
    while (ended := reap(pid)) is None:
        now = time.monotonic()
        asked = asked or signals.ending is not None
        if asked and kill_at is None:
            kill_at = now + grace_s
        if kill_at is not None and now >= kill_at:
            kill(pid)
            kill_at = now + grace_s
        signals.wait(grace_s if kill_at is None else kill_at - now)
    signals.group = None  # gone; its number may be given to others
    kill_rest(pid, signals)
    return ended, asked or signals.ending is not None
