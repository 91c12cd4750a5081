"""Whatever state a script is in, or was started in: its tasks run, and each is recorded as it ended."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from users import User

SCRIPT = """
    import signal, sys
    if sys.argv[1] != "as it is":
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    from jobmon import BashTask, PythonTask, Workflow

    workflow = Workflow("begun", executor="compute")
    for executor in ["compute", "uploads"] if sys.argv[2] == "process" else ["uploads"]:
        more = {"executor": executor}
        workflow.add_task(BashTask("true", name=f"bash-{executor}", **more))
        workflow.add_task(BashTask("exit 3", name=f"fails-{executor}", **more))
        workflow.add_task(PythonTask("math:sqrt", args=[4.0], name=f"call-{executor}", **more))
    result = workflow.run(manager=sys.argv[2])
"""
#: Ignores and blocks all signals, closes all descriptors, and becomes the program of its arguments.
SPOILED = """
import os, resource, signal, sys
fixed = {signal.SIGKILL, signal.SIGSTOP}
for number in signal.valid_signals() - fixed:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - fixed)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
os.closerange(0, 100)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
#: Becomes a child whose C library has the signals ignored that it keeps for itself, as children of make have.
SPAWNED = """
import os, sys
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
#: A command that fails where a signal is ignored or blocked. 32 and 33 are the C library's: it lets nobody change them,
#: ignores both in what posix_spawn starts, and handles 33 in programs with threads, whose children ignore 32 alone.
CLEAN = (
    "masks=$(grep -E '^Sig(Blk|Ign)' /proc/self/status); echo \"$masks\";"
    " [[ $masks =~ ^SigBlk:.0{16}.SigIgn:.0{7}[01][08]0{7}$ ]]"
)


def expected(*executors: str) -> dict[str, str]:
    kinds = {"bash": "DONE", "fails": "ERROR_FATAL", "call": "DONE"}
    return {f"{kind}-{executor}": state for executor in executors for kind, state in kinds.items()}


@pytest.mark.parametrize("place", ["process", "in-process"])
def test_a_script_that_ignores_the_ends_of_its_children_hears_how_its_tasks_end(user: User, place: str) -> None:
    script = user.write("begun.py", SCRIPT)
    assert user.run(script, "ignoring", place).status == 0
    assert user.recorded.states() == expected(*(["compute", "uploads"] if place == "process" else ["uploads"]))


def test_what_a_script_was_started_with_reaches_neither_the_parts_of_a_run_nor_its_commands(user: User) -> None:
    script = user.write("begun.py", SCRIPT.replace('"true"', repr(CLEAN)))
    spawned, spoiled = user.write("spawned.py", SPAWNED), user.write("spoiled.py", SPOILED)
    assert user.run(spawned, spoiled, script, "as it is", "process").status == 0
    assert user.recorded.states() == expected("compute", "uploads")


def test_with_too_few_descriptors_a_run_is_refused_in_words_and_with_just_enough_it_goes_well(user: User) -> None:
    limited = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0}))\n"
    refused = user.run(user.write("few.py", limited.format(63) + textwrap.dedent(SCRIPT)), "as it is", "process")
    assert "may have only 63 files open at once; a run needs 64 at least. Raise the limit (ulimit -n)" in refused.said
    assert not user.data.exists()
    assert (
        user.run(user.write("enough.py", limited.format(64) + textwrap.dedent(SCRIPT)), "as it is", "process").status
        == 0
    )
    assert user.recorded.states() == expected("compute", "uploads")


def test_outside_the_main_thread_such_a_script_is_told_what_to_do(tmp_path: Path) -> None:
    script = """
import signal, threading
from jobmon import ConfigurationError, Workflow
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def run():
    try: Workflow("w").run()
    except ConfigurationError as error: print(error)
thread = threading.Thread(target=run); thread.start(); thread.join()
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert f"Call signal.signal(signal.{signal.SIGCHLD.name}, signal.SIG_DFL) there" in said.stdout
