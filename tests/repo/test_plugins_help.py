"""Every plugin of the repository says what its settings and resources are for, where its users will look."""

from pathlib import Path

import pytest

from jobmon.plugins.describe import describe_type
from jobmon.plugins.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.parent.name.removeprefix("jobmon_") for path in ROOT.glob("plugins/jobmon_*/pyproject.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_and_resource_of_a_plugin_has_help(name: str) -> None:
    declared = describe_type(Registry().load(name))
    without = [field.name for field in [*declared.settings, *declared.resources] if not field.help]
    assert without == [], "write them as setting(default, help=...): `jobmon executors show` prints it"
    assert declared.about, "the class has no docstring"


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_and_resource_of_a_plugin_is_in_its_readme(name: str) -> None:
    declared = describe_type(Registry().load(name))
    readme = (ROOT / "plugins" / f"jobmon_{name}" / "README.md").read_text(encoding="utf-8")
    assert [field.name for field in [*declared.settings, *declared.resources] if field.name not in readme] == []
