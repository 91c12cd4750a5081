"""Token bucket, circuit breaker, polling pace and batch size: time is given, nothing waits."""

import math

import pytest

from jobmon.managers.breaker import Breaker, backoff_s
from jobmon.managers.bucket import TokenBucket
from jobmon.managers.pace import BatchSize, PollPace


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
