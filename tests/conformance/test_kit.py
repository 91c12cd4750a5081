"""What the kit says at the end, and how it is reached from the command line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from jobmon.reports.records import Area, Findings, Level, Outcome, Result, Sentence, Trial, Tried
from jobmon.testing.summary import summary

HOLDS, BROKEN, IDLE, NONE = Outcome


def lines(*checks: tuple[Area, Outcome], claims: Level | None = None) -> list[str]:
    """The summary of a class with these checks."""
    results = [
        Result(f"test_{n}", Sentence(area, "A sentence."), outcome, "why") for n, (area, outcome) in enumerate(checks)
    ]
    trial = Trial("TestIt", "it", Tried.FAKE, claims, tuple(results))
    return list(summary({"it": Findings((trial,))}))


def areas(*checks: tuple[Area, Outcome]) -> dict[str, str]:
    """The summary's verdict by area."""
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines(*checks) if line.split()[0] in list(Area)}


def test_an_area_holds_when_all_that_applies_holds() -> None:
    assert areas((Area.CORE, HOLDS), (Area.CORE, NONE))["core"] == "holds  1 hold, 1 do not apply"


def test_an_area_with_a_check_that_was_not_exercised_does_not_hold() -> None:
    said = areas((Area.CORE, HOLDS), (Area.CORE, IDLE))
    assert said["core"] == "not exercised in full  1 hold, 1 not exercised"


def test_an_area_without_any_check_that_ran_does_not_hold() -> None:
    said = areas((Area.FIND, IDLE), (Area.USAGE, NONE))
    assert said["find"] == "not exercised"
    assert said["usage"] == "does not apply"
    assert said["core"] == "not exercised"


def test_a_failure_names_the_sentence_that_it_breaks() -> None:
    said = lines((Area.CORE, BROKEN))
    assert '  broken (core): "A sentence."  test_0' in said
    assert "  core       BROKEN  1 broken" in said
    assert "it reaches no level" in said


def test_the_command_line_checks_an_installed_type_and_prints_its_levels() -> None:
    argv = [sys.executable, "-m", "jobmon", "plugin", "check", "sequential"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TestInstalled (sequential) on its real platform" in done.stdout
    assert "  core       holds" in done.stdout
    assert "  robustness not exercised in full" in done.stdout


def test_the_command_line_fails_when_a_sentence_is_broken(tmp_path: Path) -> None:
    tests = tmp_path / "test_wrong_conformance.py"
    tests.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from wrong_declarations import WorksInTheConstructor\nfrom reference import MemoryConformance\n"
        "class TestWrong(MemoryConformance):\n    executor_type = WorksInTheConstructor\n    lives = 0\n"
    )
    argv = [sys.executable, "-m", "jobmon", "plugin", "check", "dummy", "--tests", str(tests)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert 'broken (core): "The constructor does no work."' in done.stdout


def test_a_test_file_imports_what_is_in_its_folder_and_each_of_several_does(tmp_path: Path) -> None:
    given = []
    for one in ("first", "second"):
        folder = tmp_path / f"the {one}"
        folder.mkdir()
        (folder / f"helper_{one}.py").write_text("VALUE = 1\n")
        (folder / f"test_{one}.py").write_text(
            f"from helper_{one} import VALUE\nfrom jobmon.testing import ExecutorConformance\n"
            "from jobmon_dummy import Dummy\n"
            f"class Test{one.title()}(ExecutorConformance):\n    executor_type = Dummy\n    lives = 0\n    many = 2\n"
        )
        given += ["--tests", str(folder / f"test_{one}.py")]
    argv = [sys.executable, "-m", "jobmon", "plugin", "check", "dummy", *given]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)
    assert "TestFirst (dummy)" in done.stdout, done.stdout + done.stderr
    assert "TestSecond (dummy)" in done.stdout, done.stdout + done.stderr


