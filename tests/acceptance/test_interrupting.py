"""Ctrl-C: once stops politely, twice ends at once; a terminal sends it to everything in the foreground."""

import os
import pty
import signal
import sys
import time
from pathlib import Path

from users import Running, User, until

SCRIPT = """
    import sys
    from jobmon import BashTask, Workflow

    command = sys.argv[1]
    workflow = Workflow("long", workflow_args="1", executor="compute")
    workflow.add_tasks(BashTask(command, name=f"long-{i}") for i in range(4))
    workflow.add_task(BashTask("true", name="below", upstream_tasks=list(workflow.tasks)))
    result = workflow.run(resume="--resume" in sys.argv)
    print("it ended as", result.state)
"""
PATIENT = "touch begun-$$; sleep 300.25"
#: Goes on for a while when it is told to end.
STUBBORN = "touch begun-$$; trap '' TERM; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.51; done"


def begin(user: User, command: str) -> Running:
    """Start the script, and wait until two of its jobs run."""
    user.write("long.py", SCRIPT)
    client = user.start("long.py", command)
    until(lambda: len(list(user.folder.glob("begun-*"))) == 2, "two jobs run")
    return client


def ended(status: int) -> bool:
    """A process says that it was interrupted: by dying of it, as Python does, or by the status that shells give."""
    return status in (-signal.SIGINT, 128 + signal.SIGINT)


def test_one_ctrl_c_stops_politely_and_running_jobs_are_recorded_cancelled(user: User) -> None:
    client = begin(user, PATIENT)
    client.press()
    done = client.end(30)
    assert ended(done.status), (done.status, done.said)
    assert "running jobs are told to end" in done.said
    assert "it ended as" not in done.said
    assert user.recorded.states() == {f"long-{i}": "CANCELLED" for i in range(4)} | {"below": "REGISTERED"}
    assert user.recorded.runs() == ["STOPPED"]
    assert [what for what in user.processes().values() if "sleep" in what] == []
    assert user.recorded.flaws() == []


def test_two_ctrl_c_end_at_once_and_resume_goes_on_from_there(user: User) -> None:
    client = begin(user, STUBBORN)
    client.press()
    until(lambda: "running jobs are told to end" in client.said, "the first press is answered")
    pressed = time.monotonic()
    client.press()
    done = client.end(10)
    assert time.monotonic() - pressed < 3, "the second press does not end it at once"
    assert ended(done.status), (done.status, done.said)
    assert any("sleep" in what for what in user.processes().values()), "the jobs were over: nothing was tested"
    assert not set(user.recorded.states().values()) & {"DONE", "ERROR_FATAL"}

    again = user.run("long.py", STUBBORN, "--resume")
    assert again.status == 0, again.said
    assert "it ended as DONE" in again.said
    assert set(user.recorded.states().values()) == {"DONE"}
    assert user.recorded.flaws() == []


def in_terminal(user: User, *arguments: str) -> tuple[int, int]:
    """Run `python ARGUMENTS` as a terminal's foreground process group; its process id and the terminal's other end."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(user.folder)
        os.execve(sys.executable, [sys.executable, *arguments], user.environ | {"TERM": "xterm"})
    return pid, terminal


def read_to_end(terminal: int) -> str:
    said = b""
    try:
        while chunk := os.read(terminal, 65536):
            said += chunk
    except OSError:  # how Linux tells that nobody has the terminal open any more
        os.close(terminal)
    return said.decode(errors="replace")


def test_ctrl_c_in_a_terminal_ends_neither_server_nor_manager_nor_agent(user: User) -> None:
    script: Path = user.write("long.py", SCRIPT)
    pid, terminal = in_terminal(user, str(script), PATIENT)
    until(lambda: len(list(user.folder.glob("begun-*"))) == 2, "two jobs run")
    parts = {what: found for what in ("server", "manager", "agent") if (found := set(user.processes(what)))}
    assert set(parts) == {"server", "manager", "agent"}
    assert {os.getpgid(part) for pids in parts.values() for part in pids}.isdisjoint({os.getpgid(pid)})
    os.write(terminal, b"\x03")
    said = read_to_end(terminal)
    _, status = os.waitpid(pid, 0)
    assert ended(os.waitstatus_to_exitcode(status)), said
    assert "running jobs are told to end" in " ".join(said.split())
    assert set(user.recorded.states().values()) == {"CANCELLED", "REGISTERED"}
    assert user.recorded.runs() == ["STOPPED"]
    for part in ("server", "agent"):
        assert set(user.processes(part)) == parts[part], f"the {part} died of Ctrl-C"
    assert "ended by signal" not in said
    assert user.recorded.flaws() == []
