"""A program that runs jobs on this host can be the platform itself: no fake of it is written."""

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

from jobmon.testing import ExecutorConformance, LocalPlatform
from jobmon_labbatch import Labbatch


class Program(LocalPlatform):
    def attach(self, world):
        super().attach(world)
        self.folder, self.path = world.folder / "bin", os.environ["PATH"]
        self.folder.mkdir()
        (self.folder / "labbatch").symlink_to({program!r})
        os.environ["PATH"] = f"{{self.folder}}:{{self.path}}"
        os.environ["LABBATCH_JOBS"] = str(world.folder / "jobs")

    def close(self):
        super().close()
        os.environ["PATH"] = self.path

    def job_names(self):
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


def test_an_executor_holds_with_the_real_program_in_the_place_of_a_fake(tmp_path: Path) -> None:
    assert run(["plugin", "new", "labbatch", "--in", str(tmp_path)]) == 0
    folder = tmp_path / "jobmon_labbatch"
    for block in guide.blocks():
        if block.kind == "python":
            guide.write_into(folder / "src" / "jobmon_labbatch" / "__init__.py", block.text)
    shutil.rmtree(folder / "tests")
    (folder / "tests").mkdir()
    guide.labbatch(tmp_path)
    (folder / "tests" / "test_here.py").write_text(TESTS.format(program=str(tmp_path / "labbatch")))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stdout + done.stderr
    holding = {area: int(count) for area, count in re.findall(r"^  (\w+) .*?(\d+) hold\b", done.stdout, re.MULTILINE)}
    assert {"core", "array", "find", "usage"} <= holding.keys(), done.stdout
    assert holding["core"] > 30
