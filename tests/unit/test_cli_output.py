"""Tables at any width, and output that cannot be written."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmon.cli import output
from jobmon.cli.app import run
from jobmon.cli.columns import GAP, Column, fit, padded, width_of
from jobmon.cli.exits import Exit
from jobmon.cli.output import print_json_rows, print_table

COLUMNS = [
    Column("id", importance=9),
    Column("job", least=8),
    Column("state"),
    Column("attempts", importance=2),
    Column("detail", importance=1, least=6, soft=True),
]
ROWS = [
    {"id": 7, "job": "fit-Bosnia-and-Herzegovina", "state": "ERROR_FATAL", "attempts": 2, "detail": "status 3 " * 4}
]


class Terminal:
    """Standard output as a terminal of some width, and what was written to it."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int) -> None:
        patch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        patch.setattr(output.shutil, "get_terminal_size", lambda: os.terminal_size((columns, 10)))
        patch.setenv("NO_COLOR", "1")
        patch.delenv("PAGER", raising=False)
        self._capsys = capsys

    def lines(self) -> list[str]:
        captured = self._capsys.readouterr()
        self.said = captured.err
        return captured.out.splitlines()


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (120, "7   fit-Bosnia-and-Herzegovina  ERROR_FATAL  2         status 3 status 3 status 3 status 3"),
        (70, "7   fit-Bosnia-and-Herzegovina  ERROR_FATAL  2         status 3 statu…"),
        (56, "7   fit-Bosnia-and-Herzegovina  ERROR_FATAL  2"),
        (44, "7   fit-Bosnia-and-Herzegovina  ERROR_FATAL"),
        (40, "fit-Bosnia-and-Herzegovina  ERROR_FATAL"),
        (30, "fit-Bosnia-and-H…  ERROR_FATAL"),
        (1, "fit-Bos…  ERROR_FATAL"),
    ],
)
def test_a_row_stays_on_its_line_and_says_what_matters_at_any_width(
    width: int, shown: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(monkeypatch, capsys, width)
    print_table(COLUMNS, ROWS, empty="")
    lines = terminal.lines()
    assert lines[1] == shown
    assert len(lines) == 2
    assert ("no room for: " in terminal.said) == (width <= 56)


columns = st.builds(
    Column,
    st.text("abc", min_size=1, max_size=4),
    importance=st.none() | st.integers(1, 9),
    least=st.none() | st.integers(1, 9),
    soft=st.booleans(),
).map(lambda column: column._replace(soft=column.soft and column.least is not None))


@given(st.lists(st.tuples(columns, st.integers(1, 40)), min_size=1, max_size=6), st.integers(1, 150))
def test_a_table_fits_whenever_it_can_and_loses_nothing_without_need(
    given_columns: list[tuple[Column, int]], room: int
) -> None:
    kept, fitted = fit([column for column, _ in given_columns], [width for _, width in given_columns], room)
    needed = sum(min(width, column.least or width) for column, width in given_columns if column.importance is None)
    n_needed = sum(column.importance is None for column, _ in given_columns)
    total = sum(fitted) + len(GAP) * (len(fitted) - 1)
    if needed + len(GAP) * (n_needed - 1) <= room and n_needed:
        assert total <= room
    for i, width in zip(kept, fitted, strict=True):
        assert width <= given_columns[i][1]
        assert width == given_columns[i][1] or given_columns[i][0].least is not None
    assert {i for i, (column, _) in enumerate(given_columns) if column.importance is None} <= set(kept)
    everything = sum(width for _, width in given_columns) + len(GAP) * (len(given_columns) - 1)
    assert everything > room or (len(kept) == len(given_columns) and total == everything)


@given(st.text(), st.integers(3, 30))
def test_a_cell_takes_its_place_whatever_is_in_it(text: str, width: int) -> None:
    assert width_of(padded(text, width, shorten=True, ellipsis="…")) == width


def test_a_help_text_is_wrapped_below_itself_and_loses_no_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(monkeypatch, capsys, 50)
    print_table(["name", Column("help", wraps=True)], [{"name": "workers", "help": "how many of them " * 4}], empty="")
    lines = terminal.lines()
    assert all(len(line) <= 50 and line.startswith((" " * 9, "name", "workers")) for line in lines)
    assert " ".join(" ".join(lines).split()) == "name help workers " + "how many of them " * 3 + "how many of them"


def test_the_first_rows_are_written_before_the_last_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    def rows() -> Iterator[dict[str, int]]:
        for number in range(5_000):
            if number == 4_000:
                seen.append(capsys.readouterr().out)
            yield {"number": number}

    print_table(["number"], rows(), empty="")
    assert seen[0].startswith("number\n0\n1\n")
    rest = capsys.readouterr().out
    assert len((seen[0] + rest).splitlines()) == 5_001


@pytest.mark.parametrize("n", [0, 1, 1_200])
def test_a_json_list_is_written_in_pieces_and_is_one_document(n: int, capsys: pytest.CaptureFixture[str]) -> None:
    print_json_rows({"i": i} for i in range(n))
    assert json.loads(capsys.readouterr().out) == [{"i": i} for i in range(n)]


def test_a_long_table_goes_through_the_users_pager(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal(monkeypatch, capsys, 80)
    monkeypatch.setenv("PAGER", "less")
    paged: list[str] = []
    monkeypatch.setattr(output.click, "echo_via_pager", paged.extend)
    print_table(["number"], ({"number": i} for i in range(8)), empty="")
    assert (len(terminal.lines()), paged) == (9, [])
    print_table(["number"], ({"number": i} for i in range(30)), empty="")
    assert "".join(paged).splitlines() == ["number", *map(str, range(30))]


def shell(command: str, tmp_path: Path, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    """A command line with `jobmon` in it, run by bash."""
    text = command.replace("jobmon", f"{sys.executable} -m jobmon")
    environment = os.environ | {"JOBMON_DATA": str(tmp_path / "data")} | environ
    return subprocess.run(["bash", "-c", text], cwd=tmp_path, env=environment, capture_output=True, check=False)


@pytest.mark.parametrize("command", ["jobmon executors", "jobmon executors --json", "jobmon --help"])
@pytest.mark.parametrize("where", [">/dev/full", ">&-"])
def test_output_that_cannot_be_written_is_told_in_a_line_with_its_own_exit_code(
    command: str, where: str, tmp_path: Path
) -> None:
    done = shell(f"{command} {where}", tmp_path)
    assert done.returncode == Exit.OUTPUT
    assert done.stderr.startswith(b"jobmon: the answer cannot be written to standard output: ")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("where", ["2>/dev/full", "2>&-", "2>&- <&- >&-"])
def test_a_message_that_cannot_be_written_leaves_the_exit_code_as_it_is(where: str, tmp_path: Path) -> None:
    assert shell(f"jobmon nosuch {where}", tmp_path).returncode == Exit.USAGE
    assert shell(f"jobmon status {where}", tmp_path).returncode == Exit.SERVER


def test_a_reader_that_has_gone_is_no_failure(tmp_path: Path) -> None:
    done = shell("jobmon executors | true; exit ${PIPESTATUS[0]}", tmp_path)
    assert (done.returncode, done.stderr) == (Exit.OK, b"")


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
    ],
)
def test_a_narrow_locale_spells_out_what_it_cannot_show(locale: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "jobmon.toml").write_text('[executors."ünï"]\ntype = "multiprocess"\n')
    done = shell("jobmon executors", tmp_path, **locale)
    assert (done.returncode, done.stderr) == (Exit.OK, b"")
    assert b"\\xfcn\\xef" in done.stdout


def test_a_working_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    done = shell("mkdir gone; cd gone; rmdir ../gone; jobmon executors", tmp_path)
    assert done.returncode == Exit.CONFIGURATION
    assert done.stderr.startswith(b"jobmon.ConfigurationError: the working folder of this process is gone")
    assert done.stderr.count(b"\n") == 1


def test_a_file_that_cannot_be_opened_is_named_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied", "/of/another/user")

    monkeypatch.setattr("jobmon.cli.app.cli.main", refused)
    assert run(["status"]) == Exit.CONFIGURATION
    assert capsys.readouterr().err == "jobmon: /of/another/user: Permission denied\n"
