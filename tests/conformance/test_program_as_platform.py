"""A program that runs jobs on this host can be the platform itself: no fake of it is written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import guide

from jobmon.cli.app import run

TESTS = """\
import os
from pathlib import Path

from jobmon.testing import ExecutorConformance, LocalPlatform, World
from jobmon_labbatch import Labbatch


class Program(LocalPlatform):
    def attach(self, world: World) -> None:
        super().attach(world)
        self.folder, self.path = world.folder / "bin", os.environ["PATH"]
        self.folder.mkdir()
        (self.folder / "labbatch").symlink_to({program!r})
        os.environ["PATH"] = f"{{self.folder}}:{{self.path}}"
        os.environ["LABBATCH_JOBS"] = str(world.folder / "jobs")

    def close(self) -> None:
        super().close()
        os.environ["PATH"] = self.path

    def job_names(self) -> list[str]:
        jobs = (self.world.folder / "jobs").glob("*/name")
        return list({{path.parent.name.partition(".")[0]: path.read_text() for path in jobs}}.values())


class TestHere(ExecutorConformance):
    executor_type = Labbatch
    platform_type = Program
    resources = {{"labbatch": {{"queue": "long"}}}}
    tells_usage = True
    many = 8
    lives = 2
    shrinks = False
"""

WORKFLOW = """\
from pathlib import Path

from jobmon import BashTask, Workflow
from jobmon.testing import jobs_run_here
from jobmon_labbatch import Labbatch
from test_here import Program


def test_a_small_workflow_runs(tmp_path: Path) -> None:
    with jobs_run_here(Labbatch, Program, tmp_path) as program:
        workflow = Workflow("small", executor="labbatch")
        workflow.add_tasks([BashTask("echo one > one", cwd=str(tmp_path))])
        workflow.run(progress=False).raise_for_failures()
        assert program.folder.is_dir()
    assert (tmp_path / "one").read_text() == "one\\n"
"""


def plugin(tmp_path: Path) -> Path:
    """The guide's plugin, with tests on the real program alone."""
    assert run(["plugin", "new", "labbatch", "--in", str(tmp_path)]) == 0
    folder = tmp_path / "jobmon_labbatch"
    for block in guide.blocks():
        if block.kind == "python":
            guide.write_into(folder / "src" / "jobmon_labbatch" / "__init__.py", block.text)
    shutil.rmtree(folder / "tests")
    (folder / "tests").mkdir()
    guide.labbatch(tmp_path)
    (folder / "tests" / "test_here.py").write_text(TESTS.format(program=str(tmp_path / "labbatch")))
    return folder


def test_an_executor_holds_with_the_real_program_in_the_place_of_a_fake(tmp_path: Path) -> None:
    folder = plugin(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    holding = {area: int(count) for area, count in re.findall(r"^  (\w+) .*?(\d+) hold\b", done.stdout, re.MULTILINE)}
    assert {"core", "array", "find", "usage"} <= holding.keys(), done.stdout
    assert holding["core"] > 30


def test_a_small_workflow_runs_on_the_real_program(tmp_path: Path) -> None:
    folder = plugin(tmp_path)
    (folder / "tests" / "test_workflow.py").write_text(WORKFLOW)
    info = folder / "src" / "jobmon_executor_labbatch-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: jobmon-executor-labbatch\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[jobmon.executors]\nlabbatch = jobmon_labbatch\n")
    environ = os.environ | {"PYTHONPATH": str(folder / "src")}
    for argv, says in (
        (["mypy", "tests/test_workflow.py"], "Success"),
        (["pytest", "tests/test_workflow.py"], "1 passed"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", *argv],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert says in done.stdout
