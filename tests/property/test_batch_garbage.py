"""Whatever a platform's commands print and parsers make of it, it is within the contract, and no success or Absent."""

from collections.abc import Mapping
from typing import Any

from batch_lab import NAME, NOON, TOKEN, AccountedLab, Lab, array, attempt, member, request, sought
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRefused,
    Completed,
    Exited,
    Found,
    Row,
    SchedulerUnavailable,
    SubmitRequest,
)
from jobmon.plugins import answers as rules
from jobmon.plugins.answer_parts import Fault, Span

#: Text of any kind, much of it close to what the lab's commands print.
pieces = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["7", "|", "\n", "7.2", "7.1-3", "8", NAME, TOKEN, NAME + "x", "run", "done", "end", "late", "wait", "0", "1",
         "-1", "refused", "cannot reach", "too many jobs", "at most 2 members", "no jobs", "\0", "\r\n", "é", "\x1b[0m"]
    ),
    st.just(f"7|{NAME}|run||\n"),
    st.builds(f"7|{NAME}|{{}}|{{}}|\n".format, st.sampled_from(["done", "end"]), st.sampled_from(["", "0", "271"])),
    st.just(f"7.2|{NAME}|end|0|\n"),
    st.just("8|stranger|run||\n"),
)  # fmt: skip
texts = st.lists(pieces, max_size=8).map("".join)
answers = st.builds(
    Completed, st.just(("lab",)), st.sampled_from([0, 0, 0, 1, 2, 255, -9, None]), texts, st.one_of(st.just(""), texts)
)
#: What a wrong parser may make: anything.
anything = st.one_of(
    st.none(),
    st.integers(),
    texts,
    st.lists(st.one_of(st.none(), texts, st.integers()), max_size=3),
    st.lists(
        st.builds(
            Row,
            st.one_of(st.just("7"), st.integers(), texts),
            st.one_of(st.just(NAME), st.none(), texts),
            st.one_of(st.sampled_from(["run", "done", "end", "late"]), st.integers(), texts),
            st.one_of(st.just(()), st.just((2,)), st.just(range(1, 4)), st.lists(st.text()), st.none()),
            st.one_of(st.none(), st.integers(-5, 400), st.booleans(), st.floats(), texts),
            st.one_of(st.just({}), st.none(), st.dictionaries(st.sampled_from(["wall_s", "x"]), st.floats())),
            st.one_of(st.text(max_size=5), st.none()),
        ),
        max_size=3,
    ),
    st.sampled_from([ValueError("bad"), IndexError("bad"), KeyError("bad"), AttributeError("bad"), RecursionError()]),
)
ATTEMPTS = [attempt(), member(2)]
SOUGHT = [sought(), sought(2)]

CALL = Span(NOON, NOON)


def first(faults: list[Fault]) -> str | None:
    """What is wrong; None: nothing."""
    return faults[0].words if faults else None


def wrong_outcome(outcome: object) -> str | None:
    """By the rules that hosts hold it against."""
    return first(rules.outcome(outcome)[1])


def wrong_observation(seen: object) -> str | None:
    """The same."""
    return first(rules.observation(seen, CALL)[1])


def wrong_finding(finding: object) -> str | None:
    """The same."""
    return first(rules.finding(finding, CALL)[1])


def wrong(asked: set[str], answer: Mapping[str, object], judge: Any) -> list[str]:
    """What is wrong with an answer."""
    assert set(answer) == asked
    return [f"{one!r}: {why}" for one in answer.values() if (why := judge(one)) is not None]


def is_listing(done: Completed) -> bool:
    """Whether it is a complete listing: written down again, so that it is not the base class that says so."""
    lines = done.stdout.splitlines()
    if done.status is not None and any(map(str.strip, lines)) + any(map(str.strip, done.stderr.splitlines())):
        said = [line for line in [*lines, *done.stderr.splitlines()] if line.strip()]
        if all("no jobs" in line.lower() for line in said):
            return True
    return done.status == 0 and all(line.count("|") == 4 for line in lines) and bool(lines or not done.stderr.strip())


def is_success(state: str, status: int | None) -> bool:
    """Whether a row tells one: by its word, or by the status."""
    return (state, status) in (("done", None), ("done", 0), ("end", 0))


