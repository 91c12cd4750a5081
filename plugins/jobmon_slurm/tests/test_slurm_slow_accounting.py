"""An accounting that takes long, or is not there: nothing waits for it, and what it cannot tell has a bound."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jobmon_slurm import Settings, Slurm, executor
from jobmon_slurm.listing import SEP

from jobmon.plugins import Absent, CannotTell, Completed, Exited, Found, Observation, Submission, Submitted, Unknown
from jobmon.testing import KitContext

TOKEN = "j" + "a" * 26
NAME = f"{TOKEN}-task"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ONE = Submitted("12", TOKEN, NAME, NOON)
RECORD = SEP.join(("12", "COMPLETED", "0:0", "0:0", "9", "", "", NAME)) + "\n"


class Slow(Slurm):
    """Its sacct answers when it is let; its clock is set by the test."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.clock, self.answers, self.limits = NOON, threading.Event(), list[float]()

    def run(self, argv: Sequence[str], *, timeout_s: float = 30.0, **_: Any) -> Completed:
        if argv[0] != "sacct":
            return Completed(tuple(argv), 0, "", "")
        self.limits.append(timeout_s)
        assert self.answers.wait(30)
        return Completed(tuple(argv), 0, RECORD, "")

    def now(self) -> datetime:
        return self.clock

    def look(self) -> Observation:
        return self.observe(submitted=[ONE])[TOKEN]

    def answer(self) -> None:
        """Let accounting answer; the next look takes it."""
        self.answers.set()
        assert self._accounting._open is not None
        assert self._accounting._open.answered.wait(30)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Slow]:
    monkeypatch.setattr(executor, "_PATIENCE_S", 0.01)
    made = Slow(Settings(accounting_timeout_s=300.0, accounting_patience_s=1800.0))
    made.start(KitContext(tmp_path, "cluster"))
    yield made
    made.answers.set()


def test_a_slow_answer_is_taken_at_a_later_look_and_asked_for_once(slow: Slow) -> None:
    assert slow.look() == Unknown("it has left the queue; accounting (sacct) has not answered yet")
    assert isinstance(slow.look(), Unknown)
    slow.answer()
    assert slow.look() == Exited(0, usage={"wall_s": 9.0})
    assert slow.limits == [300.0]


def test_what_accounting_does_not_tell_within_its_bound_is_absent_and_says_since_when(slow: Slow) -> None:
    slow.look()
    slow.clock = NOON + timedelta(seconds=1799)
    assert isinstance(slow.look(), Unknown)
    slow.clock = NOON + timedelta(seconds=1800)
    seen = slow.look()
    assert isinstance(seen, Absent)
    assert seen.why == (
        "it has left the queue, and since 2026-11-22 12:00:00 UTC accounting (sacct) has not answered yet"
    )


def test_a_submission_is_looked_for_without_waiting_for_accounting(slow: Slow) -> None:
    sought = Submission(TOKEN, NAME, NOON)
    assert isinstance(slow.find(submissions=[sought])[TOKEN], CannotTell)
    slow.answer()
    assert slow.find(submissions=[sought])[TOKEN] == Found("12")


def test_where_there_is_no_sacct_the_queues_word_is_complete(tmp_path: Path) -> None:
    squeue = tmp_path / "squeue"
    squeue.write_text("#!/bin/sh\n")
    squeue.chmod(0o755)
    made = Slurm(Settings(bin=str(tmp_path)))
    made.start(KitContext(tmp_path, "cluster"))
    assert isinstance(made.observe(submitted=[ONE])[TOKEN], Absent)
