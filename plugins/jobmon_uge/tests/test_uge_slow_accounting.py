"""An accounting that takes long, or does not answer: nothing waits for it, and what it cannot tell has a bound."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jobmon_uge import GridEngine, Settings

from jobmon.plugins import Absent, CannotTell, Completed, Exited, Found, Reason, Submission, Submitted, Unknown

SAMPLES = Path(__file__).parent / "samples"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKEN = "j01m87e4ta60vhz8z3x32vnp39v"
NAME = f"{TOKEN}-fit"
EMPTY = "<job_info><queue_info></queue_info></job_info>"
RECORD = (SAMPLES / "qacct-exit3.txt").read_text().replace("exit3 ", f"{NAME} ")
ONE = Submitted("54", TOKEN, NAME, NOON)
OTHER = Submitted("55", TOKEN[:-1] + "x", f"{TOKEN[:-1]}x-fit", NOON)


class Slow(GridEngine):
    """Its qacct answers when it is let; its clock is set by the test."""

    accounting_patience_s = 0.01

    def __init__(self, **settings):
        super().__init__(Settings(**settings))
        self.clock_s, self.record, self.limits = 0.0, Completed(("qacct",), 0, RECORD, ""), []
        self.answers, self.asked = threading.Event(), threading.Semaphore(0)

    def run(self, argv, *, timeout_s=30.0, stdin=""):
        if argv[0] == "qstat":
            return Completed(tuple(argv), 0, EMPTY, "")
        self.limits.append(timeout_s)
        self.asked.release()
        assert self.answers.wait(30)
        return self.record

    def monotonic(self):
        return self.clock_s

    def now(self):
        return NOON


@pytest.fixture
def slow(monkeypatch):
    monkeypatch.delenv("SGE_ROOT", raising=False)
    made = Slow(accounting_timeout="5m", accounting_patience="30m", accounting_wait="30s")
    made.start(None)
    yield made
    made.answers.set()


def look(slow, *attempts):
    return slow.observe(submitted=list(attempts))


def until_answered(slow):
    """The next look takes the answer."""
    assert slow._accounting._beside._open.answered.wait(30)


def test_a_slow_answer_is_taken_at_a_later_look_and_asked_for_once(slow):
    assert look(slow, ONE)[TOKEN] == Unknown("it has left the queue; the accounting has not answered yet")
    assert isinstance(look(slow, ONE)[TOKEN], Unknown)
    slow.answers.set()
    until_answered(slow)
    seen = look(slow, ONE)[TOKEN]
    assert isinstance(seen, Exited)
    assert (seen.status, seen.reason) == (3, Reason.EXIT_NONZERO)
    assert slow.limits == [300.0]


def test_an_answer_says_nothing_of_those_that_left_the_queue_after_the_question(slow):
    slow.record = Completed(("qacct",), 1, "", "error: job name j* not found")
    look(slow, ONE)
    slow.answers.set()
    until_answered(slow)
    slow.clock_s = 1000.0  # long enough for an accounting that is late, counted from the question
    assert {type(seen) for seen in look(slow, ONE, OTHER).values()} == {Unknown}
    look(slow, ONE, OTHER)
    slow.clock_s = 2000.0
    while slow._accounting._beside._open is not None:
        until_answered(slow)
        look(slow, ONE, OTHER)
    slow.answers.set()


def test_what_an_accounting_does_not_tell_within_its_bound_is_absent_and_says_since_when(slow):
    look(slow, ONE)
    slow.clock_s = 1799.0
    assert isinstance(look(slow, ONE)[TOKEN], Unknown)
    slow.clock_s = 1800.0
    seen = look(slow, ONE)[TOKEN]
    assert isinstance(seen, Absent)
    assert seen.why == "it has left the queue, and for 30 min the accounting has not answered yet"


def test_a_submission_is_looked_for_without_waiting_for_the_accounting(slow):
    sought = Submission(TOKEN, NAME, NOON)
    assert isinstance(slow.find(submissions=[sought])[TOKEN], CannotTell)
    slow.answers.set()
    until_answered(slow)
    assert slow.find(submissions=[sought])[TOKEN] == Found("54")
