"""Starts what has been won, reaps what has ended, ends what must end."""

import os
import select
import signal
import time
from collections.abc import Mapping
from typing import Any

from jobmon.agent import reports
from jobmon.agent.attempts import Attempt, Attempts
from jobmon.agent.courier import LONGEST_PACE_S, SHORTEST_PACE_S, Courier, End, Reported, Started
from jobmon.agent.held import Held
from jobmon.agent.interpreters import Interpreter, Interpreters
from jobmon.agent.journal import Journal
from jobmon.agent.killing import kill_marked_once, kill_strays, kill_tree, signal_group
from jobmon.agent.memory_kills import MemoryKills
from jobmon.agent.messages import Stage
from jobmon.agent.reserve import Reserve
from jobmon.agent.saying import say
from jobmon.agent.spawn import (
    CANNOT_RUN,
    FULL,
    CannotSpawn,
    Environments,
    HostIsFull,
    look_again,
    make_folders,
    spawn_command,
)
from jobmon.agent.timers import Timers
from jobmon.states.reasons import Reason
from jobmon.wire.workers import FinishReport
from jobmon.worker.awake import AwakeClock

_FULL_PAUSE_S = 1.0
#: The rate of ends is taken over this time, or as soon as so many came at more than twice the last rate.
_RATE_WINDOW_S = 0.25
_SURE_AFTER = 10
_MOST_AHEAD = 1000


