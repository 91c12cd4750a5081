"""Between an executor and its commands: notes what they print, or answers in their place as a recording says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from jobmon.plugins import BatchExecutor, Completed, Executor, Row, SchedulerUnavailable
from jobmon.testing.platform import Platform
from jobmon.testing.real_run import real_tokens
from jobmon.testing.recording import Call, Recording, neutral, token

if TYPE_CHECKING:
    from jobmon.testing.conformance import ExecutorConformance


@attrs.define
class Tape:
    """What is noted of the step that goes on. With `recording`, no command is run: it has the answers."""

    recording: Recording | None = None
    folder: Path = Path("/")
    calls: list[Call] = attrs.field(factory=list)
    states: list[tuple[str, str]] = attrs.field(factory=list)  #: names of jobs, and the platform's words for states
    tokens: list[str] = attrs.field(factory=list)  #: all that were given out
    missing: str = ""  #: a command for which the recording has no answer
    _step: str = ""
    _earlier: dict[str, Call] = attrs.field(factory=dict)  #: of earlier tries of this step, by their programs
    _left: list[Call] = attrs.field(factory=list)
    _known: tuple[Call, ...] = ()

    def begin(self, step: str) -> None:
        """Forget what was noted: a step begins, or is tried again."""
        earlier = {call.program: call for call in (*self._earlier.values(), *self.calls)}
        self._earlier, self._step = (earlier if step == self._step else {}), step
        self.calls, self.states, self.missing = [], [], ""
        if self.recording is not None:
            found = [one.calls for one in self.recording.steps if one.step == step]
            self._known = found[0] if found else ()
            self._left = list(self._known)

    def noted(self) -> tuple[Call, ...]:
        """The calls of this try; and of programs that were asked in earlier ones alone, whose answers came late."""
        now = {call.program for call in self.calls}
        return (*self.calls, *(call for program, call in self._earlier.items() if program not in now))

    def note(self, done: Completed, stdin: str) -> Completed:
        """Keep what a command answered."""
        argv, (stdout, stderr) = self._neutral(*done.argv), self._neutral(done.stdout, done.stderr)
        self.calls.append(Call(argv, bool(stdin), done.status, stdout, stderr))
        return done

    def answer(self, argv: Sequence[str]) -> Completed:
        """What this command answered in this step; asked more often than then, what it answered last.

        Raises:
            SchedulerUnavailable: it was not run then.
        """
        said, program = self._neutral(*argv), Path(argv[0]).name
        alike = [one for one in self._left if one.program == program]
        known = [one for one in alike if one.argv[1:] == said[1:]] or alike
        if known:
            self._left.remove(known[0])
        else:
            known = [one for one in self._known if one.program == program][-1:]
        if not known:
            self.missing = f"the recording has no answer of {program} there"
            raise SchedulerUnavailable(self.missing)
        return Completed(tuple(argv), known[0].status, known[0].stdout, known[0].stderr)

    def _neutral(self, *texts: str) -> tuple[str, ...]:
        return tuple(neutral(text, self.tokens, self.folder) for text in texts)


class RecordedPlatform(Platform):
    """Nothing: all that it does is in a recording already."""

    def new_tokens(self, count: int) -> list[str]:
        first = getattr(self, "_given", 0)
        self._given = first + count
        return [token(number) for number in range(first, first + count)]

    def prepare(self, request: Any) -> None:
        """Nothing: nothing runs."""

    def finish(self, executor_job_id: str, status: int = 0) -> None:
        """Nothing: it is recorded."""


def taped(conformance: "ExecutorConformance", tape: Tape) -> "ExecutorConformance":
    """The test class, with executors whose commands are noted on a tape, or answered by it."""
    cls = type(conformance)

    class Taped(cls):  # type: ignore[valid-type, misc]
        executor_type = _executor(cls.executor_type, tape)

        def platform(self) -> Platform:
            made: Platform = RecordedPlatform() if tape.recording else super().platform()
            new_tokens = made.new_tokens if tape.recording else real_tokens  # which `neutral` knows

            def noted(count: int) -> list[str]:
                tokens = new_tokens(count)
                tape.tokens += tokens
                return tokens

            made.new_tokens = noted  # type: ignore[method-assign]
            return made

    made: ExecutorConformance = Taped()
    return made


def _executor(base: Any, tape: Tape) -> type[Executor]:
    def run(self: Any, argv: Sequence[str], **given: Any) -> Completed:
        done = tape.answer(argv) if tape.recording else base.run(self, argv, **given)
        return tape.note(done, given.get("stdin", ""))

    def meaning(self: Any, row: Row) -> Any:
        tape.states.append((row.name, row.state))
        return base.meaning(self, row)

    methods: Mapping[str, Any] = {"run": run} | ({"meaning": meaning} if issubclass(base, BatchExecutor) else {})
    return type(base.__name__, (base,), {**methods, "__module__": base.__module__})
