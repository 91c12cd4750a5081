"""Small parts of the client: the manager's process, captured variables, the public names."""

import subprocess
import sys
import threading

import pytest

import jobmon
from jobmon.cli.exits import Exit
from jobmon.client.capture import captured, left_out
from jobmon.client.manager_process import ManagerProcess
from jobmon.client.manager_starts import Ended, cannot_start
from jobmon.config.model import DEFAULT_ENVIRONMENT
from jobmon.errors import ConfigurationError
from jobmon.managers.ahead import SERVER_AWAY, SUPERSEDED


class Told:
    """What a manager process tells, and a way to wait for so many lines."""

    def __init__(self, wanted):
        self.lines, self._wanted, self._enough = [], wanted, threading.Event()

    def __call__(self, text):
        self.lines.append(text)
        if len(self.lines) >= self._wanted:
            self._enough.set()

    def wait(self):
        assert self._enough.wait(30)


def manager(tmp_path, code):
    process = ManagerProcess(["compute"], tmp_path)
    process._argv = [sys.executable, "-c", code]
    return process


def start(process, tmp_path, told, give_up=lambda _: None):
    process.start(7, tmp_path / "logs" / "manager-7.log", told, give_up)


#: Says how it was started, and what it was told.
ARGUMENTS = "import sys; print(*sys.argv[1:], sys.stdin.read(), flush=True); sys.exit(1)"


def test_the_manager_is_started_for_all_executors_of_the_workflow(tmp_path):
    process = ManagerProcess(["compute", "up loads"], tmp_path)
    assert process._argv[process._argv.index("jobmon") :] == [
        "jobmon", "manager", "--folder", str(tmp_path), "--executor", "compute", "--executor", "up loads",
    ]  # fmt: skip


def test_one_that_was_not_prepared_is_started_for_its_workflow(tmp_path):
    told = Told(1)
    process = manager(tmp_path, ARGUMENTS)
    start(process, tmp_path, told)
    told.wait()
    process.end()
    assert ": --workflow 7 (log" in told.lines[0]


def test_one_that_was_prepared_is_told_its_workflow_and_its_log(tmp_path):
    log = tmp_path / "logs" / "manager-7.log"
    code = "import sys; from jobmon.managers.ahead import await_workflow; print(sys.argv[1:], await_workflow())"
    process = manager(tmp_path, code + "; sys.exit(1)")
    told = Told(1)
    process.prepare()
    start(process, tmp_path, told)
    told.wait()
    process.end()
    assert "['--ahead'] 7" in log.read_text()


def test_one_that_died_before_it_was_told_is_started_again_at_once(tmp_path):
    told = Told(1)
    process = manager(tmp_path, ARGUMENTS)
    process.prepare()
    process._process.kill()
    process._process.wait()
    start(process, tmp_path, told)
    told.wait()
    process.end()
    assert ": --workflow 7 (log" in told.lines[0]


def test_one_without_a_workflow_is_sent_away(tmp_path):
    process = manager(tmp_path, "from jobmon.managers.ahead import await_workflow; await_workflow()")
    process.prepare()
    process.dismiss()
    assert process._process.returncode is not None


def test_one_whose_client_is_killed_ends(tmp_path):
    process = manager(tmp_path, "from jobmon.managers.ahead import await_workflow; assert await_workflow() is None")
    process.prepare()
    process._process.stdin.close()
    assert process._process.wait(30) == 0


def test_a_manager_that_dies_is_started_again_and_its_last_words_are_told(tmp_path):
    told = Told(2)
    process = manager(tmp_path, "import os, sys; print('no queue', os.getpid()); sys.exit(1)")
    start(process, tmp_path, told)
    told.wait()
    process.end()
    assert "ended with status 1; it is started again in 0.5 s: no queue" in told.lines[0]
    assert "in 1 s" in told.lines[1]


def test_a_manager_that_cannot_start_twice_for_one_reason_is_given_up_with_it(tmp_path):
    told, given_up = Told(1), Told(1)
    process = manager(tmp_path, "import sys; print('no such queue'); sys.exit(4)")
    start(process, tmp_path, told, given_up)
    given_up.wait()
    process._thread.join(30)
    (error,) = given_up.lines
    assert isinstance(error, ConfigurationError)
    assert str(error).startswith("the manager cannot start: it ended with status 4: no such queue (log: ")
    assert len(told.lines) == 1


