"""The base class for batch systems: what it makes of the answers of a platform's commands."""

import errno
import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from batch_lab import (
    NAME,
    NOON,
    OTHER,
    TOKEN,
    AccountedLab,
    Lab,
    array,
    attempt,
    failed,
    line,
    member,
    request,
    sought,
)

from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRefused,
    CannotTell,
    Completed,
    Deferred,
    Exited,
    Found,
    Observation,
    Outcome,
    Pending,
    Reason,
    Rejected,
    Row,
    Running,
    SchedulerUnavailable,
    Uncertain,
    Unknown,
)


def send(lab: Lab) -> Outcome:
    return dict(lab.submit(requests=[request()]))[TOKEN]


def look(lab: Lab) -> Observation:
    return lab.observe(submitted=[attempt()])[TOKEN]


# Submitting.


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("7\n", Accepted),
        ("", Uncertain),
        ("Submitted batch job 7\n", Uncertain),
        ("-7\n", Uncertain),
        ("sieben-ü\n", Uncertain),
        ("7" * 201, Uncertain),
        (failed("refused: no such queue"), Rejected),
        (failed("REFUSED"), Rejected),
        (failed("cannot reach labhost"), Deferred),
        (failed("too many jobs"), Deferred),
        (failed("something else"), Uncertain),
        (failed(), Uncertain),
        (failed("refused", status=None), Uncertain),
        (failed("refused", status=-9), Uncertain),
        (failed("refused by the log, but", stdout="7\n"), Uncertain),
        (failed("cannot reach the log", stdout="7\n"), Uncertain),
    ],
)
def test_what_comes_of_a_submission(answer: Any, outcome: type) -> None:
    assert type(came := send(Lab(sub=answer))) is outcome
    assert isinstance(came, Accepted) or came.why


def test_a_parser_that_fails_makes_a_success_uncertain() -> None:
    class Strict(Lab):
        def parse_submission(self, done: Completed) -> str:
            raise IndexError("list index out of range")

    assert isinstance(send(Strict()), Uncertain)
    assert isinstance(send(Strict(sub=failed("refused"))), Rejected)


def test_what_meets_one_request_meets_those_after_it_and_a_refusal_does_not() -> None:
    others = [request("j" + letter * 26) for letter in "xyz"]
    away, silent = (Lab(sub=failed(words, status=status)) for words, status in (("cannot reach", 1), ("", None)))
    outcomes = {lab: [type(one) for _, one in lab.submit(requests=others)] for lab in (away, silent)}
    assert outcomes == {away: [Deferred] * 3, silent: [Uncertain, Deferred, Deferred]}
    assert [len(away.ran), len(silent.ran)] == [1, 1]
    strict = Lab(sub=["7", failed("refused"), "9"])
    assert [type(one) for _, one in strict.submit(requests=others)] == [Accepted, Rejected, Accepted]


@pytest.mark.parametrize(
    ("error", "outcome"), [(errno.ENOENT, Deferred), (errno.EACCES, Deferred), (errno.E2BIG, Rejected)]
)
def test_a_command_that_cannot_be_run_sent_nothing(error: int, outcome: type, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> Completed:
        raise SchedulerUnavailable("cannot run sub") from OSError(error, "")

    lab = Lab()
    monkeypatch.setattr(lab, "run", run)
    assert type(send(lab)) is outcome


def test_an_outage_that_a_step_of_the_author_tells_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object, **__: object) -> Completed:
        raise SchedulerUnavailable("the tunnel is down")

    lab = Lab()
    monkeypatch.setattr(lab, "run", run)
    with pytest.raises(SchedulerUnavailable, match="the tunnel is down"):
        send(lab)


def test_what_the_author_cannot_ask_for_is_rejected_with_the_authors_words() -> None:
    class Picky(Lab):
        def submit_argv(self, request: object) -> list[str]:
            raise ValueError("the lab has no GPUs")

    lab = Picky()
    assert send(lab) == Rejected("the lab has no GPUs")
    assert lab.ran == []


