"""`jobmon executors show`, and what a list says of types that cannot be used."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fake_plugins import good, plugin

from jobmon.cli.app import run
from jobmon.cli.exits import Exit

TYPED = '''
from enum import StrEnum
import attrs
from jobmon.plugins import Executor, Placement, Support, hookimpl, setting

class Mode(StrEnum):
    FAST = "fast"
    SLOW = "slow"

@attrs.frozen
class Settings:
    node: str = setting(help="where it runs")
    mode: Mode = setting(Mode.FAST, help="how")
    limits: dict[str, int] | None = setting(None, help="of each queue")
    tries: list[int] = setting(factory=lambda: [1, 2], help="pauses")

@attrs.frozen
class Own:
    queue: str = setting("long.q", help="where it waits")

class Typed(Executor):
    """Jobs of the laboratory.

    More.
    """
    name = "typed"
    api_version = (1, 0)
    settings_type = Settings
    resources_type = Own
    placement = Placement.REMOTE
    core_resources = {"cores": Support.BOOKED, "memory": Support.ENFORCED}

@hookimpl
def jobmon_executor_types():
    return [Typed]
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed plugins, and no configuration."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JOBMON_DISABLE_PLUGINS", raising=False)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("jobmon_") and hasattr(sys.modules[name], "__file__")]:
        if str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def test_a_type_is_shown_as_it_declares_itself(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin(place, "typed", TYPED)
    assert run(["executors", "show", "typed", "--json"]) == Exit.OK
    shown = json.loads(capsys.readouterr().out)
    assert (shown["type"], shown["distribution"], shown["version"]) == ("typed", "jobmon-executor-typed", "1.2")
    assert (shown["contract"], shown["about"]) == ("1.0", "Jobs of the laboratory.")
    assert [tuple(field.values()) for field in shown["settings"]] == [
        ("node", "str", True, None, "where it runs"),
        ("mode", "'fast' | 'slow'", False, "fast", "how"),
        ("limits", "dict[str, int] | None", False, None, "of each queue"),
        ("tries", "list[int]", False, [1, 2], "pauses"),
    ]
    assert [field["name"] for field in shown["resources"]] == ["queue"]
    assert shown["core_resources"] == {"cores": "booked", "memory": "enforced", "runtime": "ignored", "gpus": "ignored"}
    assert shown["capabilities"] == {
        "reporting": "worker",
        "placement": "remote",
        "exclusive": False,
        "find": False,
        "arrays": False,
    }


def test_a_type_is_shown_to_people_with_every_default_and_help(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin(place, "typed", TYPED)
    assert run(["executors", "show", "typed"]) == Exit.OK
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for expected in (
        "typed jobmon-executor-typed 1.2, contract 1.0",
        "node str required where it runs",
        "limits dict[str, int] | None none of each queue",
        'queue str "long.q" where it waits',
        "memory enforced",
        "gpus ignored",
        "placement remote",
        "find no",
    ):
        assert expected.split() in lines


def test_a_type_that_cannot_be_used_is_shown_with_its_traceback_on_request(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(place, "broken", "def deep():\n    1 / 0\ndeep()")
    assert run(["executors", "show", "broken"]) == Exit.CONFIGURATION
    said = capsys.readouterr().err
    assert said.startswith("jobmon.PluginError: executor type 'broken' (jobmon-executor-broken 1.2) cannot be imported")
    assert said.count("\n") == 1
    assert run(["executors", "show", "broken", "--traceback"]) == Exit.CONFIGURATION
    assert "in deep" in capsys.readouterr().err


def test_a_list_says_which_type_has_two_distributions(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin(place, "twice", good("twice"))
    plugin(place, "twice", good("twice"), distribution="another-executor")
    plugin(place, "fine", good("fine"))
    assert run(["executors", "--json"]) == Exit.FAILED
    errors = [(row["type"], row.get("error")) for row in json.loads(capsys.readouterr().out)["types"]]
    both = (
        "executor type 'twice' is brought by another-executor 1.2 and jobmon-executor-twice 1.2: uninstall all but one"
    )
    assert [pair for pair in errors if pair[0] in ("twice", "fine")] == [
        ("fine", None),
        ("twice", both),
        ("twice", both),
    ]


def test_a_list_leaves_out_what_is_disabled_and_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin(place, "fine", good("fine"))
    monkeypatch.setenv("JOBMON_DISABLE_PLUGINS", "fine")
    assert run(["executors"]) == Exit.OK
    out, err = capsys.readouterr()
    assert "fine" not in [line.split()[0] for line in out.splitlines()]
    assert err == "JOBMON_DISABLE_PLUGINS blocks fine\n"


def test_a_list_needs_none_of_what_takes_long_to_import(place: Path) -> None:
    code = (
        "import sys; from jobmon.cli.app import run; run(['executors']); "
        "print(sorted({'attr', 'msgspec', 'pluggy', 'rich', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=place)
    assert done.stdout.splitlines()[-1] == "[]"
