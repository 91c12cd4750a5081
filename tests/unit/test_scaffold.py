"""`jobmon plugin new`: what it writes, and what it refuses."""

import re
import tomllib
from pathlib import Path

import pytest

from jobmon.cli.app import run
from jobmon.cli.exits import Exit
from jobmon.plugins import CONTRACT_VERSION
from jobmon.scaffold.render import TEMPLATES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_writes_a_distribution_whose_entry_point_is_the_type(tmp_path: Path) -> None:
    assert run(["plugin", "new", "lab_batch"]) == Exit.OK
    folder = tmp_path / "jobmon_lab_batch"
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "jobmon-executor-lab-batch"
    assert project["entry-points"] == {"jobmon.executors": {"lab_batch": "jobmon_lab_batch"}}
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert written == {target.format(name="lab_batch") for target in TEMPLATES}
    module = (folder / "src" / "jobmon_lab_batch" / "__init__.py").read_text()
    assert "class LabBatch(BatchExecutor):" in module
    assert f"api_version: ClassVar[tuple[int, int]] = {CONTRACT_VERSION}" in module


@pytest.mark.parametrize("options", [[], ["--plain"]])
def test_no_word_of_a_template_is_left(options: list[str], tmp_path: Path) -> None:
    run(["plugin", "new", "lab", *options])
    written = [path.read_text() for path in (tmp_path / "jobmon_lab").rglob("*") if path.is_file()]
    assert [word for text in written for word in re.findall("@[A-Z]+@", text)] == []


def test_a_plain_one_has_the_contracts_own_methods(tmp_path: Path) -> None:
    assert run(["plugin", "new", "lab", "--plain"]) == Exit.OK
    module = (tmp_path / "jobmon_lab" / "src" / "jobmon_lab" / "__init__.py").read_text()
    assert "class Lab(Executor):" in module


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "jobmon_lab"
    mine.mkdir()
    (mine / "README.md").write_text("mine")
    assert run(["plugin", "new", "lab"]) == Exit.REFUSED
    assert "is there already and is left as it is" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in mine.iterdir()] == [("README.md", "mine")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lab-batch", "try 'lab_batch'"),
        ("Lab", "try 'lab'"),
        ("2fast", "cannot be the name"),
        ("class", "is no keyword"),
        ("../lab", "cannot be the name"),
        ("", "cannot be the name"),
        ("dummy", "or, to write it anew, pip uninstall jobmon-executor-dummy"),
    ],
)
def test_a_name_that_cannot_be_is_refused(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plugin", "new", "--", name]) == Exit.REFUSED
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_it_can_be_written_elsewhere(tmp_path: Path) -> None:
    assert run(["plugin", "new", "lab", "--in", str(tmp_path / "here")]) == Exit.OK
    assert (tmp_path / "here" / "jobmon_lab" / "pyproject.toml").is_file()
