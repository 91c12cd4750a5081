"""A scaffolded executor under the kit: what is left to write fails, one by one, until all of it is written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import guide
import pytest

from jobmon.cli.app import run

#: What is left to write of a new class, by the check that fails for it.
BATCH = {
    "submit": {"submit_argv", "parse_submission"},
    "observe": {"states", "list_argv", "parse_list"},
    "cancel": {"cancel_argv"},
}
PLAIN = {piece: {piece} for piece in ("submit", "observe", "cancel", "find")}


def scaffold(folder: Path, *options: str) -> Path:
    """A new distribution that is not installed."""
    assert run(["plugin", "new", "labbatch", "--in", str(folder), *options]) == 0
    return folder / "jobmon_labbatch"


def pytest_says(folder: Path, *options: str) -> str:
    """What pytest says in the distribution's folder."""
    argv = [sys.executable, "-m", "pytest", *options]
    environ = {name: value for name, value in os.environ.items() if name != "CI"}  # with it pytest cuts no line
    done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def left(said: str) -> set[str]:
    """The pieces that are said to be left to write."""
    failed = set(re.findall(r"^FAILED .*::(\w+)", said, re.MULTILINE))
    assert all(name.endswith(("_is_written", "_base_class")) for name in failed), failed
    return {name.split("_")[1] for name in failed}


@pytest.mark.parametrize(("options", "checks"), [([], BATCH), (["--plain"], PLAIN)])
def test_a_new_executor_fails_only_on_what_is_left_to_write_with_a_sentence_each(
    options: list[str], checks: dict[str, set[str]], tmp_path: Path
) -> None:
    said = pytest_says(scaffold(tmp_path, *options))
    assert left(said) == set(checks)
    for piece in set().union(*checks.values()):
        assert len(re.findall(rf"^{piece}: .{{80,}}$", said, re.MULTILINE)) == 1, said
    assert re.search(r"not exercised: submit(_argv)? is left to write", said)
    assert "core       BROKEN" in said


@pytest.mark.parametrize(
    ("page", "options", "checks"), [(guide.PAGE, [], BATCH), (guide.PLAIN_PAGE, ["--plain"], PLAIN)]
)
def test_piece_by_piece_the_guide_leads_to_all_levels(
    page: Path, options: list[str], checks: dict[str, set[str]], tmp_path: Path
) -> None:
    folder = scaffold(tmp_path, *options)
    module = folder / "src" / "jobmon_labbatch" / "__init__.py"
    missing = {check: set(pieces) for check, pieces in checks.items()}
    for block in guide.blocks(page):
        if block.kind != "python":
            continue
        guide.write_into(module, block.text)
        before = {check for check, pieces in missing.items() if pieces}
        for pieces in missing.values():
            pieces -= guide.pieces(block.text)
        now = {check for check, pieces in missing.items() if pieces}
        if now != before:
            assert left(pytest_says(folder, "-k", "is_written")) == now
    said = pytest_says(folder)
    verdicts = dict(re.findall(r"^  (\w+) +(holds|not exercised|BROKEN|does not apply)", said, re.MULTILINE))
    assert verdicts == dict.fromkeys(["core", "array", "find", "usage", "reasons", "robustness"], "holds"), said
    assert "\nlabbatch reaches silver\n" in said


def written(page: Path, folder: Path) -> None:
    """Write all that the guide writes into a new distribution."""
    for block in guide.blocks(page):
        if block.kind == "python":
            guide.write_into(folder / "src" / "jobmon_labbatch" / "__init__.py", block.text)


@pytest.mark.parametrize(("page", "options"), [(guide.PAGE, []), (guide.PLAIN_PAGE, ["--plain"])])
def test_a_scaffolded_plugin_passes_strict_types_and_its_own_style_new_and_written(
    page: Path, options: list[str], tmp_path: Path
) -> None:
    folder = scaffold(tmp_path, *options)

    def passes(*argv: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", *argv], cwd=folder, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr

    passes("ruff", "check", ".")
    passes("ruff", "format", "--check", ".")
    passes("mypy", "--strict")
    written(page, folder)
    passes("ruff", "check", "--fix-only", "--select", "I", ".")  # where an author puts imports
    passes("ruff", "check", ".")
    passes("mypy", "--strict")


def test_a_small_workflow_runs_on_what_the_guide_has_written(tmp_path: Path) -> None:
    folder = scaffold(tmp_path)
    assert "not installed yet" in workflow_says(folder)
    info = folder / "src" / "jobmon_executor_labbatch-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jobmon-executor-labbatch\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[jobmon.executors]\nlabbatch = jobmon_labbatch\n")
    assert "not exercised: the executor is left to write" in workflow_says(folder)
    written(guide.PAGE, folder)
    assert "1 passed" in workflow_says(folder)


def workflow_says(folder: Path) -> str:
    """What pytest says of the distribution's workflow, installed for those that have its sources on their path."""
    argv = [sys.executable, "-m", "pytest", "-rs", "tests/test_labbatch_workflow.py"]
    environ = os.environ | {"PYTHONPATH": str(folder / "src")}
    done = subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