def test_the_members_of_an_array_share_its_outcome_and_have_ids_of_their_own() -> None:
    assert dict(Lab().submit_array(array=array(2))) == {"m1": Accepted("7.1"), "m2": Accepted("7.2")}
    for answer, outcome in {"": Uncertain, "cannot reach": Deferred, "refused": Rejected}.items():
        lab = Lab(sub=failed(answer))
        assert {type(one) for _, one in lab.submit_array(array=array())} == {outcome}
    assert {type(one) for _, one in Lab(sub=failed(status=None)).submit_array(array=array())} == {Uncertain}


@pytest.mark.parametrize(
    ("said", "limit"),
    [("at most 2 members", 2), ("at most 99 members", 7), ("array too large", 4), ("at most 0 members", 1)],
)
def test_an_array_that_is_too_large_is_refused_with_a_smaller_size(said: str, limit: int) -> None:
    with pytest.raises(ArrayRefused) as refused:
        list(Lab(sub=failed(said)).submit_array(array=array(8)))
    assert refused.value.limit == limit


@pytest.mark.parametrize("answer", [failed("array too large", status=None), failed("array too large", stdout="7\n")])
def test_an_array_that_may_have_arrived_is_not_refused(answer: Completed) -> None:
    assert {type(one) for _, one in Lab(sub=answer).submit_array(array=array())} == {Uncertain}


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("sub NAME", "returned 'sub NAME', not a list of words"),
        (None, "returned None, not a list of words"),
        ([], "returned no words"),
        (["sub", "-c", 2], "returned a list with 2 in it, which is no text"),
    ],
)
def test_what_is_no_command_line_is_not_run_and_named(argv: Any, words: str) -> None:
    class Wrong(AccountedLab):
        submit_argv = submit_array_argv = cancel_argv = lambda *_: argv

    lab = Wrong(list=line())
    for call, piece in (
        (lambda: list(lab.submit(requests=[request()])), "submit_argv"),
        (lambda: list(lab.submit_array(array=array())), "submit_array_argv"),
        (lambda: lab.cancel(submitted=[attempt()]), "cancel_argv"),
    ):
        with pytest.raises(TypeError, match=f"^{piece} {words}"):
            call()
    assert lab.ran == [["list"]]


def test_a_submission_without_an_id_says_what_the_parser_made_of_it() -> None:
    class Numbers(Lab):
        def parse_submission(self, done: Completed) -> Any:
            return int(done.stdout)

    assert send(Numbers()) == Uncertain("it gave no id (parse_submission made 7 of it); it said: 7")
    [outcome] = {send(Numbers(sub="seven"))}
    assert isinstance(outcome, Uncertain)
    assert "made ValueError: invalid literal" in outcome.why


# The listing.


@pytest.mark.parametrize(
    "answer",
    [
        failed(),
        failed(status=None),
        failed("no jobs", status=None),
        failed("no jobs", stdout=line()),
        failed("no jobs\nconnection reset"),
        Completed(("list",), 0, "", "error: the database is away"),
        "garbage\n",
        line() + "7|half a li",
    ],
)
def test_a_listing_that_is_not_complete_is_an_outage(answer: Any) -> None:
    lab = Lab(list=answer)
    for ask in (
        lambda: lab.observe(submitted=[attempt()]),
        lambda: lab.find(submissions=[sought()]),
        lambda: lab.cancel(submitted=[attempt()]),
    ):
        with pytest.raises(SchedulerUnavailable):
            ask()
    assert {argv[0] for argv in lab.ran} == {"list"}


@pytest.mark.parametrize("answer", ["", failed("no jobs"), failed(stdout="No jobs.\n", status=255), "no jobs"])
def test_what_a_complete_listing_does_not_have_is_absent(answer: Any) -> None:
    lab = Lab(list=answer)
    assert look(lab) == Absent(NOON)
    assert lab.find(submissions=[sought()]) == {TOKEN: Absent(NOON)}


