"""What a call has used is its own, not what an earlier call in its interpreter used."""

import mmap
import subprocess
import sys

from jobmon.worker.usage import SLACK, Usage

BIG = 300 << 20


def test_the_peak_of_a_call_is_its_own() -> None:
    usage = Usage()
    usage.begin()
    held = bytearray(BIG)
    took = usage.ended()["max_rss_bytes"]
    del held
    assert took >= BIG
    usage.begin()
    assert usage.ended()["max_rss_bytes"] <= took - BIG // 2


def test_memory_that_is_given_back_before_the_end_of_a_call_is_in_its_peak_and_in_no_other() -> None:
    usage = Usage()
    usage.begin()
    before = usage.ended()["max_rss_bytes"]
    for _ in range(3):
        usage.begin()
        bytearray(BIG)
        assert usage.ended()["max_rss_bytes"] >= BIG
        usage.begin()
        assert usage.ended()["max_rss_bytes"] <= before + BIG // 2


def test_of_an_earlier_peak_a_call_is_given_no_more_than_is_documented() -> None:
    usage = Usage()
    usage.begin()
    _hold_for_a_moment(BIG)
    usage.ended()
    for size in (SLACK // 2, 10 * SLACK, SLACK // 2, 2 * SLACK):
        usage.begin()
        held = usage.ended()["max_rss_bytes"]
        usage.begin()
        _hold_for_a_moment(size)
        assert usage.ended()["max_rss_bytes"] >= held - SLACK + size
        usage.begin()
        assert usage.ended()["max_rss_bytes"] <= held + 2 * SLACK


def _hold_for_a_moment(size: int) -> None:
    with mmap.mmap(-1, size) as memory:
        memory[:: mmap.PAGESIZE] = bytes(size // mmap.PAGESIZE)


def test_memory_that_is_held_from_an_earlier_call_counts_while_it_is_held() -> None:
    usage = Usage()
    usage.begin()
    held = bytearray(BIG)
    usage.ended()
    usage.begin()
    assert usage.ended()["max_rss_bytes"] >= BIG
    usage.begin()
    del held
    assert usage.ended()["max_rss_bytes"] >= BIG
    usage.begin()
    assert usage.ended()["max_rss_bytes"] < BIG


#: In a process without earlier children: the kernel tells the most that any of them has held, never of a later one.
CHILD = f"""
import subprocess, sys
from jobmon.worker.usage import Usage
usage = Usage()
usage.begin()
subprocess.run([sys.executable, "-c", "bytearray({BIG}); sum(range(3_000_000))"], check=True)
used = usage.ended()
assert used["max_rss_bytes"] >= {BIG}, used
assert used["cpu_s"] > 0, used
usage.begin()
used = usage.ended()
assert used["max_rss_bytes"] < {BIG}, used
assert used["cpu_s"] < 0.1, used
"""


def test_the_memory_and_the_time_of_a_child_are_the_calls_that_waited_for_it() -> None:
    subprocess.run([sys.executable, "-c", CHILD], check=True)