BAD, SERVING = Ended(4, "x\nno such queue\n"), "2026-11-27 10:00:00,123 INFO MainThread: serving workflow 7: a (uge)\n"


@pytest.mark.parametrize(
    ("ends", "hopeless"),
    [
        ([BAD], False),
        ([BAD, BAD], True),
        ([BAD, Ended(4, "no such file")], False),
        ([BAD, Ended(1, BAD.wrote)], False),
        ([Ended(-11, ""), Ended(-11, "")], True),
        ([Ended(0, ""), Ended(0, "")], True),
        ([Ended(-9, ""), Ended(-9, "")], False),
        ([Ended(SERVER_AWAY, "no server"), Ended(SERVER_AWAY, "no server")], False),
        ([Ended(1, SERVING + "KeyError"), Ended(1, SERVING + "KeyError")], False),
        ([Ended(1, "OSError: [Errno 24] Too many open files")] * 2, False),
    ],
)
def test_only_what_cannot_change_is_hopeless(ends, hopeless):
    assert (cannot_start(ends) is not None) is hopeless


def test_the_status_of_a_manager_without_a_server_is_that_of_the_command_line():
    assert SERVER_AWAY == Exit.SERVER
    assert SUPERSEDED not in list(Exit)


def test_a_manager_whose_place_was_taken_is_not_started_again(tmp_path):
    told = Told(1)
    process = manager(tmp_path, f"raise SystemExit({SUPERSEDED})")
    start(process, tmp_path, told)
    told.wait()
    process._thread.join(30)
    assert not process._thread.is_alive()
    assert "another manager" in told.lines[0]


def test_a_manager_that_is_told_to_end_is_not_started_again(tmp_path):
    told = Told(1)
    process = manager(tmp_path, "import signal; signal.pause()")
    start(process, tmp_path, told)
    process.end()
    process._thread.join(30)
    assert not process._thread.is_alive()
    assert told.lines == []


def test_captured_variables_are_those_named_and_never_the_token():
    environ = {"PATH": "/bin", "CONDA_PREFIX": "/c", "HOME": "/h", "JOBMON_TOKEN": "secret", "JOBMON_DATA": "/d"}
    assert captured(environ, ["PATH", "CONDA_*"]) == {"PATH": "/bin", "CONDA_PREFIX": "/c"}
    assert captured(environ, ["*"]) == {k: v for k, v in environ.items() if k != "JOBMON_TOKEN"}


def test_modules_and_conda_work_in_jobs_as_they_do_where_the_run_began():
    environ = {
        "BASH_ENV": "/etc/modules.sh",
        "BASH_FUNC_module%%": "() { eval `$LMOD_CMD bash $*`\n}",
        "BASH_FUNC_ml%%": "() { module $*\n}",
        "MODULEPATH": "/m",
        "MODULESHOME": "/usr/share/modules",
        "LOADEDMODULES": "gcc/12",
        "_LMFILES_": "/m/gcc/12",
        "__MODULES_LMCONFLICT": "x",
        "LMOD_CMD": "/lmod",
        "__LMOD_REF_COUNT_PATH": "/bin:1",
        "_ModuleTable001_": "X01v",
        "CONDA_EXE": "/c/bin/conda",
        "CONDA_SHLVL": "1",
        "_CE_CONDA": "",
        "MAMBA_EXE": "/m/mamba",
    }
    others = {"HOME": "/h", "AWS_SECRET_ACCESS_KEY": "x", "SSH_AUTH_SOCK": "/s", "MY_MODULE": "x"}
    assert captured(environ | others, DEFAULT_ENVIRONMENT) == environ


def test_captured_variables_that_are_not_utf_8_are_left_out_and_named():
    environ = {"PATH": "/bin:/n\udcffn", "LANG": "C"}
    assert captured(environ, ["*"]) == {"LANG": "C"}
    assert left_out(environ, ["P*"]) == ["PATH"]
    assert left_out(environ, ["L*"]) == []


def test_every_public_name_is_there_and_importing_jobmon_imports_nothing_else():
    assert all(getattr(jobmon, name) is not None for name in jobmon.__all__)
    code = "import sys, jobmon; print([m for m in ('requests', 'rich', 'attrs', 'sqlalchemy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