@pytest.mark.parametrize(
    "made", [None, 7, "text", [None], [Row(7, NAME, "run")], [Row("", NAME, "run")], [Row("7", NAME, "run", [1])],  # type: ignore[list-item, arg-type]
             [Row("7", NAME, "run", ("1",))], [Row("7", NAME, None)], [Row("7", NAME, "end", status="0")],  # type: ignore[list-item, arg-type]
             [Row("7", NAME, "end", status=False)], [Row("7", NAME, "end", usage=None)]],  # type: ignore[list-item, arg-type]
)  # fmt: skip
def test_a_parser_that_makes_something_else_than_rows_is_an_outage_with_its_words(made: Any) -> None:
    class Wrong(Lab):
        def parse_list(self, text: str) -> Any:
            return made

    with pytest.raises(SchedulerUnavailable, match=r"what list printed is not understood: ValueError: the parser made"):
        look(Wrong())


def test_a_row_counts_under_its_id_and_its_exact_name_alone() -> None:
    for row in (line("8"), line(name=f"{OTHER}-fit"), line(name=f"{NAME}2"), line(name=NAME[:-1]), line(name=TOKEN)):
        assert look(Lab(list=row)) == Absent(NOON), row
    assert look(Lab(list=line("8") + line())) == Running()
    assert Lab(list=line("8", name=f"{NAME}s")).find(submissions=[sought()]) == {TOKEN: Absent(NOON)}


def test_a_platform_that_cuts_names_is_asked_about_cut_names() -> None:
    class Cutting(Lab):
        name_length = 29

    assert look(Cutting(list=line(name=NAME[:29]))) == Running()
    assert look(Cutting(list=line(name=NAME[:28]))) == Absent(NOON)


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        (line(state="wait"), Pending("it is in the queue")),
        (line(state="wait", why="QueueIsFull"), Pending("QueueIsFull")),
        (line(state="done"), Exited(0, usage={"wall_s": 2.0}, detail="lab: done")),
        (line(state="done", status="3"), Exited(3, Reason.EXIT_NONZERO, {"wall_s": 2.0}, "lab: done")),
        (line(state="end", status="0"), Exited(0, None, {"wall_s": 2.0}, "lab: end")),
        (line(state="end", status="3", why="bad"), Exited(3, Reason.EXIT_NONZERO, {"wall_s": 2.0}, "bad")),
        (line(state="end"), Exited(None, Reason.UNKNOWN, {"wall_s": 2.0}, "lab: end (without an exit status)")),
        (line(state="end", status="271"), Exited(None, Reason.UNKNOWN, {"wall_s": 2.0}, "lab: end (exit status 271)")),
        (line(state="end", status="-1"), Exited(None, Reason.UNKNOWN, {"wall_s": 2.0}, "lab: end (exit status -1)")),
        (line(state="late", status="0"), Exited(None, Reason.TIMEOUT, {"wall_s": 2.0}, "lab: late")),
        (line(state="late", status="137"), Exited(137, Reason.TIMEOUT, {"wall_s": 2.0}, "lab: late")),
    ],
)
def test_what_a_row_means(row: str, seen: Observation) -> None:
    assert look(Lab(list=row)) == seen


def test_a_word_that_is_not_known_says_nothing() -> None:
    assert look(Lab(list=line(state="zombie"))) == Unknown(
        "lab says 'zombie', a state that this executor type does not know"
    )


def test_a_meaning_that_fails_hides_no_other_row() -> None:
    class Wrong(Lab):
        def meaning(self, row: Row) -> Observation:
            return super().meaning(row) if row.id == "8" else [][0]

    both = line() + line("8", f"{OTHER}-fit")
    seen = Wrong(list=both).observe(submitted=[attempt(), attempt("8", OTHER)])
    assert isinstance(seen[TOKEN], Unknown)
    assert seen[OTHER] == Running()


