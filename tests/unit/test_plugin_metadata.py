"""Metadata is read one distribution at a time: whatever one of them holds, the others are found and used."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_plugins import good, plugin

from jobmon.cli.app import run
from jobmon.cli.exits import Exit
from jobmon.config import Config, resolve
from jobmon.errors import PluginError
from jobmon.plugins.metadata import Found, read_path
from jobmon.plugins.registry import Registry

METADATA = b"Metadata-Version: 2.1\nName: odd-one\nVersion: 3\n"
ENTRY = b"[jobmon.executors]\nodd = jobmon_odd\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, with a plugin that can be used."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("JOBMON_DISABLE_PLUGINS", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    plugin(tmp_path, "fine", good("fine"))
    yield tmp_path
    sys.modules.pop("jobmon_fine", None)


def info(folder: Path, entry_points: bytes | None, metadata: bytes | None, name: str = "odd_one-3.dist-info") -> Path:
    """A distribution that has the given files."""
    path = folder / name
    path.mkdir(parents=True)
    for file, content in (("entry_points.txt", entry_points), ("METADATA", metadata)):
        if content is not None:
            (path / file).write_bytes(content)
    return path


def found() -> Found:
    """What is read; the plugin that is right is there whatever lies beside it."""
    read = read_path()
    assert [one.name for one in read.types].count("fine") == 1
    return read


@pytest.mark.parametrize(
    ("entry_points", "metadata", "file", "lost"),
    [
        (ENTRY, None, "METADATA", "odd"),
        (ENTRY, b"", "METADATA", "odd"),
        (ENTRY, b"Metadata-Version: 2.1\nName: odd-one\n", "METADATA", "odd"),
        (ENTRY, METADATA + b"Author: M\xfcller\n", "METADATA", "odd"),
        (b"[jobmon.executors]\nodd = not a module!\n", METADATA, "entry_points.txt", "odd"),
        (b"[jobmon.executors]\nodd = ..up\n", METADATA, "entry_points.txt", "odd"),
        (b"[jobmon.executors]\nodd =\n", METADATA, "entry_points.txt", "odd"),
        (b"[jobmon.executors]\nOdd One = odd\n", METADATA, "entry_points.txt", "Odd One"),
        (b"[jobmon.executors]\nodd\n", METADATA, "entry_points.txt", ""),
        (b"[console_scripts]\nf\xfcnf = five:main\n", METADATA, "entry_points.txt", ""),
        (ENTRY.decode().encode("utf-16"), METADATA, "entry_points.txt", ""),
    ],
)
def test_damaged_metadata_is_one_fault_that_names_the_file(
    place: Path, entry_points: bytes, metadata: bytes | None, file: str, lost: str
) -> None:
    path = info(place, entry_points, metadata)
    (fault,) = [one for one in found().faults if one.file.startswith(str(place))]
    assert (fault.file, fault.type) == (str(path / file), lost)
    assert fault.problem


def test_a_file_that_may_not_be_read_is_a_fault(place: Path) -> None:
    path = info(place, None, METADATA)
    (path / "entry_points.txt").mkdir()  # as unreadable as one without permission, for root as well
    assert [one.file for one in found().faults] == [str(path / "entry_points.txt")]


def test_one_bad_entry_point_leaves_the_others_of_its_distribution(place: Path) -> None:
    info(place, ENTRY + b"odder = !\n", METADATA)
    read = found()
    assert [one.module for one in read.types if one.name == "odd"] == ["jobmon_odd"]
    assert [one.type for one in read.faults] == ["odder"]


@pytest.mark.parametrize("name", ["~obmon_executor_fine-1.1.dist-info", "~dd_one-3.dist-info"])
def test_what_pip_has_set_aside_is_no_distribution(place: Path, name: str) -> None:
    info(place, b"[jobmon.executors]\nfine = jobmon_fine\n", METADATA, name)
    assert found().faults == []


def test_a_remnant_without_metadata_does_not_hide_the_distribution_that_is_whole(place: Path) -> None:
    info(place, b"[jobmon.executors]\nfine = gone\n", None, "jobmon_executor_fine-0.9.dist-info")
    assert Registry().load("fine").name == "fine"


def test_an_earlier_folder_hides_the_same_distribution_in_a_later_one(
    place: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = tmp_path_factory.mktemp("later")
    plugin(later, "fine", good("fine"))
    monkeypatch.setattr("sys.path", [*sys.path, str(later)])
    assert [one.location for one in found().types if one.name == "fine"] == [str(place)]


def test_folders_that_cannot_be_listed_or_are_none_are_passed_over(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "file").write_text("no folder")
    (place / "broken.zip").write_bytes(b"PK\3\4 no zip")
    odd = [str(place / "gone"), str(place / "file"), str(place / "broken.zip"), os.fsdecode(b"/no/\xff"), b"/x", None]
    monkeypatch.setattr("sys.path", [*odd, *sys.path])
    assert found().faults == []


def test_a_damaged_type_that_is_asked_for_is_refused_with_its_file(place: Path) -> None:
    path = info(place, ENTRY, None)
    for ask in (lambda: Registry().load("odd"), lambda: resolve("odd", Config(Path()), Registry())):
        with pytest.raises(PluginError) as caught:
            ask()
        assert f"its distribution is damaged: {path / 'METADATA'}: it " in str(caught.value)


def test_a_list_has_a_row_for_each_fault_and_succeeds(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = info(place, ENTRY, None)
    info(place, b"\xff", METADATA, "other-1.dist-info")
    assert run(["executors", "--json"]) == Exit.OK
    shown = json.loads(capsys.readouterr().out)
    assert "fine" in [row["type"] for row in shown["types"]]
    assert {(row["file"], row["type"]) for row in shown["faults"]} == {
        (str(path / "METADATA"), "odd"),
        (str(place / "other-1.dist-info" / "entry_points.txt"), ""),
    }
    assert run(["executors"]) == Exit.OK
    assert str(path / "METADATA") in capsys.readouterr().out
