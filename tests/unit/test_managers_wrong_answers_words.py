"""What is said of a plugin's wrong answers: whom to tell, what, of which attempt, how often; bounded, and steady."""

from datetime import UTC, datetime

import pytest

from jobmon.managers.live import Attempt, LiveTable, Phase
from jobmon.managers.wrong_answers import WrongAnswers, plugin_of
from jobmon.plugins import Executor
from jobmon.plugins.answer_parts import Fault

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Clock:
    """Stands still."""

    def now(self):
        return NOON

    def monotonic(self):
        return 0.0


class Lab(Executor):
    name, api_version = "lab", (1, 0)


@pytest.fixture
def wrong():
    live = LiveTable()
    live.add([Attempt(token, f"task {token}", Phase.PLACED, NOON) for token in ("a", "b")])
    return WrongAnswers(Lab, live, Clock())


def test_nothing_is_said_while_nothing_is_wrong(wrong):
    wrong.heard("observe", [])
    assert wrong.words() == ""


def test_the_words_name_plugin_method_attempt_and_fault_and_whom_to_tell(wrong):
    wrong.heard("observe", [Fault("status is 300", token="a")])
    assert wrong.words() == (
        "the plugin of executor type 'lab' answers wrongly (tell its author): "
        "observe of a (task 'task a'): status is 300 (at 12:00:00 UTC)"
    )


def test_what_is_heard_again_is_counted_and_its_attempt_stays(wrong):
    for token in ("a", "b", "b", "gone"):
        wrong.heard("find", [Fault("as_of is None", token=token)])
    assert "find of a (task 'task a'): as_of is None (4 times, last at 12:00:00 UTC)" in wrong.words()


def test_three_kinds_are_shown_the_newest_first_and_the_rest_counted(wrong, caplog):
    kinds = [f"kind {'x' * number}!" for number in range(1, 1000)]
    wrong.heard("submit", [Fault(words) for words in kinds])
    words = wrong.words()
    assert len(words) < 2500
    assert words.index(kinds[99]) < words.index(kinds[98]) < words.index(kinds[97])
    assert "97 more, in the manager's log" in words
    assert len(caplog.records) == 100


def test_faults_that_differ_by_their_values_alone_are_of_one_kind(wrong, caplog):
    for second in range(60):
        wrong.heard("observe", [Fault(f"as_of is 2026-01-31T12:00:{second:02d}, before the call began")])
        wrong.heard("observe", [Fault(f"it tells of 'j{second:x}', of which it was not asked")])
    assert wrong.words().count("60 times") == 2
    assert len(caplog.records) == 2


def test_an_installed_type_is_named_by_its_distribution():
    class Dummy(Executor):
        name, api_version = "dummy", (1, 0)

    assert plugin_of(Dummy).startswith("jobmon-executor-dummy 0.")
