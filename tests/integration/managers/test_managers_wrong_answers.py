"""Whatever an executor answers wrongly is its plugin's fault: named, charged to no job, and no other answer suffers."""

import asyncio
import itertools
from datetime import UTC, datetime

import msgspec
import pytest

from jobmon.managers import job_instance_reconciler
from jobmon.plugins import (
    Absent,
    Accepted,
    ArrayRefused,
    Deferred,
    Exited,
    Found,
    Reason,
    Reporting,
    Running,
    SchedulerUnavailable,
)
from jobmon.states.evidence import Sighting
from jobmon.states.names import InstanceState as S
from jobmon.wire.leases import LiveInstance

ONE, TWO, THREE = (f"j{i:026d}" for i in (1, 2, 3))


def said(server, *words):
    """Whether a note of the manager has all of the words. It must be one that can be sent, and read."""

    def has_them():
        texts = [note.get("fake", "") for note in server.notes]
        assert all(msgspec.json.encode(text) and len(text) <= 25_000 for text in texts)
        return any(all(word in text for word in words) for text in texts)

    return has_them


WRONG = "the plugin of executor type 'fake' answers wrongly (tell its author)"

WRONG_OUTCOMES = {
    "a word": "accepted",
    "nothing": None,
    "an id that is a number": Accepted(1000),
    "an empty id": Accepted(""),
    "an id with the line's end": Accepted("1000\n"),
    "an id that is too long": Accepted("1" * 1001),
    "a record that was not made": Accepted.__new__(Accepted),
    "an observation": Running(),
}


@pytest.mark.parametrize("outcome", WRONG_OUTCOMES.values(), ids=WRONG_OUTCOMES)
def test_a_wrong_outcome_is_uncertain_and_found_and_the_others_go_on(server, platform, manage, outcome):
    def submit(executor, requests):
        yield requests[0].token, outcome
        yield from platform.accept_and_end(executor, requests[1:])

    platform.submit = submit
    platform.findings, platform.has = {ONE: Found("found")}, {ONE: Exited(0)}
    server.queue("first", "second", "third")
    manage()
    server.until(server.all_done(3))
    assert server.ids == {ONE: "found", TWO: "id of " + TWO, THREE: "id of " + THREE}
    assert len([what for what, _ in platform.calls if what == "submit"]) == 1
    server.run_active = True
    server.until(said(server, WRONG, f"submit of {ONE}"))


def yields_no_pairs(executor, requests):
    yield "accepted"
    yield [requests[0].token, Accepted("1")]
    yield requests[0].token, Accepted("1"), "and more"
    yield from executor.settings.accept_and_end(executor, requests[1:])


def answers_for_others_and_twice(executor, requests):
    yield "jsomebody-elses", Accepted("1")
    yield 7, Accepted("1")
    yield requests[1].token, Accepted("id of " + requests[1].token)
    yield requests[1].token, Deferred("no, it is not there")
    executor.settings.has[requests[1].token] = Exited(0)
    yield from executor.settings.accept_and_end(executor, requests[2:])


def goes_on_for_ever(executor, requests):
    yield from executor.settings.accept_and_end(executor, requests[1:])
    yield from itertools.repeat(None)


@pytest.mark.parametrize("submit", [yields_no_pairs, answers_for_others_and_twice, goes_on_for_ever])
def test_what_submit_yields_beside_outcomes_changes_none(server, platform, manage, submit):
    platform.submit = submit
    platform.findings, platform.has = {ONE: Found("found")}, {ONE: Exited(0)}
    server.queue("first", "second", "third")
    manage()
    server.until(server.all_done(3))
    assert server.ids == {ONE: "found", TWO: "id of " + TWO, THREE: "id of " + THREE}
    server.until(said(server, WRONG, "submit"))


@pytest.mark.parametrize("finding", [Found(7), Found(""), None, "found", Running(), Accepted("7")])
def test_a_wrong_finding_cannot_tell_and_the_others_are_found(server, platform, manage, finding):
    platform.submit = lambda executor, requests: iter(())
    platform.findings = {ONE: finding, TWO: Found("found")}
    platform.has = {TWO: Exited(0)}
    server.queue("first", "second")
    manage(uncertain_after_s=1.0)
    server.until(lambda: server.states.get(TWO) is S.DONE)
    server.until(said(server, WRONG, f"find of {ONE} (task 'first')"))
    server.until(lambda: server.states[ONE] is S.UNKNOWN_ERROR)
    assert "could not be found for 1 s: its plugin's answer is wrong" in server.whys[ONE]


