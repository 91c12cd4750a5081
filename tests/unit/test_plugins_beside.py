"""A slow question is asked beside the calls of the host, one at a time, and its answer is given once."""

import threading

from jobmon.plugins import Answer, Beside, SchedulerUnavailable


def test_a_quick_answer_is_there_at_once():
    assert Beside(30.0).ask(["t"], lambda: 7) == Answer(frozenset("t"), 7)


def test_a_slow_answer_comes_with_what_it_was_asked_for_and_is_asked_for_once():
    let, asked = threading.Event(), []
    beside = Beside(0.01)

    def question():
        asked.append(1)
        assert let.wait(30)
        return "rows"

    assert beside.ask(["one"], question) is None
    assert beside.ask(["other"], question) is None
    let.set()
    answers = []
    while not answers:
        answers += filter(None, [beside.ask(["other"], question)])
    assert answers == [Answer(frozenset({"one"}), "rows")]
    assert asked == [1]
    assert Beside(30.0).ask(["other"], question) == Answer(frozenset({"other"}), "rows")


def test_whatever_a_question_raises_is_its_answer():
    def away():
        raise SchedulerUnavailable("slurmdbd is down")

    def wrong():
        raise ValueError("a bug")

    beside = Beside(30.0)
    assert beside.ask(["t"], away) == Answer(frozenset("t"), trouble="slurmdbd is down")
    assert beside.ask(["t"], wrong) == Answer(frozenset("t"), trouble="ValueError: a bug")