def test_usage_that_cannot_be_is_left_out() -> None:
    class Odd(Lab):
        def parse_list(self, text: str) -> Any:
            usage = {"wall_s": float("nan"), "cpu_s": 10**400, "max_rss_bytes": 5, "colour": 1.0}
            return [Row("7", NAME, "done", usage=usage)]

    seen = look(Odd())
    assert isinstance(seen, Exited)
    assert dict(seen.usage) == {"max_rss_bytes": 5}


def test_members_have_rows_of_their_own_or_share_one() -> None:
    lab = Lab(list=line("7.1", state="run") + line("7.2-900", state="wait") + line("8.3", state="run"))
    attempts = [member(1), member(2), member(900), member(901), member(3, "8")]
    seen = lab.observe(submitted=attempts)
    assert [type(seen[one.token]) for one in attempts] == [Running, Pending, Pending, Absent, Running]
    found = lab.find(submissions=[sought(1), sought(900), sought(901)])
    assert found == {"m1": Found("7.1"), "m900": Found("7.900"), "m901": Absent(NOON)}


# Accounting.


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


# Cancelling.


def test_only_what_is_listed_live_under_its_name_is_cancelled() -> None:
    rows = line() + line("8", "stranger") + line("9", f"{OTHER}-fit", "late")
    lab = Lab(list=rows)
    lab.cancel(submitted=[attempt(), attempt("8", "j" + "c" * 26), attempt("9", OTHER), attempt("10", "j" + "d" * 26)])
    assert lab.ran == [["list"], ["kill", "7"]]


def many_listed(count: int) -> tuple[str, list[Any]]:
    tokens = [f"j{n:026}" for n in range(count)]
    return "".join(line(str(n), f"{t}-fit") for n, t in enumerate(tokens)), [
        attempt(str(n), t) for n, t in enumerate(tokens)
    ]


def test_many_are_cancelled_in_portions_that_a_command_line_takes() -> None:
    listed, attempts = many_listed(5000)
    lab = Lab(list=listed)
    lab.cancel(submitted=attempts)
    kills = lab.ran[1:]
    assert [len(argv) - 1 for argv in kills] == [200] * 25
    assert [word for argv in kills for word in argv[1:]] == [str(n) for n in range(5000)]


def test_one_that_cannot_be_cancelled_spares_no_other_in_few_calls() -> None:
    class Stubborn(Lab):
        """Its `kill` stops at the first id that it does not like."""

        def run(self, argv: Any, **given: Any) -> Completed:
            if argv[0] == "list":
                return super().run(argv)
            self.ran.append(list(argv))
            good = argv[1 : argv.index("77")] if "77" in argv else argv[1:]
            self.killed |= set(good)
            return failed("operation not permitted") if "77" in argv else Completed(tuple(argv), 0, "", "")

        killed: set[str] = set()  # noqa: RUF012

    listed, attempts = many_listed(100)
    lab = Stubborn(list=listed)
    lab.cancel(submitted=attempts)
    assert lab.killed == {str(n) for n in range(100)} - {"77"}
    assert len(lab.ran) < 20


@pytest.mark.parametrize("answer", [failed("cannot reach labhost"), failed(status=None)])
def test_a_cancellation_that_reached_nobody_is_told_at_once(answer: Completed) -> None:
    listed, attempts = many_listed(1000)
    lab = Lab(list=listed, kill=answer)
    with pytest.raises(SchedulerUnavailable):
        lab.cancel(submitted=attempts)
    assert len(lab.ran) == 2


def test_cancelling_ends_within_its_time_whatever_fails() -> None:
    class Slow(Lab):
        def run(self, argv: Any, **given: Any) -> Completed:
            self.clock_s += 4.0
            return super().run(argv)

    listed, attempts = many_listed(1000)
    lab = Slow(list=listed, kill=failed("operation not permitted"))
    lab.cancel(submitted=attempts)
    assert len(lab.ran) == 5


def test_calls_about_nothing_ask_nothing() -> None:
    lab = AccountedLab()
    assert list(lab.submit(requests=[])) == []
    assert (lab.observe(submitted=[]), lab.find(submissions=[])) == ({}, {})
    lab.cancel(submitted=[])
    assert lab.ran == []
