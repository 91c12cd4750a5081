"""The import path of our own processes."""

import os
import sys
from pathlib import Path

import pytest

from jobmon import isolated as module
from jobmon.isolated import isolated

LIBRARY = str(Path(os.__file__).parent)
HOME = str(Path(module.__file__).parents[1])
STANDARD = [str(Path(LIBRARY).with_name("python.zip")), LIBRARY, f"{LIBRARY}/lib-dynload"]
SITE = "/opt/site-packages"


@pytest.mark.parametrize(
    ("path", "theirs", "own"),
    [
        ([*STANDARD, SITE], [], [*STANDARD, HOME, SITE]),
        ([*STANDARD, SITE, HOME], [], [*STANDARD, SITE, HOME]),
        (["/theirs", *STANDARD, SITE, HOME], ["/theirs"], [*STANDARD, SITE, HOME]),
        ([*STANDARD, SITE, HOME], [SITE], [*STANDARD, SITE, HOME]),
        ([LIBRARY, *STANDARD[::2], HOME], [LIBRARY], [LIBRARY, *STANDARD[::2], HOME]),
        ([HOME, "/theirs", *STANDARD, SITE], [HOME, "/theirs"], [*STANDARD, HOME, SITE]),
    ],
)
def test_the_library_comes_first_then_jobmon_wherever_it_is_and_nothing_of_the_users(
    path: list[str], theirs: list[str], own: list[str]
) -> None:
    assert module._own_path(path, theirs) == own


def test_the_environment_is_hidden_from_the_interpreter_unless_it_needs_it_to_find_its_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PYTHONHOME", raising=False)
    argv = isolated("jobmon.server", "--data", "x")
    assert argv[:3] == [sys.executable, "-P", "-E"]
    assert argv[-4:] == [str(Path(module.__file__)), "jobmon.server", "--data", "x"]
    monkeypatch.setenv("PYTHONHOME", sys.base_prefix)
    assert "-E" not in isolated("jobmon.server")
