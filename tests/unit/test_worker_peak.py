"""The memory that a call took is its own, not what an earlier call in its interpreter took."""

from jobmon.worker.peak import Peak

BIG = 300 << 20


def test_the_peak_of_a_call_is_its_own() -> None:
    first = Peak()
    held = bytearray(BIG)
    took = first.bytes()
    del held
    assert took >= BIG
    second = Peak()
    assert second.bytes() <= took - BIG // 2
