"""Token bucket, circuit breaker, polling pace and batch size: time is given, nothing waits."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from jobmon.managers.breaker import Breaker, backoff_s
from jobmon.managers.bucket import TokenBucket
from jobmon.managers.pace import BatchSize, PollPace
from jobmon.managers.put_off import PutOff

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_bucket_lets_its_burst_pass_and_then_one_call_per_interval():
    bucket = TokenBucket(rate_per_s=2.0, burst=3, now_s=100.0)
    assert [bucket.take(100.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.5, 1.0]


def test_a_bucket_that_rested_holds_its_burst_and_no_more():
    bucket = TokenBucket(rate_per_s=2.0, burst=3, now_s=0.0)
    assert [bucket.take(1000.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]


def test_a_bucket_survives_a_clock_that_goes_back():
    bucket = TokenBucket(rate_per_s=1.0, burst=1, now_s=100.0)
    assert bucket.take(100.0) == 0.0
    assert bucket.take(50.0) == 1.0


def test_a_bucket_without_a_rate_never_waits():
    bucket = TokenBucket(rate_per_s=math.inf, burst=1, now_s=0.0)
    assert {0.0} == {bucket.take(0.0) for _ in range(1000)}


@pytest.mark.parametrize(("failures", "expected_s"), [(1, 1.0), (2, 2.0), (3, 4.0), (7, 60.0), (10_000, 60.0)])
def test_the_pause_doubles_up_to_a_limit(failures, expected_s):
    assert expected_s == backoff_s(failures, 0.0)


def test_jitter_takes_up_to_half_of_the_pause():
    assert backoff_s(3, 1.0) == 2.0


def test_a_breaker_opens_at_a_failure_and_closes_at_the_first_success():
    breaker = Breaker(lambda: 0.0)
    assert breaker.wait_s(5.0) == 0.0
    breaker.failed(10.0, "connection refused")
    breaker.failed(11.0, "connection refused")
    assert (breaker.failures, breaker.why, breaker.wait_s(11.0)) == (2, "connection refused", 2.0)
    assert breaker.wait_s(13.0) == 0.0
    breaker.succeeded()
    assert (breaker.failures, breaker.wait_s(11.0)) == (0, 0.0)


def test_polling_slows_down_while_nothing_changes_and_hurries_when_something_does():
    pace = PollPace(1.0, 4.0)
    assert [pace.next_pause_s(changed=False, cost_s=0.0) for _ in range(5)] == [1.5, 2.25, 3.375, 4.0, 4.0]
    assert pace.next_pause_s(changed=True, cost_s=0.0) == 1.0
    pace.next_pause_s(changed=False, cost_s=0.0)
    assert pace.hurry() == 1.0


def test_an_end_is_noticed_within_half_the_time_since_the_last_change():
    pace, elapsed_s = PollPace(0.02, 1000.0), 0.0
    for _ in range(30):
        pause_s = pace.next_pause_s(changed=False, cost_s=0.0)
        elapsed_s += pause_s
        assert pause_s <= elapsed_s / 2 + 0.03


def test_an_expensive_poll_is_made_seldom():
    pace = PollPace(0.02, 15.0)
    assert pace.next_pause_s(changed=True, cost_s=1.0) == 5.0
    assert pace.next_pause_s(changed=True, cost_s=100.0) == 15.0


def test_batches_grow_where_submitting_is_cheap_and_shrink_where_it_is_not():
    batch = BatchSize(most=1000)
    assert batch.size == 100
    batch.measured(100, cost_s=0.001)
    assert batch.size == 1000
    batch.measured(1000, cost_s=100.0)
    assert batch.size == 20
    batch.measured(20, cost_s=100.0)
    assert batch.size == 1


def test_a_small_batch_grows_tenfold_at_most():
    batch = BatchSize(most=1000, first=1)
    batch.measured(1, cost_s=0.0)
    assert batch.size == 10


def test_a_platform_that_takes_nothing_is_tried_later_each_time_up_to_a_limit_however_long_it_lasts():
    put_off, now_s, pauses = PutOff(), 1000.0, []
    for _ in range(5000):
        put_off.again(now_s, NOON, "the queue is full", 15.0)
        pauses.append(put_off.wait_s(now_s))
        now_s += pauses[-1]
    assert pauses[:4] == [15.0, 30.0, 60.0, 60.0]
    assert set(pauses[2:]) == {60.0}


def test_it_says_since_when_and_why_with_the_newest_reason():
    put_off = PutOff()
    assert put_off.words() == ""
    put_off.again(0.0, NOON, "the queue is full", 15.0)
    put_off.again(20.0, NOON + timedelta(seconds=20), "the controller is away", 15.0)
    assert put_off.words() == ("the platform takes no more jobs since 2026-01-31 12:00:00 UTC: the controller is away")
    put_off.over()
    assert (put_off.words(), put_off.wait_s(20.0)) == ("", 0.0)


def test_a_free_place_ends_the_pause_but_not_sooner_than_the_platform_asks_for():
    put_off = PutOff()
    for now_s in (0.0, 15.0, 45.0):
        put_off.again(now_s, NOON, "the queue is full", 15.0)
    put_off.room()
    assert put_off.wait_s(50.0) == 10.0
    assert put_off.wait_s(60.0) == 0.0


def test_outcomes_that_were_on_their_way_do_not_lengthen_the_pause():
    put_off = PutOff()
    for _ in range(100):
        put_off.again(0.0, NOON, "the queue is full", 15.0)
    assert put_off.wait_s(0.0) == 15.0


def test_a_platform_that_asks_for_a_long_pause_gets_it():
    put_off = PutOff()
    put_off.again(0.0, NOON, "maintenance", 600.0)
    assert put_off.wait_s(0.0) == 600.0


def test_after_a_put_off_no_more_is_sent_than_was_taken_and_it_grows_carefully():
    size = BatchSize(1000)
    size.put_off(3)
    sizes = [size.size]
    for _ in range(4):
        size.measured(size.size, 0.001)
        sizes.append(size.size)
    size.put_off(0)
    assert (sizes, size.size) == ([3, 6, 12, 24, 48], 1)
