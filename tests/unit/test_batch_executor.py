"""The base class for batch systems: what its listing says, and cancelling."""

from typing import Any

import pytest
from batch_lab import NAME, NOON, OTHER, TOKEN, AccountedLab, Lab, attempt, failed, line, look, member, sought

from jobmon.plugins import (
    Absent,
    Completed,
    Exited,
    Found,
    Observation,
    Pending,
    Reason,
    Row,
    Running,
    SchedulerUnavailable,
    Unknown,
)

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
