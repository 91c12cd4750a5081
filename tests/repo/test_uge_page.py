"""The page on Grid Engine has every setting, and names tests that exist."""

import ast
import re
from pathlib import Path

import attrs
import pytest
from jobmon_uge import OwnResources, Settings
from jobmon_uge.ends import _FAILED

from jobmon.plugins import Reason

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "uge.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("settings", [Settings, OwnResources])
def test_every_setting_is_on_the_page(settings: type) -> None:
    assert [field.name for field in attrs.fields(settings) if f"`{field.name}`" not in PAGE] == []


def test_every_code_of_grid_engine_is_on_the_page_with_its_reason() -> None:
    rows = re.findall(r"^\| ([\d, to]+) \|.*?\| `([A-Z_]+)`", PAGE, re.MULTILINE)
    told = {
        (code, Reason(reason))
        for codes, reason in rows
        for part in codes.split(", ")
        for code in range(int(part.split(" to ")[0]), int(part.split(" to ")[-1]) + 1)
    }
    assert [code for code, (reason, _) in _FAILED.items() if (code, reason) not in told] == []


def test_the_tests_that_the_page_names_exist(tests: dict[Path, ast.Module], code: dict[Path, ast.Module]) -> None:
    defined = {
        node.name for tree in (tests | code).values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }
    assert [name for name in re.findall(r"`(test_\w+)`", PAGE) if name not in defined] == []