@given(answers)
@settings(max_examples=400)
@example(Completed(("lab",), 0, "", ""))
def test_no_text_makes_a_submission_certain_that_is_not(done: Completed) -> None:
    lab = Lab(sub=done)
    outcomes = list(lab.submit(requests=[request(), request("j" + "c" * 26)]))
    assert [token for token, _ in outcomes] == [TOKEN, "j" + "c" * 26]
    for _, outcome in outcomes:
        assert wrong_outcome(outcome) is None, outcome
        if isinstance(outcome, Accepted):
            assert done.ok
            assert outcome.executor_job_id == done.stdout.strip()
    try:
        members = dict(lab.submit_array(array=array()))
    except ArrayRefused as error:
        limit = error.limit
    else:
        assert wrong({"m1", "m2", "m3"}, members, wrong_outcome) == []
        return
    assert done.status not in (0, None)
    assert 1 <= limit < 3


@given(answers)
@settings(max_examples=600)
@example(Completed(("lab",), 0, f"7|{NAME}|run||\n", ""))
def test_no_text_makes_a_success_or_an_absence_that_it_does_not_tell(done: Completed) -> None:
    lab = Lab(list=done)
    try:
        seen = lab.observe(submitted=ATTEMPTS)
        found = lab.find(submissions=SOUGHT)
        lab.cancel(submitted=ATTEMPTS)
    except SchedulerUnavailable:
        return
    assert wrong({TOKEN, "m2"}, seen, wrong_observation) == []
    assert wrong({TOKEN, "m2"}, found, wrong_finding) == []
    assert is_listing(done), "only a complete listing says anything"
    for one in ATTEMPTS:
        what = seen[one.token]
        if isinstance(what, Exited):
            assert what.status is None or 0 <= what.status <= 255
        if isinstance(what, Exited) and what.reason is None:
            rows = [line.split("|") for line in done.stdout.splitlines()]
            assert any(row[1] == NAME and is_success(row[2], int(row[3]) if row[3] else None) for row in rows), rows
        if isinstance(what, Absent):
            assert not any(line.startswith(f"{one.executor_job_id}|{NAME}|") for line in done.stdout.splitlines())


@given(answers)
@settings(max_examples=300)
def test_no_text_of_the_accounting_does_either(done: Completed) -> None:
    lab = AccountedLab(acct=done)
    for lab.clock_s in (0.0, 100.0):
        seen, found = lab.observe(submitted=ATTEMPTS), lab.find(submissions=SOUGHT)
        assert wrong({TOKEN, "m2"}, seen, wrong_observation) == []
        assert wrong({TOKEN, "m2"}, found, wrong_finding) == []
        if not is_listing(done) or lab.clock_s == 0.0:
            assert not any(isinstance(one, Absent) for one in [*seen.values(), *found.values()])
        if not is_listing(done):
            assert not any(isinstance(one, Exited | Found) for one in [*seen.values(), *found.values()])


@given(anything, st.sampled_from([0, 1, None]))
@settings(max_examples=400)
def test_no_parser_breaks_the_contract(made: Any, status: int | None) -> None:
    class Wrong(Lab):
        def parse_submission(self, done: Completed) -> Any:
            return self._make()

        def parse_list(self, text: str) -> Any:
            return self._make()

        def _make(self) -> Any:
            if isinstance(made, Exception):
                raise made
            return made

    lab = Wrong(sub=Completed(("lab",), status, "x", ""), list=Completed(("lab",), status, "x", ""))
    requests: list[SubmitRequest] = [request()]
    assert wrong({TOKEN}, dict(lab.submit(requests=requests)), wrong_outcome) == []
    try:
        seen, found = lab.observe(submitted=ATTEMPTS), lab.find(submissions=SOUGHT)
        lab.cancel(submitted=ATTEMPTS)
    except SchedulerUnavailable:
        return
    assert status == 0
    assert wrong({TOKEN, "m2"}, seen, wrong_observation) == []
    assert wrong({TOKEN, "m2"}, found, wrong_finding) == []
    for one in seen.values():
        if isinstance(one, Exited) and one.reason is None:
            assert any(is_success(row.state, row.status) for row in made)
