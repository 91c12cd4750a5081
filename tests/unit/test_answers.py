"""The rules for what an executor answers: what is right passes as it is, what is wrong is named, and nothing raises."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRefused,
    CannotTell,
    Deferred,
    Exited,
    Found,
    Pending,
    Reason,
    Rejected,
    Running,
    SchedulerUnavailable,
    Uncertain,
    Unknown,
    answers,
)
from jobmon.plugins.answer_parts import Span

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CALL = Span(NOON, NOON + timedelta(seconds=5))
A, B, C = "j" + "a" * 26, "j" + "b" * 26, "j" + "c" * 26


class Word(StrEnum):
    ID = "1000"


class Text(str):
    __slots__ = ()


class Evil:
    """Raises whatever is asked of it, its class and its words included."""

    def __getattribute__(self, name):
        raise RuntimeError("nothing is told")

    def __eq__(self, other):
        raise RuntimeError("nothing is equal")

    def __hash__(self):
        return 1

    def __repr__(self):
        raise RuntimeError("nothing is shown")


def observed(answer):
    return answers.observation(answer, CALL)


def found(answer):
    return answers.finding(answer, CALL)


RIGHT_ENDS = [
    Exited(),
    Exited(0),
    Exited(0, result='{"a": [1]}', usage={"wall_s": 1, "cpu_s": 0.5, "max_rss_bytes": 2**40}),
    Exited(255, Reason.EXIT_NONZERO, detail="d" * 10_000, stdout_tail="", stderr_tail="e" * 10_000),
    Exited(None, Reason.SIGNALLED, signal=64, host="node-1.example.org"),
    Exited(137, Reason.OUT_OF_MEMORY, MappingProxyType({}), "Grünes Gras 🌱"),
]


@pytest.mark.parametrize(
    "answer", [Running(), Pending(), Pending("Resources"), Unknown("?"), Absent(NOON), *RIGHT_ENDS]
)
def test_a_right_observation_passes_as_it_is(answer):
    assert observed(answer) == (answer, [])


@pytest.mark.parametrize(
    "answer", [Accepted("x" * 1000), Accepted("7.1 (gpu)"), Rejected("no"), Deferred("full", 86_400), Uncertain("?")]
)
def test_a_right_outcome_passes_as_it_is(answer):
    assert answers.outcome(answer) == (answer, [])


@pytest.mark.parametrize("answer", [Found("7"), Absent(NOON + timedelta(seconds=5)), CannotTell("half an answer")])
def test_a_right_finding_passes_as_it_is(answer):
    assert found(answer) == (answer, [])


IDS = [7, None, "", " 7", "7\n", "\t", "7\ud800", "x" * 1001, b"7", Text("7"), Word.ID, True]


@pytest.mark.parametrize("executor_job_id", IDS, ids=lambda value: type(value).__name__)
def test_a_wrong_id_is_no_id(executor_job_id):
    outcome, [fault] = answers.outcome(Accepted(executor_job_id))
    assert type(outcome) is Uncertain
    assert fault.part == "executor_job_id"
    finding, _ = found(Found(executor_job_id))
    assert type(finding) is CannotTell


@pytest.mark.parametrize("outcome", [None, "accepted", Running(), Accepted, Accepted.__new__(Accepted), object()])
def test_what_is_no_outcome_is_uncertain(outcome):
    came, [fault] = answers.outcome(outcome)
    assert type(came) is Uncertain
    assert fault.words in came.why


WRONG_ENDS = {
    "a negative status": (Exited(-9, Reason.SIGNALLED), "status is -9"),
    "a status above 255": (Exited(256, Reason.EXIT_NONZERO), "status is 256"),
    "a bool as status": (Exited(True, Reason.EXIT_NONZERO), "status is True"),
    "a number with a point": (Exited(1.0, Reason.EXIT_NONZERO), "status is 1.0"),
    "a text as status": (Exited("0"), "status is '0'"),
    "a reason with status 0": (Exited(0, Reason.TIMEOUT), "status 0 and reason TIMEOUT"),
    "success with status 3": (Exited(3), "success (no reason) with status 3"),
    "success with a signal": (Exited(None, None, signal=9), "success (no reason) with signal 9"),
    "a text as reason": (Exited(1, "EXIT_NONZERO"), "reason is 'EXIT_NONZERO'"),
    "a result that is no text": (Exited(0, result={"a": 1}), "result is a dict"),
    "a result that is no JSON": (Exited(0, result="{"), "result is not JSON"),
    "a result that is too long": (Exited(0, result='"' + "x" * 65_536 + '"'), "result has 65,538 bytes"),
    "nothing of an end": (Exited.__new__(Exited), "cannot be looked at"),
}


@pytest.mark.parametrize(("end", "words"), WRONG_ENDS.values(), ids=WRONG_ENDS)
def test_an_end_whose_verdict_is_wrong_is_unknown(end, words):
    seen, [fault] = observed(end)
    assert type(seen) is Unknown
    assert words in fault.words
    assert words in seen.why


FAILED = Exited(1, Reason.EXIT_NONZERO)
CUT = " ... (cut: it has 10,001 characters)"
DETAIL_CUT = "d" * (10_000 - len(CUT)) + CUT
ACCOMPANY = {
    "a long detail": ({"detail": "d" * 10_001}, "detail", DETAIL_CUT, "detail has 10,001 characters"),
    "a long tail": ({"stdout_tail": "a" + "b" * 10_000}, "stdout_tail", "b" * 10_000, "the last 10,000 are kept"),
    "a detail that is no text": ({"detail": b"x"}, "detail", "(no text: a bytes)", "detail is a bytes, no text"),
    "a detail of a subclass": ({"detail": Text("x")}, "detail", "x", "not plain text"),
    "a surrogate": ({"stderr_tail": "\udc80"}, "stderr_tail", "?", "holds bytes that are no text"),
    "usage in other words": ({"usage": {"maxvmem": 1}}, "usage", {}, "usage has 'maxvmem'"),
    "no usage": ({"usage": None}, "usage", {}, "usage is None, no mapping"),
    "negative usage": ({"usage": {"wall_s": -1, "cpu_s": 2}}, "usage", {"cpu_s": 2.0}, "wall_s = -1"),
    "usage that is no number": ({"usage": {"wall_s": float("nan")}}, "usage", {}, "wall_s = nan"),
    "endless usage": ({"usage": {"wall_s": 10**400}}, "usage", {}, "wall_s = an int"),
    "a bool of usage": ({"usage": {"wall_s": True}}, "usage", {}, "wall_s = True"),
    "a key that is no text": ({"usage": {1: 1}}, "usage", {}, "usage has 1"),
    "the result of a failure": ({"result": "1"}, "result", None, "result of an end for reason EXIT_NONZERO"),
    "signal 0": ({"signal": 0}, "signal", None, "signal is 0"),
    "signal 65": ({"signal": 65}, "signal", None, "signal is 65"),
    "a bool as signal": ({"signal": True}, "signal", None, "signal is True"),
    "a host with space": ({"host": "a host"}, "host", None, "host is 'a host'"),
    "a host that is no text": ({"host": 7}, "host", None, "host is 7"),
}


@pytest.mark.parametrize(("change", "part", "kept", "words"), ACCOMPANY.values(), ids=ACCOMPANY)
def test_what_only_accompanies_an_end_is_cut_or_left_out_and_named(change, part, kept, words):
    end, faults = observed(attrs.evolve(FAILED, **change))
    assert (end.status, end.reason) == (1, Reason.EXIT_NONZERO)
    assert getattr(end, part) == kept
    assert [fault.part for fault in faults] == [part]
    assert words in faults[0].words


AS_OF = {
    "naive": (datetime(2026, 1, 31, 12), "no aware instant"),
    "no instant": (1_700_000_000.0, "no aware instant"),
    "before the call": (NOON - timedelta(seconds=1.001), "before the call began"),
    "after the call": (NOON + timedelta(seconds=6.001), "after the call ended"),
}


@pytest.mark.parametrize(("as_of", "words"), AS_OF.values(), ids=AS_OF)
def test_absence_as_of_another_time_than_the_calls_is_none(as_of, words):
    seen, [fault] = observed(Absent(as_of))
    assert type(seen) is Unknown
    assert words in fault.words
    finding, _ = found(Absent(as_of))
    assert type(finding) is CannotTell


def test_an_instant_may_be_a_second_off_and_is_taken_in_utc():
    seen, faults = observed(Absent((NOON - timedelta(seconds=1)).astimezone(timezone(timedelta(hours=9)))))
    assert faults == []
    assert f"{seen.as_of:%H:%M:%S}" == "11:59:59"


def test_a_clock_that_is_set_during_a_call_makes_no_answer_wrong():
    back = Span.measured(NOON, NOON - timedelta(hours=1), 5.0)
    assert answers.observation(Absent(NOON + timedelta(seconds=4)), back)[1] == []
    on = Span.measured(NOON, NOON + timedelta(hours=1), 5.0)
    assert answers.observation(Absent(NOON + timedelta(hours=1)), on)[1] == []


@pytest.mark.parametrize(
    ("asked", "taken"), [(0, 5.0), (-1, 5.0), (float("nan"), 5.0), (float("inf"), 5.0), (True, 5.0), ("5", 5.0),
                         (10**400, 86_400.0), (86_401, 86_400.0), (1e-9, 0.01)]
)  # fmt: skip
def test_a_wrong_pause_is_replaced_and_named(asked, taken):
    outcome, [fault] = answers.outcome(Deferred("full", asked))
    assert outcome == Deferred("full", taken)
    assert fault.part == "retry_after_s"


@pytest.mark.parametrize("why", ["", None, ValueError("no"), b"no", "w" * 2001, Text("no")])
def test_a_reason_that_nobody_can_read_changes_no_verdict(why):
    outcome, [fault] = answers.outcome(Rejected(why))
    assert type(outcome) is Rejected
    assert type(outcome.why) is str
    assert 0 < len(outcome.why) <= 2000
    assert fault.part == "why"


# Answers about several


class Breaks(dict):
    """A mapping that breaks off."""

    error = RuntimeError("half")

    def items(self):
        yield from list(super().items())[:1]
        raise self.error


class Repeats(dict):
    """A mapping that says something twice."""

    def items(self):
        yield A, Running()
        yield A, Exited(0)


def read(answer, asked=(A, B)):
    return answers.by_token(answer, asked, observed, Unknown)


def test_one_wrong_answer_fails_no_other():
    told, faults = read({A: Exited(300), B: Exited(0)})
    assert type(told[A]) is Unknown
    assert told[B] == Exited(0)
    assert [fault.token for fault in faults] == [A]


@pytest.mark.parametrize("answer", [None, "no", [(A, Running())], 7])
def test_what_is_no_mapping_tells_nothing(answer):
    told, faults = read(answer)
    assert {A: Unknown, B: Unknown} == {token: type(seen) for token, seen in told.items()}
    assert faults


def test_what_is_left_out_is_unknown_and_what_was_not_asked_for_is_ignored():
    told, faults = read({A: Running(), C: Exited(0), 7: Exited(0), Evil(): Exited(0)})
    assert told[A] == Running()
    assert type(told[B]) is Unknown
    assert set(told) == {A, B}
    assert len(faults) == 4


def test_what_an_answer_gave_before_it_broke_off_counts():
    told, faults = read(Breaks({A: Running(), B: Running()}))
    assert told[A] == Running()
    assert type(told[B]) is Unknown
    assert "RuntimeError: half" in faults[0].words


def test_an_outage_that_shows_while_an_answer_is_read_is_one():
    answer = Breaks({A: Running(), B: Running()})
    answer.error = SchedulerUnavailable("away")
    with pytest.raises(SchedulerUnavailable):
        read(answer)


def test_the_first_of_two_answers_counts():
    told, faults = read(Repeats(), asked=[A])
    assert told == {A: Running()}
    assert "twice" in faults[0].words


@pytest.mark.parametrize("told", [None, "ab", [A, Running()], (A,), (A, Running(), 1)])
def test_what_is_no_pair_is_refused(told):
    with pytest.raises(ValueError, match="no tuple"):
        answers.pair(told)


@pytest.mark.parametrize("limit", [0, -1, 8.0, "8", True, None])
def test_a_wrong_limit_of_arrays_is_taken_as_none(limit):
    assert answers.refusal(ArrayRefused("too large", limit=limit))[:2] == ("too large", 1)


@pytest.mark.parametrize("host", ["", "a b", 7, b"a", "x" * 256, "a\n"])
def test_a_wrong_host_is_left_out(host):
    assert answers.host(host)[0] is None
    assert answers.host(host)[1]


@pytest.mark.parametrize("said", [None, "too much", ("too much",), [7], [""]])
def test_what_is_no_list_of_sentences_is_named(said):
    assert answers.sentences(said)[1]


def test_what_raises_whatever_is_asked_of_it_is_wrong_and_raises_nothing():
    evil = Evil()
    assert type(answers.outcome(evil)[0]) is Uncertain
    assert type(answers.outcome(Accepted(evil))[0]) is Uncertain
    assert answers.outcome(Rejected(evil))[0] == Rejected("(no text: an Evil)")
    assert type(observed(evil)[0]) is Unknown
    assert type(observed(Exited(evil))[0]) is Unknown
    assert observed(Exited(1, Reason.EXIT_NONZERO, detail=evil, signal=evil, host=evil))[0].status == 1
    assert type(observed(Exited(0, usage=evil))[0]) is Unknown
    assert type(found(Absent(evil))[0]) is CannotTell
    assert read(evil)[1]
    assert read({A: evil, B: Running()})[0][B] == Running()
    assert answers.host(evil)[1]
    assert answers.sentences(evil)[1]
    assert answers.sentences([evil])[1]
    assert answers.refusal(ArrayRefused("too large", limit=evil))[1] == 1
    with pytest.raises(ValueError, match="no tuple"):
        answers.pair(evil)


# Anything

BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the host may be

anything = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.datetimes(),
        st.datetimes(timezones=st.timezones()), st.sampled_from([*Reason, object(), Word.ID, Text("x"), Exited]),
        st.builds(Evil),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=5,
)  # fmt: skip
KINDS = (Accepted, Rejected, Deferred, Uncertain, Pending, Exited, Absent, Unknown, Found, CannotTell)


@st.composite
def records(draw):
    """A record of the contract, of whatever fields."""
    kind = draw(st.sampled_from(KINDS))
    right = {"reason": st.sampled_from([None, *Reason]), "status": st.integers(-1, 256), "as_of": st.just(NOON)}
    names = [field.name for field in attrs.fields(kind)]
    return kind(**{name: draw(right.get(name, anything) | anything) for name in names})


def holds(answer):
    """Whether a checked answer keeps the rules, by other means than theirs."""
    fields = attrs.asdict(answer, recurse=False)
    for name in ("why", "detail", "stdout_tail", "stderr_tail", "executor_job_id", "host", "result"):
        text = fields.get(name)
        assert text is None or (type(text) is str and len(text.encode()) <= 4 * 65_536)
    if isinstance(answer, Exited):
        assert answer.status is None or (type(answer.status) is int and 0 <= answer.status <= 255)
        assert (answer.status or 0) == 0 if answer.reason is None else answer.status != 0
        assert all(type(value) in (int, float) and 0 <= value <= 2**53 for value in answer.usage.values())
        assert answer.signal is None or 1 <= answer.signal <= 64
    if isinstance(answer, Absent):
        assert NOON - timedelta(seconds=1) <= answer.as_of <= NOON + timedelta(seconds=6)


@BUSY
@given(anything | records())
def test_whatever_is_answered_the_checks_do_not_raise_and_what_they_let_through_keeps_the_rules(answer):
    for check, kinds in (
        (answers.outcome, (Accepted, Rejected, Deferred, Uncertain)),
        (observed, (Pending, Running, Exited, Absent, Unknown)),
        (found, (Found, Absent, CannotTell)),
    ):
        used, faults = check(answer)
        assert type(used) in kinds
        holds(used)
        if type(answer) not in kinds:
            assert faults
        if not faults and type(answer) is not Absent:
            assert used is answer
        again, none = check(used)
        assert none == []
        assert again == used


@BUSY
@given(st.dictionaries(st.sampled_from([A, B, C, "x", 7, None]), anything | records()) | anything)
def test_whatever_is_answered_about_several_each_gets_an_answer(answer):
    told, faults = read(answer)
    assert set(told) == {A, B}
    for one in told.values():
        holds(one)
    if not faults:
        assert set(answer) == {A, B}
