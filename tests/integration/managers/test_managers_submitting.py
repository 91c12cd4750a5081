"""What comes of submissions, whatever the executor does."""

import re
import time

import pytest

from jobmon.plugins import (
    Absent,
    Accepted,
    Deferred,
    Exited,
    Found,
    SchedulerUnavailable,
    Uncertain,
)
from jobmon.states.names import InstanceState as S

PATIENCE_S = 20.0


def test_jobs_end_and_the_manager_ends_by_itself(server, platform, manage):
    server.queue(*[f"task {i}" for i in range(250)])
    manager = manage()
    server.until(server.all_done(250))
    server.run_active = False
    assert manager.join(PATIENCE_S)
    assert "/leases/release" in server.paths
    assert {token: "id of " + token for token in server.states} == server.ids


def test_single_submissions_keep_to_the_rate_one_by_one(server, platform, manage):
    at = []

    def note_when(executor, requests):
        for request in requests:
            at.append(time.monotonic())
            yield from platform.accept_and_end(executor, [request])

    platform.submit = note_when
    server.queue(*"abcdef")
    begun_s = time.monotonic()  # what is noted first may be noted late
    manage(rate_per_s=20.0, burst=1)
    server.until(server.all_done(6))
    assert at[-1] - begun_s >= 5 / 20


def test_the_platform_is_told_whose_ends_are_settled(server, platform, manage):
    server.queue(*"abc")
    manage()
    server.until(lambda: sorted(platform.settled) == sorted(server.states) and len(platform.settled) == 3)


def test_no_more_is_claimed_than_may_run(server, platform, manage):
    platform.limit, platform.submit = 3, platform.accept
    server.queue(*"abcdefgh")
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 3)
    platform.has.update(dict.fromkeys(server.states, Exited(0)))
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 3 and len(server.tokens_in(S.DONE)) == 3)
    assert len(server.states) == 6


def raises_after_one(executor, requests):
    yield from executor.settings.accept_and_end(executor, requests[:1])
    raise RuntimeError("a bug of the plugin")


def ends_after_one(executor, requests):
    yield from executor.settings.accept_and_end(executor, requests[:1])


def loses_the_scheduler_after_one(executor, requests):
    yield from executor.settings.accept_and_end(executor, requests[:1])
    raise SchedulerUnavailable("connection refused")


def overruns_after_one(executor, requests):
    yield from executor.settings.accept_and_end(executor, requests[:1])
    executor.settings.blocked.wait(PATIENCE_S)


def is_uncertain_after_one(executor, requests):
    yield from executor.settings.accept_and_end(executor, requests[:1])
    for request in requests[1:]:
        yield request.token, Uncertain("no answer in time")


def yields_nonsense_after_one(executor, requests):
    yield from executor.settings.accept_and_end(executor, requests[:1])
    yield requests[1].token, "accepted"
    yield "jsomebody-elses", Accepted("1")


@pytest.mark.parametrize(
    "submit",
    [
        raises_after_one,
        ends_after_one,
        loses_the_scheduler_after_one,
        overruns_after_one,
        is_uncertain_after_one,
        yields_nonsense_after_one,
    ],
)
def test_submissions_without_an_outcome_are_found_and_never_sent_twice(server, platform, manage, submit):
    first, second, third = (f"j{i:026d}" for i in (1, 2, 3))
    platform.submit = submit
    platform.findings = {second: Found("found"), third: Found("found too")}
    platform.has = {second: Exited(0), third: Exited(0)}
    server.queue("a", "b", "c")
    manage(call_timeout_s=0.3)
    server.until(server.all_done(3))
    assert {first: "id of " + first, second: "found", third: "found too"} == server.ids
    assert len([tokens for what, tokens in platform.calls if what == "submit"]) == 1


def test_a_submission_that_the_platform_does_not_have_is_queued_again_with_another_token(server, platform, manage):
    def first_is_uncertain(executor, requests):
        platform.submit = platform.accept_and_end
        platform.findings = {requests[0].token: Absent}
        yield requests[0].token, Uncertain("no answer in time")

    platform.submit = first_is_uncertain
    server.queue("a")
    manage()
    server.until(server.all_done(1))
    assert list(server.states.values()) == [S.NO_EXECUTOR_ID, S.DONE]


