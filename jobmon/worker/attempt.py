"""The life of one attempt: win the start, run the command and watch it, report how it ended."""

from __future__ import annotations

import os
import sys
import time

from . import report, transport
from .awake import AwakeClock
from .execute import Execution
from .kernel import adopt_orphans
from .signals import Signals
from .transport import Refused, Server, Unreachable, new_request_id
from .watch import watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Exit statuses of a worker whose command was not started; else it ends with that of its command, 128 + a signal.
REFUSED, NOT_STARTED = 77, 75
_LONGEST_PAUSE_S = 15.0
#: A longer gap between two looks at the clock is time in which this process was stopped.
_READ_AT_LEAST_S = 90.0


class Attempt:
    """One attempt, as its start file describes it.

    The file is JSON: `server` (its address), `direct` (whether that is its own, no tunnel's), `endpoint` (file with its
    latest address, or null), `token`, `credential`,
    `start_wait_s`, `report_wait_s`, `outbox` (folder for a report that could not be sent); and, if need be, `exit_map`
    (statuses that the platform gives a meaning, to others), `grace_s` (from SIGTERM to SIGKILL) and `runtime_s` (how
    long the command may run). That of an array has `members`, a list of `[token, credential]`, in place of those two;
    `index` is the attempt's in it, from 1 on.
    """

    def __init__(self, start: dict[str, Any], archive: str, index: int | None = None) -> None:
        self.start = start
        if index is None:
            self.token, credential = start["token"], start["credential"]
        elif index < 1:
            raise IndexError(f"the index {index} is not of the array")
        else:
            self.token, credential = start["members"][index - 1]
        self.archive = archive
        self.host = os.uname().nodename
        self.worker_id = f"{self.host}:{os.getpid()}:{os.urandom(6).hex()}"
        self.server = Server(start["server"], credential, start.get("endpoint"), direct=start.get("direct", True))
        self.signals = Signals()
        self.clock = AwakeClock(_READ_AT_LEAST_S)
        self.away = False  #: the last heartbeat did not reach the server

    def run(self) -> int:
        """Live it; the exit status of this worker."""
        try:
            starts = self._win_start()
        except (Unreachable, Refused) as error:
            say(f"{self.token}: not started: {error}")
            return NOT_STARTED
        answer = starts["starts"][0]
        if answer["work"] is None:
            say(f"{self.token}: not started, as the server wants it: {answer['why']}")
            return REFUSED
        if self.signals.ending is not None:
            self._give_back(f"its worker received signal {self.signals.ending} before the command was started")
            return NOT_STARTED
        return self._execute(answer["work"], starts["heartbeat_s"], starts["orphan_after_s"])

    def _win_start(self) -> dict[str, Any]:
        body = {"worker_id": self.worker_id, "host": self.host, "tokens": [self.token]}
        return self._post(transport.START, body, self.start["start_wait_s"])

    def _give_back(self, why: str) -> None:
        body = {"worker_id": self.worker_id, "tokens": [self.token], "why": why}
        say(f"{self.token}: not started: {why}")
        try:
            self.server.post(transport.GIVE_BACK, body, new_request_id())
        except (Unreachable, Refused) as error:
            say(f"{self.token}: could not be given back: {error}")

    def _execute(self, work: dict[str, Any], heartbeat_s: float, orphan_after_s: float) -> int:
        adopt_orphans()
        began = time.monotonic()
        execution = Execution(work, self.token, self.archive)
        told: dict[str, Any]
        passed_on = None
        try:
            self.signals.start(execution.start)
        except execution.FAILURES as error:
            told = execution.not_started(error)
        else:
            ended, ended_for, passed_on = watch(self, execution, heartbeat_s, orphan_after_s)
            told = execution.ended(ended.status, ended_for, passed_on)
            told["usage"] = {"cpu_s": ended.cpu_s, "max_rss_bytes": ended.max_rss_bytes}
        told.setdefault("usage", {})["wall_s"] = time.monotonic() - began
        told |= {"stdout_tail": report.tail(work["stdout"]), "stderr_tail": report.tail(work["stderr"])}
        from_outside = told["reason"] in (report.SIGNALLED, report.EXIT_NONZERO) and passed_on is not None
        self._report({"token": self.token, **told}, from_outside)
        return self._own_status(told)

    def beat(self) -> bool:
        """Tell the server that the command runs; whether it shall be ended.

        Raises:
            Unreachable: the server does not answer.
        """
        body = {"worker_id": self.worker_id, "tokens": [self.token]}
        try:
            answer = self.server.post(transport.HEARTBEAT, body, new_request_id())
        except Refused as error:
            say(f"{self.token}: {error}")
            return error.kind == "Superseded"
        return self.token in answer.get("end", ())

    def _report(self, told: dict[str, Any], from_outside: bool) -> None:
        """Report the end, for as long as it takes; meanwhile the report is kept in the outbox file.

        Where a signal from outside has ended the command, the platform may know who sent it, and why: a time limit, a
        preemption. The report is then left for the manager, who sends it with what the platform says.
        """
        self.signals.group = None
        self.signals.ending = None
        body = {"worker_id": self.worker_id, "reports": [told]}
        if from_outside and self._keep(body | {"ended_from_outside": True}, told["detail"]):
            return
        # A server that was away is likely to be so still: a job that is killed while it waits has left its report then.
        kept = self.away and self._keep(body, Unreachable(f"{self.server.url} did not answer its heartbeats"))

        def keep(error: Unreachable) -> None:
            nonlocal kept
            if not kept:
                kept = self._keep(body, error)

        try:
            answer = self._post(transport.FINISH, body, self.start["report_wait_s"], keep)
        except (Unreachable, Refused) as error:
            if not kept:
                self._keep(body, error)
            return
        if self.token in answer.get("superseded", ()):
            say(f"{self.token}: had been given up before; its end changes nothing")
        if kept:
            self._unkeep()

    def _outbox(self) -> str:
        return f"{self.start['outbox']}/{self.token}.json"

    def _unkeep(self) -> None:
        try:
            os.unlink(self._outbox())
        except FileNotFoundError:
            return  # the manager has found and sent it

    def _keep(self, body: dict[str, Any], why: object) -> bool:
        path = self._outbox()
        try:
            report.keep(path, body)
        except OSError as trouble:
            say(f"{self.token}: did not report: {why}; nor could it write {path}: {trouble}")
            return False
        say(f"{self.token}: not reported yet, kept in {path}: {why}")
        return True

    def _post(self, path: str, body: dict[str, Any], wait_s: float, failed: Any = None) -> dict[str, Any]:
        """The answer, from however many tries within `wait_s`; a signal that asks for the end ends them too.

        `failed` is called with what went wrong, after each try.
        """
        request_id = new_request_id()
        until = self.clock.now() + wait_s
        pause_s = 0.1
        while True:
            try:
                return self.server.post(path, body, request_id)
            except Unreachable as error:
                if failed is not None:
                    failed(error)
                left = until - self.clock.now()
                if left <= 0 or self.signals.ending is not None:
                    raise
                # At different moments: thousands of workers may be waiting for the same server.
                self.signals.pause(min(left, pause_s * (0.5 + os.urandom(1)[0] / 255)))
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _own_status(self, told: dict[str, Any]) -> int:
        """The command's, so that the platform's own records are right."""
        status = 128 + told["signal"] if told["signal"] else told["exit_status"] or 0
        if told["reason"] is not None and status == 0:
            status = 1
        return int(self.start.get("exit_map", {}).get(str(status), status))


def say(line: str) -> None:
    """Write a line for people; it goes to the platform's own output of the submission."""
    sys.stderr.write(f"jobmon worker: {line}\n")
