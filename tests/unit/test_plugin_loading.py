"""Types are loaded one by one; whatever is wrong with a plugin is told of that plugin alone."""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from fake_plugins import good, plugin

from jobmon.errors import PluginError, PluginIncompatible, UnknownExecutor
from jobmon.plugins import CONTRACT_VERSION, Executor
from jobmon.plugins.registry import Registry

THIS = f"this jobmon {version('jobmon')} speaks {CONTRACT_VERSION[0]}.{CONTRACT_VERSION[1]}"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed plugins, one of them usable. Its modules are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("JOBMON_DISABLE_PLUGINS", raising=False)
    before = set(sys.modules)
    plugin(tmp_path, "fine", good("fine"))
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("jobmon_"):
            del sys.modules[name]


def refusal(name: str, kind: type[PluginError] = PluginError) -> str:
    """What is said when the type is loaded; the other one can be used all the same."""
    registry = Registry()
    with pytest.raises(PluginError) as caught:
        registry.load(name)
    assert type(caught.value) is kind
    assert issubclass(registry.load("fine"), Executor)
    return str(caught.value)


def test_a_broken_import_is_told_with_its_distribution(place: Path) -> None:
    plugin(place, "broken", "1 / 0")
    said = refusal("broken")
    assert said == (
        "executor type 'broken' (jobmon-executor-broken 1.2) cannot be imported: ZeroDivisionError: division by zero"
    )


def test_a_missing_dependency_is_told_with_how_to_bring_it(place: Path) -> None:
    plugin(place, "needy", "import no_such_package.part")
    assert refusal("needy").endswith(
        "A package that it needs is missing; to bring it: pip install jobmon-executor-needy"
    )


def test_a_module_that_exits_ends_nobody_else(place: Path) -> None:
    plugin(place, "exits", "import sys; sys.exit(3)")
    assert "cannot be imported: SystemExit: 3" in refusal("exits")


def test_a_module_that_is_not_there_is_no_missing_dependency(place: Path) -> None:
    plugin(place, "gone", "")
    (place / "jobmon_gone.py").unlink()
    assert refusal("gone").endswith("cannot be imported: ModuleNotFoundError: No module named 'jobmon_gone'")


def test_two_distributions_of_one_type_are_both_named(place: Path) -> None:
    plugin(place, "twice", good("twice"))
    plugin(place, "twice", good("twice"), distribution="another-executor")
    assert refusal("twice") == (
        "executor type 'twice' is brought by another-executor 1.2 and jobmon-executor-twice 1.2: uninstall all but one"
    )


HOOK = "from jobmon.plugins import hookimpl\n@hookimpl\ndef jobmon_executor_types():\n    "


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "its module must have one hook jobmon_executor_types that returns a list of classes"),
        (HOOK + "return 5", "its module must have one hook jobmon_executor_types that returns a list of classes"),
        (HOOK + "return [5]", "jobmon_executor_types returned 5, which is no class derived from Executor"),
        (HOOK + "return []", "its entry point is named 'wrong', but jobmon_executor_types returned none"),
        (good("other"), "its entry point is named 'wrong', but jobmon_executor_types returned 'other'"),
        (HOOK + "raise KeyError('x')", "its hook jobmon_executor_types fails: KeyError: 'x'"),
    ],
)
def test_a_hook_that_returns_something_else_is_told(place: Path, code: str, said: str) -> None:
    plugin(place, "wrong", code)
    assert refusal("wrong").endswith(said)


@pytest.mark.parametrize("newer", [(1, 1), (2, 0), (3, 4)])
def test_a_newer_contract_is_refused_with_what_to_do(place: Path, newer: tuple[int, int]) -> None:
    plugin(place, "newer", good("newer", newer))
    assert refusal("newer", PluginIncompatible) == (
        f"executor type 'newer' (jobmon-executor-newer 1.2) was written for contract {newer[0]}.{newer[1]}; {THIS}. "
        "Upgrade jobmon, or install an older jobmon-executor-newer."
    )


def test_an_older_contract_is_refused_with_what_to_do(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin(place, "older", good("older", (0, 9)))
    (place / "jobmon_fine.py").write_text(good("fine", (1, 2)))
    monkeypatch.setattr("jobmon.plugins.registry.CONTRACT_VERSION", (1, 3))
    assert refusal("older", PluginIncompatible).endswith(
        "speaks 1.0 to 1.3. Upgrade jobmon-executor-older, or install an older jobmon."
    )


@pytest.mark.parametrize("wrong", ["0.1", (0,), (0, "1"), (True, False), None])
def test_a_version_that_is_no_pair_is_refused(place: Path, wrong: object) -> None:
    plugin(place, "odd", good("odd", wrong))
    assert "it must be a pair of whole numbers, (major, minor)" in refusal("odd")


def test_a_name_that_this_contract_does_not_have_is_told_as_a_matter_of_versions(place: Path) -> None:
    plugin(place, "ahead", "from jobmon.plugins import FromTheFuture")
    said = refusal("ahead")
    assert "cannot import name 'FromTheFuture'" in said
    assert said.endswith("where there is no such name: upgrade jobmon, or install an older jobmon-executor-ahead")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("settings_type = dict", "settings_type is <class 'dict'>, not an attrs class"),
        ("reporting = 'nobody'", "reporting is 'nobody', not a Reporting"),
        ("core_resources = {'ram': None}", "core_resources is {'ram': None}, not a mapping of cores, memory"),
        ("exit_map = {99: 256}", "exit_map is {99: 256}, not a mapping of exit statuses"),
    ],
)
def test_a_class_that_declares_what_cannot_be_is_refused(place: Path, line: str, said: str) -> None:
    plugin(place, "odd", good("odd").replace("    api_version", f"    {line}\n    api_version"))
    assert f"its class Good declares what cannot be: {said}" in refusal("odd")


def test_settings_whose_types_cannot_be_resolved_are_refused(place: Path) -> None:
    code = "import attrs\n@attrs.frozen\nclass Lost:\n    host: 'Nowhere' = None\n" + good("odd")
    plugin(place, "odd", code.replace("    api_version", "    settings_type = Lost\n    api_version"))
    assert "not an attrs class with types that can be resolved" in refusal("odd")


def test_a_disabled_type_is_as_good_as_not_installed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBMON_DISABLE_PLUGINS", "other, fine")
    registry = Registry()
    assert "fine" not in [one.name for one in registry.installed()]
    with pytest.raises(UnknownExecutor, match="is disabled: JOBMON_DISABLE_PLUGINS names it"):
        registry.load("fine")


def test_listing_imports_nothing_of_any_plugin(place: Path) -> None:
    plugin(place, "loud", "raise SystemExit('imported')")
    assert {"fine", "loud"} <= {one.name for one in Registry().installed()}
    assert not {"jobmon_fine", "jobmon_loud"} & set(sys.modules)
