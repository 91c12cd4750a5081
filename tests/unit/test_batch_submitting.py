"""The base class for batch systems: what comes of submissions."""

import errno
from typing import Any

import attrs
import pytest
from batch_lab import TOKEN, AccountedLab, Lab, array, attempt, failed, line, request, send

from jobmon.plugins import Accepted, ArrayRefused, Completed, Deferred, Rejected, SchedulerUnavailable, Uncertain


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


@pytest.mark.parametrize("task", ["refused", "cannot reach", "array too large"])
def test_a_word_in_a_tasks_own_name_decides_nothing(task: str) -> None:
    one, many = request(), array()
    name = f"{TOKEN}-{task}"
    lab = Lab(sub=failed(f"lost the connection while it sent {name}"))
    outcomes = [*lab.submit(requests=[attrs.evolve(one, job_name=name)])]
    outcomes += lab.submit_array(array=attrs.evolve(many, job_name=name))
    assert {type(outcome) for _, outcome in outcomes} == {Uncertain}


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
