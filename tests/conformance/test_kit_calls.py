"""A method that blocks costs a run of the kit little more than one limit, and is named."""

import threading

import pytest

from jobmon.testing.calls import CallThread, Overrun

BLOCKED = threading.Event()


def overrun(overruns: dict[str, int], limit_s: float) -> str:
    """The words of a call of a method that blocks, made by a new test."""
    calls = CallThread(limit_s, overruns)
    with pytest.raises(Overrun) as caught:
        calls.call("find", BLOCKED.wait)
    calls.close()
    return str(caught.value)


def test_a_method_that_blocks_is_named_with_its_limit_and_what_to_do() -> None:
    said = overrun({}, 0.05)
    assert said.startswith("find gave no answer within 0.05 s: limit the time of what it asks of its platform")
    BLOCKED.set()


def test_what_has_overrun_three_times_is_not_called_any_more() -> None:
    called: list[int] = []
    overruns = {"find": 1}
    calls = CallThread(600.0, overruns)
    assert calls.call("observe", lambda: 7) == 7, "another method has its whole time"
    calls.close()

    overruns["find"] = 3
    calls = CallThread(600.0, overruns)
    with pytest.raises(Overrun, match=r"^find gave no answer within 600 s"):
        calls.call("find", lambda: called.append(1))
    calls.close()
    assert called == []


def test_the_thread_ends_with_its_test() -> None:
    calls = CallThread(60.0, {})
    calls.call("observe", list)
    calls.close()
    assert not calls.thread.is_alive()
