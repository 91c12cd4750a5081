"""Whoever watched a run has gone: the run goes on to its end."""

import os
import pty
import sys
from pathlib import Path

import pytest
from users import User, until

SCRIPT = """
    from jobmon import BashTask, Workflow

    workflow = Workflow("watched", workflow_args="1", executor="compute")
    first = workflow.add_task(BashTask("touch begun; until [ -e go ]; do sleep 0.05; done", name="first"))
    workflow.add_task(BashTask("exit 3", name="fails", upstream_tasks=[first]))
    workflow.run()
    open("ended", "w").close()
"""


def watched(user: User, script: Path, *, terminal: bool) -> tuple[int, int]:
    """Run the script with a terminal, or a pipe, for its output: its process id, and the watcher's end."""
    if terminal:
        pid, watcher = pty.fork()
    else:
        watcher, output = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(output, 1)
            os.dup2(output, 2)
        os.close(output)
    if pid == 0:
        os.chdir(user.folder)
        os.execve(sys.executable, [sys.executable, str(script)], user.environ | {"TERM": "xterm"})
    return pid, watcher


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_a_run_goes_on_when_its_terminal_is_closed_or_its_reader_has_gone(user: User, terminal: bool) -> None:
    pid, watcher = watched(user, user.write("watched.py", SCRIPT), terminal=terminal)
    until((user.folder / "begun").exists, "the first job runs")
    os.close(watcher)
    (user.folder / "go").touch()
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert (user.folder / "ended").exists()
    assert user.recorded.states() == {"first": "DONE", "fails": "ERROR_FATAL"}
    assert user.recorded.runs() == ["ERROR"]
    assert user.recorded.flaws() == []
