"""The base class for batch systems: what has left the queue is looked for in the accounting."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from batch_lab import NAME, NOON, OTHER, TOKEN, AccountedLab, attempt, failed, line, look, sought

from jobmon.plugins import Absent, CannotTell, Completed, Exited, Found, Observation, Running, Unknown


def test_what_is_not_listed_is_looked_for_in_the_accounting() -> None:
    lab = AccountedLab(acct=line(state="end", status="3"))
    seen = look(lab)
    assert isinstance(seen, Exited)
    assert seen.status == 3
    assert lab.find(submissions=[sought()]) == {TOKEN: Found("7")}
    assert lab.ran[1] == ["acct", NOON.isoformat(), NAME]


@pytest.mark.parametrize("rows", ["", line(state="run"), line(name=f"{OTHER}-fit", state="done")])
def test_absent_comes_from_listing_and_accounting_and_not_before_that_may_be_late(rows: str) -> None:
    lab = AccountedLab(acct=rows)
    assert isinstance(look(lab), Unknown)
    lab.clock_s = 29.0
    assert isinstance(look(lab), Unknown)
    lab.answers["list"] = line()
    assert look(lab) == Running()
    lab.answers["list"], lab.clock_s = "", 40.0
    assert isinstance(look(lab), Unknown), "it was listed meanwhile"
    lab.clock_s = 70.0
    assert look(lab) == Absent(NOON)


def test_a_submission_is_absent_for_find_as_late() -> None:
    lab = AccountedLab(acct="")
    assert isinstance(lab.find(submissions=[sought()])[TOKEN], CannotTell)
    lab.clock_s = 30.0
    assert lab.find(submissions=[sought()]) == {TOKEN: Absent(NOON)}


@pytest.mark.parametrize("answer", [failed(), failed(status=None), "garbage", Completed(("acct",), 0, "", "away")])
def test_while_the_accounting_does_not_answer_nothing_is_absent_for_a_long_time(answer: Any) -> None:
    lab = AccountedLab(acct=answer)
    assert isinstance(look(lab), Unknown)
    lab.clock_s = 1799.0
    assert isinstance(look(lab), Unknown)
    assert isinstance(lab.find(submissions=[sought()])[TOKEN], CannotTell)
    lab.clock_s = 1800.0
    seen = look(lab)
    assert isinstance(seen, Absent)
    assert "for 30 min" in seen.why


def test_an_accounting_that_cannot_be_asked_by_names_is_asked_once() -> None:
    class ByTime(AccountedLab):
        def accounting_argv(self, since: Any, names: Any) -> Any:
            return ["acct", since.isoformat()]

    many = [attempt(str(n), f"j{n:026}") for n in range(3000)]
    by_time, by_name = ByTime(acct=""), AccountedLab(acct="")
    for lab in (by_time, by_name):
        lab.observe(submitted=many)
    assert [len(by_time.ran), len(by_name.ran)] == [2, 7]
    assert max(len(argv[-1]) for argv in by_name.ran) < 100_000


class SlowLab(AccountedLab):
    """Its accounting answers when it is let, for what the listing does not have."""

    accounting_patience_s = 0.01

    def __init__(self, **answers: Any) -> None:
        super().__init__(**answers)
        self.let = threading.Event()
        self.instant = NOON

    def run(self, argv: Any, **given: Any) -> Completed:
        if argv[0] == "acct":
            assert self.let.wait(60)
        return super().run(argv, **given)

    def now(self) -> datetime:
        return self.instant


def look_until(lab: SlowLab, kind: type) -> Observation:
    """Look until the slow answer is there."""
    for _ in range(6000):
        if isinstance(seen := look(lab), kind):
            return seen
    raise AssertionError(f"it is still {seen!r}")


def test_a_slow_accounting_holds_nothing_up_and_its_answer_is_taken_later() -> None:
    lab = SlowLab(acct=line(state="end", status="3"))
    assert look(lab) == Unknown("it has left the queue; the accounting has not answered yet")
    assert isinstance(lab.find(submissions=[sought()])[TOKEN], CannotTell)
    lab.let.set()
    seen = look_until(lab, Exited)
    assert isinstance(seen, Exited)
    assert seen.status == 3
    assert [argv[0] for argv in lab.ran].count("acct") == 1


def test_an_answer_of_the_accounting_says_nothing_of_those_that_left_the_queue_after_the_question() -> None:
    lab = SlowLab(acct="")
    lab.accounting_late_s = 0.0
    look(lab)
    lab.let.set()
    other = attempt("8", OTHER)
    for _ in range(6000):
        seen = lab.observe(submitted=[attempt(), other])
        if [argv[0] for argv in lab.ran].count("acct") == 1:
            assert isinstance(seen[OTHER], Unknown), "it was not asked for"
        if isinstance(seen[OTHER], Absent):
            break
    assert [argv[-1] for argv in lab.ran if argv[0] == "acct"] == [NAME, f"{NAME},{OTHER}-fit"]


def test_an_absence_is_as_of_the_listing_however_old_the_accountings_answer_is() -> None:
    lab = SlowLab(acct="")
    lab.accounting_late_s = 0.0
    look(lab)
    lab.instant += timedelta(minutes=5)
    lab.let.set()
    assert look_until(lab, Absent) == Absent(NOON + timedelta(minutes=5))