def test_an_overrunning_call_is_left_behind_with_its_executor(server, platform, manage):
    def overruns_once(executor, requests):
        platform.submit = platform.accept_and_end
        platform.findings = {requests[0].token: Absent}
        platform.blocked.wait(PATIENCE_S)
        yield requests[0].token, Accepted("too late")

    platform.submit = overruns_once
    server.queue("a")
    manage(call_timeout_s=0.2)
    server.until(server.all_done(1))
    assert platform.made == 2
    assert "too late" not in server.ids.values()


def test_an_outage_of_the_platform_fails_nothing_and_is_told(server, platform, manage):
    platform.submit = platform.accept
    server.queue("a", "b")
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 2)
    platform.away = True
    server.queue("c")
    server.until(lambda: any("connection refused" in note.get("fake", "") for note in server.notes))
    calls = len(platform.calls)
    server.until(lambda: len(platform.calls) > calls + 5)
    assert {S.RUNNING, S.SUBMITTING} >= set(server.states.values())
    platform.findings = dict.fromkeys(server.tokens_in(S.SUBMITTING), Absent)
    platform.submit = platform.accept_and_end
    platform.has.update(dict.fromkeys(server.tokens_in(S.RUNNING), Exited(0)))
    platform.away = False
    server.until(server.all_done(3))


def test_nothing_is_claimed_while_the_platform_defers(server, platform, manage):
    def defers(executor, requests):
        platform.submit = platform.accept_and_end
        return [(request.token, Deferred("the queue is full", 0.05)) for request in requests]

    platform.submit = defers
    server.queue("a")
    manage()
    server.until(server.all_done(1))
    assert list(server.whys.values()) == ["the queue is full"]


def test_a_platform_that_takes_nothing_costs_one_attempt_a_try_and_status_says_since_when_and_why(
    server, platform, manage
):
    tries = []

    def defers(executor, requests):
        tries.append(len(requests))
        return [(request.token, Deferred("the queue is full", 0.01)) for request in requests]

    platform.submit = defers
    server.queue(*(f"task {i}" for i in range(300)))
    manage()
    said = re.compile(r"the platform takes no more jobs since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC: the queue is full")
    server.until(lambda: any(said.search(note.get("fake", "")) for note in server.notes))
    server.until(lambda: len(tries) > 6)
    platform.submit = platform.accept_and_end
    server.until(server.all_done(300))
    assert tries[0] == 100
    assert set(tries[3:]) == {1}  # up to two submissions were on their way when the first was put off
    assert len(server.states) <= 300 + sum(tries) + 200
    server.until(lambda: server.notes and "no more jobs" not in server.notes[-1].get("fake", ""))


def test_an_executor_that_cannot_be_started_again_gets_nothing_and_nothing_is_lost(server, platform, manage):
    def overruns_once(executor, requests):
        platform.submit = platform.accept_and_end
        platform.findings = {requests[0].token: Absent}
        platform.refuses_to_start = 2
        platform.blocked.wait(PATIENCE_S)
        yield requests[0].token, Accepted("too late")

    platform.submit = overruns_once
    server.queue("a")
    manage(call_timeout_s=0.2)
    server.until(lambda: platform.refuses_to_start == 0 and len(server.tokens_in(S.DONE)) == 1)
    assert len([what for what, _ in platform.calls if what == "submit"]) == 2


def test_a_call_given_up_while_its_executor_started_never_reaches_it(server, platform, manage):
    platform.holds_start = True
    server.queue("a")
    manage(call_timeout_s=0.1)
    server.until(lambda: platform.made >= 2)
    assert platform.calls == []
    platform.holds_start = False
    platform.blocked.set()
    server.until(server.all_done(1))
    assert len([what for what, _ in platform.calls if what == "submit"]) == 1
