"""The reports beside the plugins of this repository are what the kit says of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobmon.reports.files import read
from jobmon.reports.levels import claim, reached, refusals
from jobmon.reports.records import Outcome, Report
from jobmon.testing.results import kit_sentences

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path.name.removeprefix("jobmon_") for path in (ROOT / "plugins").glob("jobmon_*"))
RENEW = "run: make reports"


def stored(name: str) -> Path:
    return ROOT / "plugins" / f"jobmon_{name}" / "conformance.json"


def own_tests(name: str) -> Path:
    return ROOT / "plugins" / f"jobmon_{name}" / "tests" / f"test_{name}_conformance.py"


def checked(name: str, *options: str, tests: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`jobmon plugin check` of a type, with its own tests."""
    argv = [sys.executable, "-m", "jobmon", "plugin", "check", name, "--tests", str(tests or own_tests(name)), *options]
    return subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.parametrize("name", PLUGINS)
def test_a_plugin_has_a_report_by_which_its_claim_holds(name: str) -> None:
    """A sentence that is new need not be in it at once: the plugin's own tests hold its claim by all of them."""
    report = read(stored(name))
    assert (report.type, report.distribution) == (name, f"jobmon-executor-{name}")
    for trial in report.findings.trials:
        told = {one.check: one.sentence.area for one in trial.results}
        now = {check: sentence.area for check, sentence in kit_sentences().items()}
        assert {check: told.get(check, area) for check, area in now.items()} == now, RENEW
        assert len(now.keys() - told.keys()) <= len(now) // 5, RENEW
        assert [one.check for one in trial.results if one.not_run] == []
    assert report.levels == reached(report.findings), RENEW
    assert report.claims is not None
    assert report.claims == claim(report.findings) == report.levels[-1]
    assert f'claims = "{report.claims}"' in own_tests(name).read_text(encoding="utf-8"), RENEW
    assert [*report.refused, *report.problems, *refusals(report.findings)] == []


def outcomes(report: Report) -> dict[tuple[str, str], Outcome]:
    """What came of each check, by class and check."""
    return {(trial.name, one.check): one.outcome for trial in report.findings.trials for one in trial.results}


@pytest.mark.parametrize("name", ["dummy", "sequential"])
def test_a_report_that_is_made_now_says_the_same(name: str, tmp_path: Path) -> None:
    """Of the types whose kit takes seconds."""
    done = checked(name, "--report", str(tmp_path / "report.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    now, then = read(tmp_path / "report.json"), read(stored(name))
    both = outcomes(now).keys() & outcomes(then).keys()
    assert {key: outcomes(now)[key] for key in both} == {key: outcomes(then)[key] for key in both}, RENEW
    assert (now.levels, now.claims, now.contract) == (then.levels, then.claims, then.contract), RENEW


def test_a_page_is_made_of_all_of_them() -> None:
    argv = [sys.executable, "-m", "jobmon", "plugin", "catalogue", *(str(stored(name)) for name in PLUGINS)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| `")]
    assert [row[0] for row in rows] == [f"| `{name}`" for name in PLUGINS]


def test_a_page_imports_no_plugin_and_names_files_that_are_no_report(tmp_path: Path) -> None:
    """Reports of a type that would end whatever imports it."""
    (tmp_path / "jobmon_dummy.py").write_text("import os\nos._exit(99)\n")
    (tmp_path / "odd\x1b[2J.json").write_text("{")
    argv = [sys.executable, "-m", "jobmon", "plugin", "catalogue", str(stored("dummy")), "odd\x1b[2J.json"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "| `dummy` |" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert "Input data was truncated" in done.stderr


HEAD = """
import os, sys
sys.path.insert(0, {folder!r})
from jobmon_dummy import Dummy
from jobmon.testing import ExecutorConformance
class TestOther(ExecutorConformance):
    executor_type = Dummy
"""


def test_a_report_is_written_also_when_the_kits_process_is_killed(tmp_path: Path) -> None:
    tests = tmp_path / "test_killed.py"
    tests.write_text(HEAD.format(folder=str(tmp_path)) + "    def test_zzz(self):\n        os._exit(7)\n")
    done = checked("dummy", "--report", str(tmp_path / "report.json"), tests=tests)
    assert done.returncode == 1
    report = read(tmp_path / "report.json")
    assert report.problems[0] == "the kit's process did not come to its end: pytest ended with status 7"
    assert Outcome.HOLDS in outcomes(report).values(), "what was known until then is kept"


def test_a_report_is_written_also_when_the_type_cannot_be_used_or_was_not_tried(tmp_path: Path) -> None:
    done = checked("dummy", "--report", str(tmp_path / "report.json"), tests=Path(__file__).with_name("reference.py"))
    assert done.returncode == 1
    assert "no test class tried the executor type 'dummy'" in done.stderr
    assert read(tmp_path / "report.json").levels == ()
    argv = [sys.executable, "-m", "jobmon", "plugin", "check", "none_such", "--report", "report.json"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 4
    said = json.loads((tmp_path / "report.json").read_text())
    assert (said["distribution"], said["levels"]) == ("", [])
    assert said["problems"][0].startswith("UnknownExecutor: executor type 'none_such' is not installed")


def test_a_claim_that_does_not_hold_is_refused_and_a_check_in_the_place_of_the_kits_tells_nothing(
    tmp_path: Path,
) -> None:
    tests = tmp_path / "test_claims.py"
    own = ROOT / "plugins" / "jobmon_dummy" / "tests" / "test_dummy_conformance.py"
    body = "\n    def test_cancel_is_written(self):\n        pass\n"
    tests.write_text(own.read_text().replace('claims = "silver"', 'claims = "bronze"') + body)
    done = checked("dummy", "--report", str(tmp_path / "report.json"), tests=tests)
    assert done.returncode == 1, done.stdout
    assert "CLAIM REFUSED: bronze is claimed, and not reached; bronze: 1 sentence of core" in done.stdout
    report = read(tmp_path / "report.json")
    assert (report.claims, report.levels) == ("bronze", ())
    assert report.refused
    assert outcomes(report)["TestDummy", "test_cancel_is_written"] is Outcome.NOT_EXERCISED
    tests.write_text(tests.read_text().replace("bronze", "diamond"))
    done = checked("dummy", tests=tests)
    assert done.returncode == 1
    assert "TestDummy.claims is 'diamond'; the levels are bronze, silver, gold, platinum" in done.stdout + done.stderr
