"""The mutants: each is caught by the check that is named for it, and a fake that is too kind lets it through."""

import subprocess
import sys
from pathlib import Path

import pytest
from labbatch import BatchPlatform, LabBatch
from reference import MemoryConformance

from jobmon.reports.files import read_findings
from jobmon.reports.records import Outcome
from jobmon.reports.verdicts import Fate, verdict
from jobmon.testing import ExecutorConformance
from jobmon.testing.mutants import MUTANTS
from jobmon.testing.mutation import Mutant
from jobmon.testing.results import kit_sentences
from jobmon.testing.world import World


class Commands(ExecutorConformance):
    """The kit on fake commands."""

    executor_type = LabBatch
    platform_type = BatchPlatform
    lives = 0


def outcome(kit: type[ExecutorConformance], one: Mutant | None, check: str, folder: Path) -> str:
    """What comes of a check, with a mutant in the place of the class."""
    made = {} if one is None else {"executor_type": one.change(kit.executor_type)}
    conformance = type("Subject", (kit,), made)()
    folder.mkdir()
    try:
        world = World(conformance, folder)
        try:
            getattr(conformance, check)(world)
        finally:
            world.close()
    except pytest.skip.Exception as skipped:
        return f"skipped: {skipped}"
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a mutant may fail in any way
        return "caught"
    return "passed"


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_of_a_right_executor_fails_the_checks_that_are_named_for_it(name: str, tmp_path: Path) -> None:
    one = MUTANTS[name]
    kit = Commands if one.needs == "commands" else MemoryConformance
    assert one.does_not_apply(kit.executor_type, kit.platform_type) == ""
    assert set(one.caught_by) <= set(kit_sentences())
    for number, check in enumerate(one.caught_by):
        assert outcome(kit, None, check, tmp_path / f"right-{number}") == "passed", "else nothing is shown"
        assert outcome(kit, one, check, tmp_path / f"wrong-{number}") == "caught"


def test_there_are_many_mutants_and_each_says_what_it_does_and_what_to_add() -> None:
    assert len(MUTANTS) >= 25
    assert len({one.what for one in MUTANTS.values()}) == len(MUTANTS)
    assert all(one.what and one.fake and one.add and one.caught_by for one in MUTANTS.values())


def test_a_mutant_that_cannot_be_made_of_a_type_says_why() -> None:
    from jobmon_sequential import Sequential

    assert MUTANTS["forgets_the_index"].does_not_apply(Sequential, None) == "it does not define submit_array"
    said = MUTANTS["reads_half_a_list_as_whole"].does_not_apply(Sequential, None)
    assert said == "its platform is not reached through commands"


KIND = """
import sys
sys.path.insert(0, {folder!r})
from labbatch import BatchPlatform, LabBatch
from jobmon.testing import ExecutorConformance
class Kind(BatchPlatform):
    def half_answer(self):
        '''Too kind: its listings are always whole.'''
class TestLab(ExecutorConformance):
    executor_type = LabBatch
    platform_type = {platform}
"""


@pytest.mark.parametrize(("platform", "fate"), [("BatchPlatform", Fate.CAUGHT), ("Kind", Fate.LET_THROUGH)])
def test_a_fake_that_is_too_kind_lets_a_mutant_through_and_another_does_not(
    platform: str, fate: Fate, tmp_path: Path
) -> None:
    tests = tmp_path / "test_lab.py"
    tests.write_text(KIND.format(folder=str(Path(__file__).parent), platform=platform))
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    argv += ["--conformance-mutant", "reads_half_a_list_as_whole", "--conformance-results", str(tmp_path / "r.json")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False, cwd=tmp_path)
    assert done.returncode == (1 if fate is Fate.CAUGHT else 0), done.stdout + done.stderr
    findings = read_findings(tmp_path / "r.json")["labbatch"]
    assert verdict(findings, MUTANTS["reads_half_a_list_as_whole"].caught_by).fate is fate
    run = [one.check for one in findings.trials[0].results if not one.not_run]
    assert run == list(MUTANTS["reads_half_a_list_as_whole"].caught_by), "the rest is for those that get through"


def test_a_class_that_makes_something_else_than_its_type_lets_all_through(tmp_path: Path) -> None:
    class Stubborn(MemoryConformance):
        def make(self, platform):
            return MemoryConformance.executor_type(MemoryConformance.executor_type.settings_type(platform))

    said = outcome(Stubborn, MUTANTS["drops_an_outcome"], "test_each_request_gets_one_outcome", tmp_path / "world")
    assert said.startswith("skipped: not exercised: make() of the test class makes something else")


def checked(*options: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "jobmon", "plugin", "check", "dummy", "--mutants", *options]
    return subprocess.run(argv, capture_output=True, text=True, timeout=600, check=False)


def test_the_command_is_bounded_in_time_and_says_what_it_could_not_judge(tmp_path: Path) -> None:
    own = Path(__file__).resolve().parents[2] / "plugins" / "jobmon_dummy" / "tests" / "test_dummy_conformance.py"
    slow = tmp_path / "test_slow.py"
    slow.write_text(
        own.read_text() + "\n    def test_that_does_not_end(self):\n        import signal\n        signal.pause()\n"
    )
    done = checked("--tests", str(slow), "--within", "5")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "its tests did not come to their end" in done.stderr
    done = checked()
    assert done.returncode == 2
    assert "--mutants needs --tests" in done.stderr


def test_what_was_not_exercised_is_let_through_with_its_reason_and_what_does_not_apply_is_neither() -> None:
    assert verdict(None, ["test_a"]).fate is Fate.NOT_JUDGED
    from jobmon.reports.records import Area, Findings, Result, Sentence, Trial, Tried

    def findings(*outcomes: Outcome) -> Findings:
        results = [Result("test_a", Sentence(Area.CORE, "It does."), one, "why") for one in outcomes]
        return Findings(tuple(Trial("TestIt", "it", Tried.FAKE, None, (one,)) for one in results))

    idle = verdict(findings(Outcome.NOT_EXERCISED, Outcome.DOES_NOT_APPLY), ["test_a"])
    assert (idle.fate, idle.why) == (Fate.LET_THROUGH, "not exercised: why")
    assert verdict(findings(Outcome.DOES_NOT_APPLY), ["test_a"]).fate is Fate.DOES_NOT_APPLY
    assert verdict(findings(Outcome.HOLDS, Outcome.BROKEN), ["test_a"]).fate is Fate.CAUGHT, "one class is enough"
