"""The author's fake held against what the real program printed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jobmon.plugins.wording import cut
from jobmon.testing.command_platform import CommandPlatform
from jobmon.testing.recording import Call, Recording, RecordingInvalid, Step, read
from jobmon.testing.scripted_life import SUBMITS, WAITS, NotSeen, ScriptedLife
from jobmon.testing.sentences import does_not_apply, not_exercised
from jobmon.testing.set_up import wrong_set_up
from jobmon.testing.taping import Tape, taped
from jobmon.testing.world import World

if TYPE_CHECKING:
    from jobmon.testing.conformance import ExecutorConformance

_MOST_SHOWN = 300


class ReplayChecks:
    """Whether the fake says what the real platform did. No sentence of the contract: it is about the fake."""

    def test_the_fake_speaks_as_the_real_platform_did(self, tmp_path: Path) -> None:
        """The executor is led through the recorded life twice: on the recorded answers, and on the fake's."""
        tests: Any = self
        if wrong_set_up(tests):
            not_exercised("the test class is not set up")
        if tests.real_platform:
            does_not_apply("nothing stands for the platform here")
        if tests.recorded is None:
            not_exercised(
                "`recorded` names no recording of the real platform: jobmon plugin check --real --record FILE"
            )
        if tests.platform_type is None or not issubclass(tests.platform_type, CommandPlatform):
            does_not_apply("its platform is not reached through commands")
        try:
            recording = read(Path(tests.recorded))
        except (RecordingInvalid, OSError, UnicodeDecodeError) as error:
            pytest.fail(f"the recording cannot be read: {error}", pytrace=False)
        if recording.type != tests.executor_type.name:
            pytest.fail(f"{tests.recorded} was recorded of {recording.type}", pytrace=False)
        if found := first_difference(tests, recording, tmp_path):
            pytest.fail(found, pytrace=False)


def first_difference(tests: "ExecutorConformance", recording: Recording, folder: Path) -> str:
    """The first step in which the fake does not say what the real platform did, in words; empty: there is none."""
    waits = any(one.step == WAITS for one in recording.steps)
    try:
        real = list(led(tests, Tape(recording), folder / "recorded", waits))
    except AssertionError as error:
        return f"the executor cannot be led by the recording ({error}): it has changed since then, so record again"
    left = list(real)
    try:
        for fake in led(tests, Tape(), folder / "fake", waits):
            if not left:
                return f"{fake.step}: on the real platform this step was not recorded: record again"
            if words := difference(left.pop(0), fake):
                return words
    except NotSeen as error:
        return difference(left[0], error.step) if left else str(error)
    except AssertionError as error:
        step = left[0] if left else real[-1]
        return f"on the fake: {error}. The real platform let it see, at {step.step!r}, {_saw(step)}: {_shown(step)}"
    return f"{left[0].step}: the fake never comes to this step" if left else ""


def led(tests: "ExecutorConformance", tape: Tape, folder: Path, waits: bool | None) -> Iterator[Step]:
    """The steps of a life, led by the executor of a test class in a world of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    world = World(taped(tests, tape), folder)
    try:
        yield from ScriptedLife(world, tape, waits).steps()
    finally:
        world.close()


def difference(real: Step, fake: Step) -> str:
    """What is different of one step, in words; empty: nothing that matters."""
    both = f"The real program: {_shown(real)}. The fake: {_shown(fake)}"
    calls = list(_pairs(real.calls, fake.calls))
    for one, other in calls:
        if _ended(one) != _ended(other):
            return f"{real.step}: the real {one.program} {_ended(one)}, the fake {_ended(other)}. {both}"
    if real.saw != fake.saw:
        made = f"of the real platform's answer the executor makes {_saw(real)}, of the fake's {_saw(fake)}"
        return f"{real.step}: {made}. {both}"
    if real.states != fake.states:
        return (
            f"{real.step}: the real program's word is {_words(real.states)}, the fake's {_words(fake.states)}. {both}"
        )
    for one, other in calls:
        counts = len(one.stdout.split()), len(other.stdout.split())
        if real.step.startswith(SUBMITS) and counts[0] != counts[1]:
            return f"{real.step}: the real {one.program} prints {counts[0]} words, the fake {counts[1]}. {both}"
    return ""


def _pairs(real: Sequence[Call], fake: Sequence[Call]) -> Iterator[tuple[Call, Call]]:
    """The calls of each program in their order; those of different programs may come in another."""
    for program in dict.fromkeys(call.program for call in real):
        yield from zip(*([one for one in calls if one.program == program] for calls in (real, fake)), strict=False)


def _ended(call: Call) -> str:
    if call.status is None:
        return "gave no answer in time"
    return "exited with 0" if call.status == 0 else "exited with another status than 0"


def _saw(step: Step) -> str:
    return "; ".join(step.saw) or "nothing"


def _words(words: Sequence[str]) -> str:
    return " and ".join(map(repr, words)) or "none"


def _shown(step: Step) -> str:
    """What the commands of a step printed, cut short."""
    said = [
        f"{one.program} ({'no answer' if one.status is None else one.status}) "
        f"{cut(f'{one.stdout} {one.stderr}', _MOST_SHOWN)!r}"
        for one in step.calls[-2:]
    ]
    return " and ".join(said) or "no command was run"
