"""Disks that are really full or read-only: file systems in memory, mounted where the kernel lets this user mount."""

import shutil
import subprocess

import pytest
from users import User

SCRIPT = """
import sys
from jobmon import BashTask, JobmonError, Workflow

workflow = Workflow("full", executor="compute")
workflow.add_task(BashTask("echo fine", name="a"))
try:
    workflow.run().raise_for_failures()
except JobmonError as error:
    sys.exit(f"{type(error).__name__}: {error}")
print("it ran")
"""
FULL_DISK = """
mount -t tmpfs -o size=8m,mode=700 tmpfs "$JOBMON_DATA"
cat /dev/zero > "$JOBMON_DATA/fill" 2> /dev/null
"$PYTHON" full.py
rm "$JOBMON_DATA/fill"
"$PYTHON" full.py
"""
READ_ONLY_DISK = """
mount -t tmpfs -o ro,mode=700 tmpfs "$JOBMON_DATA"
"$PYTHON" full.py
"$PYTHON" -m jobmon status
"""
GATED = """
import sys
from jobmon import BashTask, PythonTask, Workflow

workflow = Workflow("full", executor="compute")
for n in range(7):
    command = f"touch here/ran-{n}; until [ -e here/go ]; do sleep 0.05; done; touch here/over-{n}"
    workflow.add_task(BashTask(command, name=f"job-{n}", max_attempts=1))
workflow.add_task(PythonTask("operator:pos", args=[1], name="call", max_attempts=1))
workflow.run().raise_for_failures()
print("it ran")
"""
#: The disk fills while the first jobs run; they end while the server is gone and there is no room to begin another.
FILLED_AMID_A_RUN = r"""
mount -t tmpfs -o size=8m,mode=700 tmpfs "$JOBMON_DATA"
mkdir here
"$PYTHON" gated.py & client=$!
until [ -e here/ran-0 ] && [ -e here/ran-1 ]; do sleep 0.05; done
cat /dev/zero > "$JOBMON_DATA/fill" 2> /dev/null
kill -KILL $(sed 's/.*"pid": *\([0-9]*\).*/\1/' "$JOBMON_DATA/endpoint.json")
touch here/go
until [ -e here/over-0 ] && [ -e here/over-1 ]; do sleep 0.05; done
sleep 5
rm "$JOBMON_DATA/fill"
echo room
wait $client
"$PYTHON" -m jobmon jobs 1 --json
"""
#: The log folder fills while the first jobs run: neither a command nor a call can be given its output files.
LOGS_FULL = r"""
printf '[workflow]\nlog_folder = "logs"\n[executors.compute]\ntype = "multiprocess"\nworkers = 2\n' > jobmon.toml
mkdir here logs
mount -t tmpfs -o nr_inodes=200,mode=700 tmpfs logs
"$PYTHON" gated.py & client=$!
until [ -e here/ran-0 ] && [ -e here/ran-1 ]; do sleep 0.05; done
n=0; while : > logs/fill-$n; do n=$((n + 1)); done 2> /dev/null
touch here/go
until "$PYTHON" -m jobmon status 1 | grep "this host is full"; do sleep 0.5; done
rm logs/fill-*
echo room
wait $client
"$PYTHON" -m jobmon jobs 1 --json
"""


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_mount(), reason="nothing can be mounted here")


def on_a_disk(user: User, commands: str) -> str:
    """What is said by these commands, for whom the data folder is a disk of its own."""
    user.data.mkdir()
    user.write("full.py", SCRIPT)
    user.write("gated.py", GATED)
    user.write("disk.sh", commands)
    user.write("in_a_namespace.py", 'import os\nos.execvp("unshare", ["unshare", "-rm", "bash", "disk.sh"])\n')
    said = user.run("in_a_namespace.py", PYTHON=user.python).said
    assert "Traceback" not in said
    return said


def test_a_full_disk_is_told_in_words_and_when_there_is_room_all_goes_on(user: User) -> None:
    said = on_a_disk(user, FULL_DISK)
    refused, _, ran = said.partition("make room")
    assert "Error: the " in refused, said
    assert str(user.data) in refused
    assert "it ran" not in refused
    assert "it ran" in ran, said


def test_a_read_only_disk_is_told_in_words(user: User) -> None:
    said = on_a_disk(user, READ_ONLY_DISK)
    assert f"ConfigurationError: the data folder {user.data} cannot be" in said
    assert "Read-only file system" in said
    assert "JOBMON_DATA" in said
    assert "nothing has been run" in said


def test_a_disk_that_fills_amid_a_run_holds_it_up_until_there_is_room(user: User) -> None:
    said = on_a_disk(user, FILLED_AMID_A_RUN)
    assert "it ran" in said.partition("room")[2], said
    assert said.count('"DONE"') == 8, said


def test_a_log_folder_without_room_holds_up_what_would_write_there_and_is_said(user: User) -> None:
    said = on_a_disk(user, LOGS_FULL)
    full, _, then = said.partition("room")
    assert "No space left on device" in full, said
    assert "it ran" in then, said
    assert said.count('"DONE"') == 8, said