WRONG_ENDS = {
    "a status that cannot be": Exited(300),
    "a negative status": Exited(-9, Reason.SIGNALLED),
    "a reason with status 0": Exited(0, Reason.TIMEOUT),
    "success with status 3": Exited(3),
    "a word as reason": Exited(1, "EXIT_NONZERO"),
    "a result that is no JSON": Exited(0, result="{"),
    "an end that is none": "done",
}


@pytest.mark.parametrize("end", WRONG_ENDS.values(), ids=WRONG_ENDS)
def test_no_attempt_succeeds_or_fails_by_a_wrong_end_which_is_named_for_as_long_as_it_lasts(
    server, platform, manage, end
):
    platform.submit = platform.accept
    server.queue("first", "second")
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 2)
    platform.has = {ONE: end, TWO: Exited(0)}
    server.until(lambda: server.states[TWO] is S.DONE)
    server.until(said(server, WRONG, f"observe of {ONE} (task 'first')", "1 unclear: its plugin's answer is wrong"))
    asked = len(platform.calls)
    server.until(lambda: len(platform.calls) > asked + 3)
    assert server.states[ONE] is S.RUNNING
    platform.has[ONE] = Exited(0)
    server.until(lambda: server.states[ONE] is S.DONE)
    server.until(lambda: not server.live() and "unclear" not in server.notes[-1].get("fake", ""))


def test_what_only_accompanies_an_end_is_left_out_or_cut_and_the_end_counts(server, platform, manage):
    end = Exited(
        1, Reason.EXIT_NONZERO, {"maxvmem": 2, "wall_s": 3, "cpu_s": float("nan")}, "d" * 10**6, signal=0, host=7,
        stdout_tail=b"no text", stderr_tail="\udc80",
    )  # fmt: skip
    platform.submit = platform.accept
    server.queue("first")
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 1)
    platform.has = {ONE: end}
    server.until(lambda: server.states[ONE] is S.ERROR)
    [seen] = server.seen(Sighting.EXITED)
    assert (seen.exit_status, seen.reason, seen.usage) == (1, Reason.EXIT_NONZERO, {"wall_s": 3.0})
    assert (seen.signal, seen.host, seen.stdout_tail, seen.stderr_tail) == (None, None, "(no text: a bytes)", "?")
    assert len(seen.detail) == 10_000
    server.until(said(server, WRONG, "more, in the manager's log"))


class BreaksOff(dict):
    """Tells of the first, then raises."""

    def items(self):
        yield from list(super().items())[:1]
        raise RuntimeError("half an answer")


@pytest.mark.parametrize(
    "answer",
    [lambda told: None, lambda told: [*told.items()], BreaksOff, lambda told: told | {7: Exited(0)}, lambda told: {}],
    ids=["nothing", "a list", "breaks off", "a key that is no token", "empty"],
)  # fmt: skip
def test_an_answer_that_is_no_mapping_of_what_was_asked_ends_nothing_and_is_named(server, platform, manage, answer):
    platform.submit = platform.accept
    server.queue("first", "second")
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 2)
    platform.answer = answer
    server.until(said(server, WRONG, "observe"))
    assert len(server.tokens_in(S.RUNNING)) == 2
    platform.answer = None
    platform.has = {ONE: Exited(0), TWO: Exited(0)}
    server.until(server.all_done(2))


def test_what_a_worker_began_and_its_executor_answers_wrongly_about_is_absent_after_a_bound_and_why(
    server, platform, manage, monkeypatch
):
    monkeypatch.setattr(job_instance_reconciler, "_UNCLEAR_S", 0.2)
    server.states = {"one": S.RUNNING}
    server.adopted = [LiveInstance(1, "one", "task", S.RUNNING, "7", 1_700_000_000.0)]
    platform.has = {"one": Exited(-1, Reason.SIGNALLED)}
    manage(reporting=Reporting.WORKER)
    server.until(lambda: server.seen(Sighting.ABSENT))
    assert "its plugin's answer is wrong: status is -1" in server.seen(Sighting.ABSENT)[0].detail
    assert server.states["one"] is S.RUNNING  # what then is decided stands in the table of evidence


@pytest.mark.parametrize("pushed", [{ONE: Exited(300)}, [ONE], None, {7: Exited(0)}, {ONE: "done"}])
def test_what_is_pushed_wrongly_ends_nothing_and_is_named(server, platform, manage, pushed):
    def submit(executor, requests):
        yield from platform.accept(executor, requests)
        executor.context.report(observations=pushed)

    platform.submit = submit
    server.queue("first", "second")
    manage()
    server.until(said(server, WRONG, "report"))
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 2)
    platform.has = {ONE: Exited(0), TWO: Exited(0)}
    server.until(server.all_done(2))


