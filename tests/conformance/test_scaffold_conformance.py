"""A scaffolded executor under the kit: what is left to write fails, one by one, until all of it is written."""

import re
import subprocess
import sys
from pathlib import Path

import guide
import pytest

from jobmon.cli.app import run

PIECES = {"submit", "observe", "cancel", "find"}


@pytest.fixture
def scaffold(tmp_path: Path) -> Path:
    """A new distribution that is not installed."""
    assert run(["plugin", "new", "labbatch", "--in", str(tmp_path)]) == 0
    return tmp_path / "jobmon_labbatch"


def pytest_says(folder: Path, *options: str) -> str:
    """What pytest says in the distribution's folder."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def left(said: str) -> set[str]:
    """The pieces that are said to be left to write."""
    failed = set(re.findall(r"^FAILED .*::(\w+)", said, re.MULTILINE))
    assert all(name.endswith(("_is_written", "_base_class")) for name in failed), failed
    return {name.split("_")[1] for name in failed}


def test_a_new_executor_fails_only_on_what_is_left_to_write_with_a_sentence_each(scaffold: Path) -> None:
    said = pytest_says(scaffold)
    assert left(said) == PIECES
    for piece in PIECES:
        assert len(re.findall(rf"^{piece}: .{{80,}}$", said, re.MULTILINE)) == 1, said
    assert "not exercised: submit is left to write" in said
    assert "core       NOT REACHED" in said


def test_piece_by_piece_the_guide_leads_to_all_levels(scaffold: Path) -> None:
    module = scaffold / "src" / "jobmon_labbatch" / "__init__.py"
    missing = set(PIECES)
    for block in guide.blocks():
        if block.kind != "python":
            continue
        guide.write_into(module, block.text)
        missing -= set(re.findall(r"^def (\w+)", block.text, re.MULTILINE))
        assert left(pytest_says(scaffold, "-k", "is_written")) == missing
    said = pytest_says(scaffold)
    verdicts = dict(re.findall(r"^  (\w+) +(reached|not exercised|NOT REACHED|does not apply)", said, re.MULTILINE))
    assert verdicts == dict.fromkeys(["core", "array", "find", "usage", "reasons", "robustness"], "reached"), said
