"""The kit on a real platform: when it is asked for, what it touches there, and what it leaves."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import guide
import pytest
from users import until

from jobmon.cli.app import run
from jobmon.testing.real_run import PREFIX, real_tokens

MINE = "my-own-job"
LEAVES = """
from jobmon.testing.real_run import PREFIX

class CannotEnd(RealPlatform):
    def jobs(self):
        return {**super().jobs(), "77": PREFIX + "-stays"}


class TestLeaves(RealConformance):
    executor_type = Labbatch
    resources = {"labbatch": {"queue": "long"}}
    platform_type = CannotEnd
    patience_s = 3.0
"""


class Laboratory:
    """A scaffolded executor for the guide's program, which really runs jobs, and a job of the user's own."""

    def __init__(self, folder: Path) -> None:
        assert run(["plugin", "new", "labbatch", "--in", str(folder)]) == 0
        self.folder = folder / "jobmon_labbatch"
        for block in guide.blocks():
            if block.kind == "python":
                guide.write_into(self.folder / "src" / "jobmon_labbatch" / "__init__.py", block.text)
        guide.labbatch(folder)
        self.tests = self.folder / "tests" / "test_labbatch_conformance.py"
        self.environ = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"}
        self.environ.pop("JOBMON_REAL", None)
        self.mine = self.said("labbatch", "submit", MINE, "long", "1", "sleep", "900").strip()

    def said(self, *argv: str) -> str:
        return subprocess.run(argv, env=self.environ, capture_output=True, text=True, check=True, timeout=60).stdout

    def pytest(self, *options: str, **environ: str) -> "subprocess.Popen[str]":
        argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(self.tests), *options]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            argv, cwd=self.folder, env=self.environ | environ, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )

    def live(self) -> list[str]:
        """The names of live jobs."""
        rows = [line.split("\t") for line in self.said("labbatch", "list").splitlines()]
        return [name for _, name, state, _ in rows if state == "running"]

    def jobs(self) -> int:
        """How many jobs there ever were."""
        return len(self.said("labbatch", "list").splitlines())


@pytest.fixture
def laboratory(tmp_path: Path) -> Iterator[Laboratory]:
    made = Laboratory(tmp_path)
    # Whoever started the tests in the background may have had Ctrl-C ignored, and so by all that they start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield made
    finally:
        signal.signal(signal.SIGINT, before)
    made.said("labbatch", "kill", made.mine)


def test_no_real_platform_is_touched_unless_it_is_asked_for(laboratory: Laboratory) -> None:
    said, _ = laboratory.pytest("-k", "TestReal").communicate(timeout=300)
    assert "TestRealLabbatch was not run: it submits jobs to the real platform" in said
    assert laboratory.jobs() == 1


def test_a_run_on_the_real_platform_holds_and_leaves_nothing(laboratory: Laboratory) -> None:
    some = "live or cancelled or array or half or stranger or lost or outage or left_at"
    process = laboratory.pytest("-k", f"TestReal and ({some})", JOBMON_REAL="1")
    said, _ = process.communicate(timeout=900)
    assert process.returncode == 0, said
    assert "TestRealLabbatch (labbatch) on its real platform" in said
    assert laboratory.live() == [MINE]
    assert laboratory.jobs() > 20


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_leaves_nothing(laboratory: Laboratory, how: signal.Signals) -> None:
    process = laboratory.pytest("-k", "TestReal", JOBMON_REAL="1")
    until(lambda: len(laboratory.live()) > 1, "a job of the run is live")
    process.send_signal(how)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 2, said
    assert laboratory.live() == [MINE]


def test_jobs_that_are_left_fail_the_run_and_are_named(laboratory: Laboratory) -> None:
    source = laboratory.tests.read_text().replace("import Answer", "import RealPlatform, Answer", 1)
    laboratory.tests.write_text(source + LEAVES)
    process = laboratory.pytest("-k", "TestLeaves and (live_attempt or left)", JOBMON_REAL="1")
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1, said
    assert re.search(r"these jobs of the run are left at the platform: 77 \(jtest\w{8}-stays\)", said), said


def test_the_command_line_passes_an_interrupt_on_and_waits_for_the_end(laboratory: Laboratory) -> None:
    argv = [sys.executable, "-m", "jobmon", "plugin", "check", "dummy", "--real", "--tests", str(laboratory.tests)]
    environ = laboratory.environ | {"PYTHONPATH": str(laboratory.folder / "src")}
    process = subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until(lambda: len(laboratory.live()) > 1, "a job of the run is live")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1, said
    assert "pytest ended with status 2" in said
    assert laboratory.live() == [MINE]


def test_tokens_of_a_run_share_a_prefix_that_no_token_of_jobmon_has() -> None:
    tokens = real_tokens(3)
    assert all(token.startswith(PREFIX) for token in tokens)
    assert len({len(token) for token in tokens}) == 1
    assert len(set(tokens)) == 3
