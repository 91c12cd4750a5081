"""The command line without a server: what it prints, what it imports, how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from fake_plugins import good, plugin

from jobmon import errors
from jobmon.cli.app import COMMANDS, run
from jobmon.cli.exits import Exit, exit_code
from jobmon.cli.output import print_table
from jobmon.client.printing import printable
from jobmon.client.words import WORDS, counted, word_of
from jobmon.states.names import JobState


@pytest.fixture(autouse=True)
def _nothing_of_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("JOBMON_SERVER", "JOBMON_TOKEN", "JOBMON_TOKEN_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("JOBMON_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def jobmon(*arguments: str, path: Path) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own, with a folder of plugins on its path."""
    environment = os.environ | {"PYTHONPATH": str(path)}
    command = [sys.executable, "-m", "jobmon", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.ServerUnreachable, Exit.SERVER),
        (errors.NotAuthorised, Exit.SERVER),
        (errors.StoreError, Exit.SERVER),
        (errors.UnknownExecutor, Exit.CONFIGURATION),
        (errors.PluginIncompatible, Exit.CONFIGURATION),
        (errors.InvalidRequest, Exit.REFUSED),
        (errors.WorkflowActive, Exit.REFUSED),
    ],
)
def test_an_exit_code_tells_what_kind_of_error_it_was(error: type[errors.JobmonError], expected: Exit) -> None:
    assert expected == exit_code(error("what happened"))


def test_an_error_is_one_message_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status"]) == Exit.SERVER
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("jobmon.ServerUnreachable: ")
    assert err.count("\n") == 1


def test_asking_where_nothing_ran_says_so_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["jobs", "anything"]) == Exit.SERVER
    assert f"nothing has been run in {tmp_path / 'data'}" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_mistyped_command_is_a_usage_error_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["statsu"]) == Exit.USAGE
    assert "did you mean 'status'?" in capsys.readouterr().err


def test_help_lists_every_command_without_importing_any() -> None:
    code = (
        "import sys; from jobmon.cli.app import run; run(['--help']); "
        "print([m for m in sys.modules if 'jobmon.cli.' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *help_text, modules = done.stdout.splitlines()
    assert [name for name in COMMANDS if not any(line.split()[:1] == [name] for line in help_text)] == []
    assert {"jobmon.cli.app", "jobmon.cli.exits", "jobmon.cli.streams"} == set(json.loads(modules.replace("'", '"')))


def test_listing_executors_imports_no_plugin(tmp_path: Path) -> None:
    plugin(tmp_path, "loud", "raise SystemExit('imported')")
    done = jobmon("executors", path=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert ["loud", "jobmon-executor-loud", "1.2", str(tmp_path)] in [line.split() for line in done.stdout.splitlines()]


def test_loading_executors_reports_each_broken_one_by_itself(tmp_path: Path) -> None:
    plugin(tmp_path, "raises", "import no_such_module_anywhere")
    plugin(tmp_path, "dies", "import os\nprint('noise', flush=True)\nos._exit(7)")
    plugin(tmp_path, "prints", "print('noise')\n" + good("prints"))
    plugin(tmp_path, "works", good("works"))
    done = jobmon("executors", "--load", "--json", path=tmp_path)
    assert done.returncode == Exit.FAILED
    types = {row["type"]: row for row in json.loads(done.stdout)["types"]}
    assert (types["works"]["contract"], types["works"]["error"]) == ("1.0", None)
    assert "no_such_module_anywhere" in types["raises"]["error"]
    assert "exit status 7" in types["dies"]["error"]
    assert "standard output ('noise')" in types["prints"]["error"]


def test_the_executors_of_the_project_are_listed_with_their_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "jobmon.toml").write_text('[executors.compute]\ntype = "multiprocess"\nworkers = 3\n')
    assert run(["executors", "--json"]) == Exit.OK
    found = json.loads(capsys.readouterr().out)["executors"]
    assert found == [{"executor": "compute", "type": "multiprocess", "settings": {"workers": 3}, "host": {}}]


def test_a_wrong_configuration_has_an_exit_code_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "jobmon.toml").write_text("[executor.compute]\n")
    assert run(["executors"]) == Exit.CONFIGURATION
    assert "did you mean [executors]?" in capsys.readouterr().err


def test_a_name_cannot_leave_its_line_or_steer_the_terminal() -> None:
    assert printable("fit\x1b[2J\nChad") == "fit\\x1b[2J\\nChad"


def test_a_name_cannot_turn_the_direction_of_the_line_or_break_the_output() -> None:
    assert printable("\u202eevil\u2028\udcff") == "\\u202eevil\\u2028\\udcff"


def test_columns_are_aligned_and_absent_values_are_blank(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["job", "why"], [{"job": "a", "why": None}, {"job": "longer", "why": "x"}], empty="none")
    assert capsys.readouterr().out == "job     why\na\nlonger  x\n"


def test_an_empty_table_is_said_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["job"], [], empty="it has no jobs")
    assert capsys.readouterr() == ("", "it has no jobs\n")


def test_every_job_state_is_counted_under_one_word() -> None:
    assert sorted(JobState) == sorted(state for group in WORDS.values() for state in group)
    assert sum(counted(dict.fromkeys(JobState, 1)).values()) == 9
    assert word_of(JobState.INSTANTIATED) == "submitted"


def test_ctrl_c_has_the_usual_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object, **__: object) -> None:
        raise click.Abort

    monkeypatch.setattr("jobmon.cli.app.cli.main", pressed)
    assert run(["status"]) == Exit.INTERRUPTED
