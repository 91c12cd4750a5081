"""What the factory and the reconciler of one executor share while they hold its lease."""

import threading
from collections.abc import Sequence

import attrs

from jobmon.clock import Clock
from jobmon.config.named import NamedExecutor
from jobmon.managers.asking import Asking
from jobmon.managers.host import ExecutorHost
from jobmon.managers.live import Attempt, LiveTable, Phase
from jobmon.managers.outbox import Outbox
from jobmon.managers.platform_output import PlatformOutput
from jobmon.managers.put_off import PutOff
from jobmon.managers.reach import Reach
from jobmon.managers.recorder import Recorder
from jobmon.managers.start_files import StartFiles
from jobmon.managers.wrong_answers import WrongAnswers
from jobmon.plugins import Executor
from jobmon.plugins.answer_parts import plain
from jobmon.requester import Requester
from jobmon.states.evidence import Reporting
from jobmon.wire.leases import Lease

#: Characters of all that is said of an executor at once. The message that carries it serves others, too.
_LONGEST_NOTE = 20_000


class Notes:
    """What is waiting at one executor and why, a sentence per subject, for `status`. Thread-safe."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}

    def say(self, subject: str, line: str) -> None:
        """Say it, or take back what was said of the subject with an empty line."""
        if line:
            self._lines[subject] = line
        else:
            self._lines.pop(subject, None)

    def text(self) -> str:
        """All that is to be said now."""
        return "; ".join(self._lines.copy().values())


@attrs.define(eq=False)
class Service:
    """One executor of one workflow, served under one lease."""

    named: NamedExecutor
    lease: Lease
    requester: Requester
    clock: Clock
    host: ExecutorHost
    asking: Asking
    wrong: WrongAnswers
    live: LiveTable
    recorder: Recorder
    notes: Notes
    put_off: PutOff
    reach: Reach
    outputs: PlatformOutput
    start_files: StartFiles | None  #: only for executors whose workers report
    outbox: Outbox | None  #: likewise
    n_queued_jobs: int
    stopping: threading.Event

    @property
    def name(self) -> str:
        """The executor's configured name."""
        return self.named.name

    @property
    def reporting(self) -> Reporting:
        """Who reports how its attempts go."""
        return self.named.cls.reporting

    def drop(self, tokens: list[str]) -> None:
        """Forget attempts that are final."""
        dropped = self.live.drop(tokens)
        if any(attempt.phase is Phase.PLACED for attempt in dropped):
            self.put_off.room()
        if dropped and self.named.cls.settled is not Executor.settled and not self.stopping.is_set():
            gone = [attempt.token for attempt in dropped]
            self.host.post("settled", lambda executor, _: executor.settled(tokens=gone))
        if self.start_files is not None:
            self.start_files.remove(self._submissions_over(dropped))
        if self.reach.remote:
            self.outputs.tidy(dropped)

    def _submissions_over(self, dropped: Sequence[Attempt]) -> set[str]:
        """The tokens of submissions of which the last attempt was dropped."""
        arrays = {attempt.array.token for attempt in dropped if attempt.array is not None}
        if arrays:
            arrays -= {attempt.array.token for attempt in self.live.snapshot() if attempt.array is not None}
        return arrays | {attempt.token for attempt in dropped if attempt.array is None}

    def waiting(self) -> str:
        """What waits here and why, for `status`; empty when nothing does."""
        said = (self.outage(), self.wrong.words(), self.put_off.words(), self.notes.text())
        return plain("; ".join(filter(None, said)), _LONGEST_NOTE)

    def outage(self) -> str:
        """Why the platform is not asked at the moment; empty when it is."""
        breaker = self.host.breaker
        wait_s = breaker.wait_s(self.clock.monotonic())
        if not breaker.failures:
            return ""
        tries = f"{breaker.failures} {'try' if breaker.failures == 1 else 'tries'}, next in {wait_s:.0f} s"
        return f"the platform does not answer ({tries}): {breaker.why}"