def test_without_a_platform_object_a_platform_that_does_not_answer_breaks_no_sentence(tmp_path: Path) -> None:
    tests = tmp_path / "test_away_conformance.py"
    tests.write_text(
        "from jobmon.plugins import Executor, SchedulerUnavailable\nfrom jobmon.testing import ExecutorConformance\n"
        "def away():\n    raise SchedulerUnavailable('there is no spooler')\n"
        "class Away(Executor):\n    name = 'away'\n"
        "    def submit(self, *, requests): return away()\n"
        "    def observe(self, *, submitted): return away()\n"
        "    def cancel(self, *, submitted): return away()\n"
        "    def find(self, *, submissions): return away()\n"
        "class TestAway(ExecutorConformance):\n    executor_type = Away\n"
    )
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "its platform does not answer here: there is no spooler" in done.stdout


def test_what_is_not_exercised_fails_where_a_class_says_that_all_of_it_can_be(tmp_path: Path) -> None:
    tests = tmp_path / "test_bare_conformance.py"
    tests.write_text(
        f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from payloads import PayloadsConformance\nclass TestBare(PayloadsConformance):\n    complete = True\n"
    )
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "refused", str(tests)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "not exercised: the platform object has no refuse(); the class says complete = True" in done.stdout


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ("pass", "TestIt: executor_type is None, not a class derived from Executor"),
        ("executor_type = 'dummy'", "TestIt: executor_type is 'dummy', not a class derived from Executor"),
        (
            "executor_type = Dummy\n    settings = {'seed': 1}\n    complete = True",
            "TestIt: settings is {'seed': 1}, not an instance of the settings_type of Dummy: "
            "write settings = Settings(...)",
        ),
        (
            "executor_type = Needs",
            "TestIt: settings is not given, and Needed() fails (TypeError: Needed.__init__() missing 1 required "
            "positional argument: 'queue'): write settings = Needed(...)",
        ),
        (
            "executor_type = Dummy\n    resources = {'gpu': 1}",
            "TestIt: resources is {'gpu': 1}, which no task could ask for: unknown resource 'gpu'; did you mean "
            """'gpus'?; write it as {"cores": 1, "dummy": {...}}""",
        ),
        (
            "executor_type = Dummy\n    resources = Resources()",
            "TestIt: resources is Resources(cores=1, memory=None, runtime=None, gpus=0, own=None), not a table as a "
            """task has it: write resources = {"cores": 1, "dummy": {...}}""",
        ),
        (
            "executor_type = Dummy\n    platform_type = 5",
            "TestIt: platform_type is 5, not a class derived from Platform (the class, not an object of it)",
        ),
    ],
)
def test_a_test_class_that_is_wrong_fails_once_with_a_sentence(tmp_path: Path, attributes: str, said: str) -> None:
    tests = tmp_path / "test_wrong_conformance.py"
    tests.write_text(
        "import attrs\nfrom jobmon.plugins import Resources\nfrom jobmon.testing import ExecutorConformance\n"
        "from jobmon_dummy import Dummy\n@attrs.frozen\nclass Needed:\n    queue: str\n"
        f"class Needs(Dummy):\n    settings_type = Needed\nclass TestIt(ExecutorConformance):\n    {attributes}\n"
    )
    some = ["-k", "set_up or written or constructor"]
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *some, str(tests)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path)
    assert done.stdout.splitlines().count(said) == 1, done.stdout
    assert done.stdout.count("\nFAILED ") == 1
    assert re.search(r"^1 failed, \d+ skipped, \d+ deselected in ", done.stdout, re.MULTILINE)
    assert "not exercised: the test class is not set up (" in done.stdout


def test_the_pytest_plugin_imports_nothing_of_the_kit() -> None:
    code = "import sys, jobmon.testing.reporting; print([m for m in sys.modules if m.startswith('jobmon.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['jobmon.testing', 'jobmon.testing.reporting']"