class Runner:
    """The processes of an agent's attempts."""

    def __init__(
        self,
        attempts: Attempts,
        courier: Courier,
        journal: Journal,
        held: Held,
        poll: select.epoll,
        timers: Timers,
        environment: Mapping[bytes, bytes],
        grace_s: float,
        clock: AwakeClock,
        reserve: Reserve,
    ) -> None:
        self._attempts = attempts
        self._courier = courier
        self._journal = journal
        self._held = held
        self._poll = poll
        self._timers = timers
        self._environments = Environments(environment)
        self._grace_s = grace_s
        self._now, self._reserve, self._memory_kills = clock.now, reserve, MemoryKills()
        self._interpreters = Interpreters(lambda: attempts.workers)
        self._commands: dict[int, Attempt] = {}
        self._dismissed: set[int] = set()
        self._reports: list[FinishReport] = []
        self._returns: list[str] = []
        self._beats: list[str] | None = None
        self._heartbeat_s = 30.0
        self._orphan_after_s = 900.0
        self.full = ""  #: why nothing can be started now, if so
        self._full_until = 0.0
        self._ended = 0
        self._rate_per_s = 0.0
        self._rate_at = self._now()
        self._beat_at = 0.0
        self._beat_later()

    # What the loop calls.

    def advance(self) -> None:
        """Start what there is room for and hand over to the courier what is to be sent."""
        if self._reports:
            self._journal.note(self._reports)
        if self._attempts.gone:
            self._held.done(self._attempts.gone)
            self._attempts.gone = []
        now = self._now()
        if now - self._courier.answered_at < self._orphan_after_s:
            while self._full_until <= now and (attempt := self._attempts.next_to_run()) is not None:
                self._start(attempt)
        starts = self._attempts.to_ask(self._ahead(now))
        if starts:
            self._held.asked(starts)
        hurry = self._attempts.free_and_starved
        if starts or self._reports or self._returns or self._beats is not None:
            self._courier.hand_over(
                starts=starts, reports=self._reports, returns=self._returns, beats=self._beats, hurry=hurry
            )
            self._reports, self._returns, self._beats = [], [], None

    def hear(self) -> None:
        """Act on what the courier brought."""
        while self._courier.news:
            news = self._courier.news.popleft()
            match news:
                case Started():
                    self._orphan_after_s = news.orphan_after_s
                    if news.heartbeat_s != self._heartbeat_s:
                        self._heartbeat_s = news.heartbeat_s
                        self._beat_later()
                    look_again()
                    for start in news.starts:
                        if self._attempts.answered(start.token, start.work):
                            self._returns.append(start.token)
                case Reported():
                    self._journal.settle(news.tokens)
                    for token in news.tokens:
                        self._attempts.reported(token)
                case End():
                    for token in news.tokens:
                        self.cancel(token)

    def reap(self) -> None:
        """Take note of every process that has ended."""
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            pid = ended.si_pid
            attempt = self._commands.pop(pid, None)
            interpreter = self._interpreters.by_pid.get(pid)
            if attempt is not None or interpreter is not None or pid in self._dismissed:
                signal_group(pid, signal.SIGKILL)  # while it is a zombie the group's id cannot be another's
            _, status, spent = os.wait4(pid, 0)
            if attempt is not None:
                usage = reports.usage_of(spent, time.monotonic() - attempt.began_at)
                assert attempt.work is not None
                why = self._why(attempt, status)
                self._end(attempt, reports.of_command(attempt.token, attempt.work, status, usage, why))
            elif interpreter is not None:
                self._interpreter_ended(interpreter, status, spent)
            self._dismissed.discard(pid)

    def handle(self, fd: int) -> None:
        """An interpreter has something to say."""
        for interpreter in self._interpreters.by_pid.values():
            if interpreter.channel.fileno() == fd:
                self._flush(interpreter)
                self._answered(interpreter)
                return

    def cancel(self, token: str, reason: Reason = Reason.CANCELLED, why: str = "its end was asked for") -> None:
        """End an attempt politely, then otherwise; one that has not begun never will."""
        attempt = self._attempts.get(token)
        if attempt is None or attempt.ending is not None:
            return
        if attempt.stage is Stage.WAITING:
            if self._attempts.revoke(attempt):
                self._returns.append(token)
        elif attempt.stage is Stage.RUNNING:
            attempt.ending = (reason, why)
            signal_group(attempt.pid, signal.SIGTERM)
            self._timers.at(self._now() + self._grace_s, lambda: self._kill(attempt))

    def stop(self) -> None:
        """End everything."""
        for attempt in self._attempts.waiting():
            self.cancel(attempt.token)
        for token in list(self._attempts.running):
            self.cancel(token, Reason.LOST, "its agent was told to end")

    def surround(self, environment: Mapping[bytes, bytes]) -> None:
        """Start commands and interpreters with this environment, and whatever else this process hands down now."""
        self._environments = Environments(environment)
        for interpreter in self._interpreters.renew():
            self._dismiss(interpreter)

    def sweep(self) -> None:
        """End processes that outlived the command which started them."""
        self._kill_strays()
        self._memory_kills.settle()

    # Starting.

    def _start(self, attempt: Attempt) -> None:
        work = attempt.work
        assert work is not None
        self._held.begun(attempt.token)
        try:
            environment = self._environments.of(work)
            if work.command is not None:
                attempt.pid = spawn_command(work, environment, attempt.token)
                self._commands[attempt.pid] = attempt
                self.full = ""
            else:
                make_folders(work.stdout, work.stderr)
                interpreter, new = self._take_interpreter(attempt, environment)
                attempt.pid = interpreter.pid
                interpreter.token = attempt.token
                if new:
                    self._poll.register(interpreter.channel, select.EPOLLIN)
                interpreter.send(work, attempt.token)
                self._flush(interpreter)
        except CannotSpawn as refusal:
            self._end(attempt, reports.not_run(attempt.token, refusal.status, str(refusal)))
        except ValueError as error:  # a NUL or a lone surrogate in some text
            self._end(attempt, reports.not_run(attempt.token, CANNOT_RUN, f"cannot be run: {error}"))
        except HostIsFull as full:
            self._wait_for_room(attempt, str(full))
        except OSError as error:
            if error.errno in FULL:
                self._wait_for_room(attempt, f"{error.strerror}")
            else:
                self._end(attempt, reports.not_run(attempt.token, CANNOT_RUN, f"cannot be run: {error}"))
        else:
            attempt.began_at = time.monotonic()
            if attempt.order.runtime_s is not None:
                self._limit(attempt, attempt.order.runtime_s)

    def _wait_for_room(self, attempt: Attempt, why: str) -> None:
        if not self.full:
            say(f"agent: nothing can be started now: {why}; tried again until it works")
        self.full = why
        self._attempts.put_back(attempt)
        self._full_until = self._now() + _FULL_PAUSE_S
        self._timers.at(self._full_until, lambda: None)

    def _take_interpreter(self, attempt: Attempt, environment: Mapping[bytes, bytes]) -> tuple[Interpreter, bool]:
        assert attempt.work is not None
        interpreter, new, spared = self._interpreters.take(attempt.work, environment)
        for spare in spared:
            self._dismiss(spare)
        return interpreter, new

    def _limit(self, attempt: Attempt, runtime_s: float) -> None:
        pid = attempt.pid

        def over() -> None:
            if attempt.stage is Stage.RUNNING and attempt.pid == pid:
                self.cancel(attempt.token, Reason.TIMEOUT, f"it ran beyond the {runtime_s:g} s that it asked for")

        self._timers.at(self._now() + runtime_s, over)

    # Ending.

    def _end(self, attempt: Attempt, report: FinishReport) -> None:
        if attempt.ending is not None:
            with self._reserve.lent():
                kill_marked_once(attempt.token)
        self._attempts.ended(attempt)
        self._reports.append(report)
        self._ended += 1

    def _why(self, attempt: Attempt, status: int) -> tuple[Reason, str] | None:
        """Why it ended with this wait status, where more is known than that."""
        if attempt.ending is None and reports.killed(status) and self._memory_kills.one_more():
            return reports.FOR_MEMORY
        return attempt.ending

    def _kill(self, attempt: Attempt) -> None:
        if attempt.stage is Stage.RUNNING:
            with self._reserve.lent():
                kill_tree(attempt.pid, attempt.token)

    def _flush(self, interpreter: Interpreter) -> None:
        if interpreter.hung_up():
            return
        waits = not interpreter.flush()
        if waits != interpreter.waits_for_room:
            interpreter.waits_for_room = waits
            self._poll.modify(interpreter.channel, select.EPOLLIN | (select.EPOLLOUT if waits else 0))

    def _answered(self, interpreter: Interpreter) -> None:
        if interpreter.hung_up():
            return
        try:
            answer = interpreter.receive()
        except ValueError:  # something else wrote into its channel
            signal_group(interpreter.pid, signal.SIGKILL)
            return
        if interpreter.hung_up():
            self._poll.unregister(interpreter.channel)  # its death tells the rest
        if answer is None:
            return
        attempt = self._attempts.get(interpreter.token or "")
        if attempt is None or attempt.ending is not None or answer.get("token") != attempt.token:
            return
        if answer.get("ends"):
            interpreter.last_answer = answer  # its end is the call's
            return
        self._interpreters.release(interpreter)
        if answer.get("stale"):
            self._dismiss(interpreter)
            self._attempts.put_back(attempt)
        elif answer.get("errno") in FULL:
            self._wait_for_room(attempt, str(answer["failed"]))
        else:
            self._call_ended(attempt, answer)

    def _call_ended(self, attempt: Attempt, answer: dict[str, Any]) -> None:
        assert attempt.work is not None
        self.full = ""
        usage = {**answer.get("usage", {}), "wall_s": time.monotonic() - attempt.began_at}
        self._end(attempt, reports.of_call(attempt.token, attempt.work, answer, usage))

    def _interpreter_ended(self, interpreter: Interpreter, status: int, spent: Any) -> None:
        self._answered(interpreter)  # it may have answered before it died
        if self._interpreters.forget(interpreter.pid) is None or interpreter.token is None:
            return
        attempt = self._attempts.get(interpreter.token)
        if attempt is not None and attempt.stage is Stage.RUNNING:
            assert attempt.work is not None
            self._kill_strays(ended=attempt.token)
            usage = reports.usage_of(spent, time.monotonic() - attempt.began_at)
            why = self._why(attempt, status)
            answer = interpreter.last_answer
            if answer is not None and why is None and reports.agree(answer, status):
                self._call_ended(attempt, answer)
                return
            report = reports.of_dead_interpreter(attempt.token, attempt.work, status, usage, why)
            self._end(attempt, report)

    def _dismiss(self, interpreter: Interpreter) -> None:
        """Let it end by itself, and see to it that it does."""
        pid = interpreter.pid
        self._interpreters.forget(pid)
        self._dismissed.add(pid)

        def insist() -> None:
            if pid in self._dismissed:
                signal_group(pid, signal.SIGKILL)

        self._timers.at(self._now() + self._grace_s, insist)

    def _kill_strays(self, ended: str = "") -> None:
        own = {*self._commands, *self._interpreters.by_pid, *self._dismissed}
        with self._reserve.lent():
            kill_strays(own, self._attempts.running.keys() - {ended})

    # The server.

    def _ahead(self, now: float) -> int:
        """How many starts to have won or asked for: enough for the time until the next ones can be there."""
        elapsed_s = now - self._rate_at
        much_faster = self._ended >= _SURE_AFTER and self._ended > 2 * self._rate_per_s * elapsed_s
        if elapsed_s >= _RATE_WINDOW_S or much_faster:
            self._rate_per_s = self._ended / elapsed_s
            self._ended, self._rate_at = 0, now
            self._courier.pace_s = min(LONGEST_PACE_S, max(SHORTEST_PACE_S, self._rate_per_s / 1000))
        enough = 3 * self._rate_per_s * (self._courier.round_trip_s + self._courier.pace_s)
        return min(2 * self._attempts.workers + int(enough), _MOST_AHEAD)

    def _beat_later(self) -> None:
        self._beat_at = self._now() + self._heartbeat_s
        self._timers.at(self._beat_at, self._beat)

    def _beat(self) -> None:
        if self._now() < self._beat_at:
            return  # the server has changed the interval meanwhile
        if self._now() - self._courier.answered_at > self._orphan_after_s:
            for token in list(self._attempts.running):
                self.cancel(token, Reason.LOST, f"the server was out of reach for {self._orphan_after_s:g} s")
        self._beats = self._attempts.owed()
        self._beat_later()
