"""The kit tested: every check against every wrong executor."""

import importlib
import importlib.util
import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jobmon_dummy import Dummy
from payloads import Payloads, PayloadsConformance
from reference import Memory, MemoryConformance
from wrong_executors import WRONG

from jobmon.plugins import Executor
from jobmon.reports.levels import NEEDS, refusals
from jobmon.reports.records import Findings, Level, Measurement, Outcome, Result, Trial, Tried
from jobmon.testing import ExecutorConformance
from jobmon.testing.results import kit_sentences
from jobmon.testing.sentences import sentence_of
from jobmon.testing.world import World

ROOT = Path(__file__).resolve().parents[2]
#: Without the one that is about the test class, not about the executor.
CHECKS = [
    name
    for name, check in inspect.getmembers(ExecutorConformance)
    if sentence_of(check) is not None and "world" in inspect.signature(check).parameters
]
for module in sorted(Path(__file__).parent.glob("wrong_*.py")):
    importlib.import_module(module.stem)  # notes its executors in WRONG
EXECUTORS = list(dict.fromkeys(itertools.chain.from_iterable(WRONG.values())))
EVIDENCE = (Measurement("array_ratio", 1.1, "made up"), Measurement("chaos_hours", 24.0, "made up"))
PASSED, FAILED, SKIPPED = ".", "F", " "


def _dummy_conformance() -> type[ExecutorConformance]:
    path = ROOT / "plugins" / "jobmon_dummy" / "tests" / "test_dummy_conformance.py"
    spec = importlib.util.spec_from_file_location("dummy_conformance", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.TestDummy  # type: ignore[no-any-return]


#: Right executors, and how the kit is applied to them and to the wrong ones derived from them.
RIGHT: dict[type[Executor], type[ExecutorConformance]] = {
    Dummy: _dummy_conformance(),
    Payloads: PayloadsConformance,
    Memory: MemoryConformance,
}


def outcome(check: str, executor: type[Executor], folder: Path) -> str:
    """What comes of one check against one executor."""
    base = next(kit for right, kit in RIGHT.items() if issubclass(executor, right))
    limits = {"executor_type": executor, "call_timeout_s": 0.05 if "Blocks" in executor.__name__ else 20.0}
    if base is MemoryConformance:
        long_lines = executor is Memory or executor in WRONG["test_thousands_fit_into_command_lines"]
        limits |= {"crowd": 20_000 if long_lines else 200, "many": 150, "lives": 12, "shrinks": False}
    elif base is PayloadsConformance:
        limits |= {"patience_s": 2.0, "lives": 0}
    else:
        limits |= {"shrinks": False}
    conformance: ExecutorConformance = type("Subject", (base,), limits)()
    folder.mkdir()
    try:
        world = World(conformance, folder)
        try:
            getattr(conformance, check)(world)
        finally:
            world.close()
    except pytest.skip.Exception:
        return SKIPPED
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a wrong executor may fail in any way
        return FAILED
    return PASSED


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, type[Executor]], str]:
    """What comes of every check against every executor."""
    folder = tmp_path_factory.mktemp("matrix")
    numbers = itertools.count()
    subjects = [*RIGHT, *EXECUTORS]
    return {(c, e): outcome(c, e, folder / str(next(numbers))) for c in CHECKS for e in subjects}


def lines(matrix: dict[tuple[str, type[Executor]], str]) -> Iterator[str]:
    """The matrix for people: a line a check, a column a wrong executor."""
    for number, executor in enumerate(EXECUTORS):
        yield f"{number:3} {executor.__name__} (a wrong {executor.__mro__[1].__name__})"
    for check in CHECKS:
        failed = " ".join(str(n) for n, e in enumerate(EXECUTORS) if matrix[check, e] == FAILED)
        yield f"{check:80} fails {failed}"


@pytest.mark.xdist_group("matrix")  # the matrix is made once
def test_the_matrix_is_complete(matrix: dict[tuple[str, type[Executor]], str], capsys: Any) -> None:
    with capsys.disabled():
        print(f"\n{len(CHECKS)} checks x {len(EXECUTORS)} wrong executors", *lines(matrix), sep="\n")
    right = [(check, e.__name__) for check in CHECKS for e in RIGHT if matrix[check, e] == FAILED]
    assert right == [], "right executors fail"
    idle = [check for check in CHECKS if all(matrix[check, e] == SKIPPED for e in RIGHT)]
    assert idle == [], "checks that nothing exercises"
    unproved = [check for check in CHECKS if not any(matrix[check, e] == FAILED for e in EXECUTORS)]
    assert unproved == [], "checks that nothing fails"
    missed = [(check, e.__name__) for check, wrong in WRONG.items() for e in wrong if matrix[check, e] != FAILED]
    assert missed == [], "wrong executors that pass the check they are named after"
    assert sorted(set(CHECKS) - set(WRONG)) == [], "checks that no wrong executor is named after"


@pytest.mark.parametrize("executor", EXECUTORS, ids=lambda cls: cls.__name__)
def test_a_wrong_executor_differs_in_at_most_ten_lines(executor: type[Executor]) -> None:
    source = inspect.getsource(executor)
    code = [line for line in source.splitlines() if line.strip() and not line.lstrip().startswith(("@", "class "))]
    assert len(code) <= 10


def findings(matrix: dict[tuple[str, type[Executor]], str], executor: type[Executor], claims: Level) -> Findings:
    """What the kit would find out about an executor whose class claims a level, on its own platform."""
    outcomes = {PASSED: Outcome.HOLDS, FAILED: Outcome.BROKEN, SKIPPED: Outcome.DOES_NOT_APPLY}
    results = [
        Result(check, sentence, outcomes[matrix.get((check, executor), PASSED)])  # test classes are as they should be
        for check, sentence in kit_sentences().items()
    ]
    return Findings((Trial(executor.__name__, executor.name, Tried.REAL, claims, tuple(results)),), EVIDENCE)


@pytest.mark.xdist_group("matrix")  # the matrix is made once
def test_wrong_executors_are_refused_exactly_at_the_level_that_they_falsely_claim(
    matrix: dict[tuple[str, type[Executor]], str], capsys: Any
) -> None:
    """Each claims the level of the check that it is named after: that is refused, and the one before it is not.

    A few break sentences of lower levels beside: these are refused there already.
    """
    at = {area: level for level, needs in NEEDS.items() for area in needs.areas}
    exact: dict[Level, list[str]] = {level: [] for level in Level}
    lower: dict[str, Level] = {}
    for executor in EXECUTORS:
        named = [check for check, executors in WRONG.items() if executor in executors]
        falsely = min((at[kit_sentences()[check].area] for check in named), key=list(Level).index)
        assert refusals(findings(matrix, executor, falsely)) != [], f"{executor.__name__} may claim {falsely}"
        first = next(level for level in Level if refusals(findings(matrix, executor, level)))
        if first is falsely:
            exact[falsely].append(executor.__name__)
        else:
            lower[executor.__name__] = first
    with capsys.disabled():
        print("", *(f"refused exactly at {level}: {', '.join(names)}" for level, names in exact.items()), sep="\n")
        print(f"refused below the level of what they are named after: {lower}")
    assert all(exact[level] for level in (Level.BRONZE, Level.SILVER, Level.GOLD))
    assert sum(map(len, exact.values())) >= 30
    for right in RIGHT:
        assert refusals(findings(matrix, right, Level.GOLD)) == [], right.__name__
