"""What the class of a batch system's executor declares is checked when it is loaded."""

import re
from typing import Any

import pytest
from batch_lab import AccountedLab, Lab

from jobmon.plugins.declared import wrong_declarations


def test_what_can_be_used_is_not_refused() -> None:
    assert [wrong_declarations(cls) for cls in (Lab, AccountedLab)] == [[], []]


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("states", None, r"states is None, not a mapping"),
        ("states", {"R": "running"}, r"states has 'R': 'running', not a word and a Pending, Running or Exited"),
        ("states", {1: None}, r"states has 1: None"),
        ("refusals", None, r"refusals is None, not a pattern"),
        ("not_now", "(", r"not_now is '\(', which cannot be read: "),
        ("too_large", "x*", r"too_large is 'x\*', which is in every text"),
        ("none_listed", b"none", r"none_listed is b'none'"),
        ("name_length", 26, r"name_length is 26, not a whole number of 27 or more"),
        ("cancel_many", 0, r"cancel_many is 0"),
        ("cancel_many", True, r"cancel_many is True"),
        ("submit_limit_s", float("nan"), r"submit_limit_s is nan, not a number of seconds"),
        ("query_limit_s", "20s", r"query_limit_s is '20s'"),
        ("array_limit", lambda _: 5, ""),
        ("submit_argv", lambda _: [], r"submit_argv cannot be called as submit_argv\(request\): "),
        ("parse_list", None, r"parse_list is None, not a method"),
        ("cancel_argv", lambda _, *, ids: ids, r"cancel_argv cannot be called as cancel_argv\(ids\): "),
    ],
)
def test_what_cannot_be_used_is_named(attribute: str, value: Any, said: str) -> None:
    wrong = wrong_declarations(type("Wrong", (Lab,), {attribute: value}))
    assert [len(wrong), bool(wrong and re.match(said, wrong[0]))] == ([1, True] if said else [0, False]), wrong


def test_arrays_need_their_command() -> None:
    from jobmon.plugins import BatchExecutor

    alone = type("Alone", (BatchExecutor,), {"name": "alone", "api_version": (1, 0), "array_limit": lambda _: 5})
    assert wrong_declarations(alone) == ["it has array_limit without submit_array_argv"]