@pytest.mark.parametrize("limit", [0, -1, 2.0, "2", True])
def test_a_wrong_limit_is_taken_as_one_and_named(server, platform, manage, limit):
    platform.limit, platform.submit = limit, platform.accept
    server.queue("first", "second")
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 1)
    server.until(said(server, WRONG, "running_limit: it is", "1 is taken"))
    assert len(server.states) == 1
    platform.has[ONE] = Exited(0)
    server.until(lambda: server.states.get(TWO) is S.RUNNING)


def test_a_wrong_limit_of_arrays_means_none(server, platform, manage):
    platform.array_limit = 2.5
    server.queue("first", "second")
    manage(reporting=Reporting.WORKER)
    server.until(lambda: len(server.tokens_in(S.DONE)) == 2)
    assert platform.arrays == []
    server.until(said(server, WRONG, "array_limit: it is 2.5"))


@pytest.mark.parametrize("limit", [0, -3, "10", None])
def test_an_array_refused_with_a_wrong_limit_goes_singly(server, platform, manage, limit):
    def refuse(executor, array):
        raise ArrayRefused("array too large", limit=limit)

    platform.array_limit, platform.submit_array = 10, refuse
    server.queue("first", "second", "third")
    manage(reporting=Reporting.WORKER)
    server.until(lambda: len(server.tokens_in(S.DONE)) == 3)
    assert len(platform.arrays) == 1
    server.until(said(server, WRONG, "submit_array: ArrayRefused.limit is"))


def test_an_array_refused_after_outcomes_is_found_and_not_sent_again(server, platform, manage):
    def refuse_late(executor, array):
        yield array.members[0], Accepted("7.1")
        raise ArrayRefused("array too large", limit=2)

    platform.array_limit, platform.submit_array = 10, refuse_late
    platform.has = {ONE: Exited(0), TWO: Exited(0)}
    platform.findings = {TWO: Found("7.2")}
    server.queue("first", "second")
    manage(reporting=Reporting.WORKER)
    server.until(server.all_done(2))
    assert server.ids == {ONE: "7.1", TWO: "7.2"}
    server.until(said(server, WRONG, "it raised ArrayRefused after outcomes"))


def test_submit_that_refuses_an_array_has_not_refused_its_requests(server, platform, manage):
    def refuse(executor, requests):
        raise ArrayRefused("which array?")

    platform.submit = refuse
    platform.findings, platform.has = {ONE: Found("found")}, {ONE: Exited(0)}
    server.queue("first")
    manage()
    server.until(server.all_done(1))
    assert server.ids == {ONE: "found"}


@pytest.mark.parametrize(
    "error", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit(), SystemExit(3), KeyError("x")], ids=repr
)
def test_whatever_a_call_raises_the_next_one_is_made_and_the_plugin_is_named(server, platform, manage, error):
    platform.submit = platform.accept
    server.queue("first")
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 1)
    platform.raises = error
    server.until(
        said(server, f"observe failed, by a fault of the plugin of executor type 'fake': {type(error).__name__}")
    )
    platform.raises, platform.has = None, {ONE: Exited(0)}
    server.until(server.all_done(1))


@pytest.mark.parametrize(
    "words", ["x" * 3_000_000, "\udcff" * 50, "\x1b[2J\nmany\nlines"], ids=["long", "bytes", "lines"]
)
def test_the_words_of_an_outage_harm_no_message(server, platform, manage, words):
    platform.submit = platform.accept
    server.queue("first")
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 1)
    platform.raises = SchedulerUnavailable(words)
    server.until(said(server, "the platform does not answer"))
    platform.raises, platform.has = None, {ONE: Exited(0)}
    server.until(server.all_done(1))


def test_absence_as_of_another_time_is_none(server, platform, manage):
    def never_answered(executor, requests):
        platform.submit = platform.accept_and_end
        return iter(())

    platform.submit = never_answered
    platform.findings = {ONE: Absent(datetime(2026, 1, 31, tzinfo=UTC))}
    server.queue("first")
    manage()
    server.until(said(server, WRONG, f"find of {ONE}", "before the call began"))
    assert server.states[ONE] is S.SUBMITTING
    platform.findings = {ONE: Absent}
    server.until(server.all_done(1))
    assert len([what for what, _ in platform.calls if what == "submit"]) == 2
