"""A disk that is really full: a small file system in memory, mounted where the kernel lets this user mount."""

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
DISK = """
mount -t tmpfs -o size=8m tmpfs "$JOBMON_DATA"
cat /dev/zero > "$JOBMON_DATA/fill" 2> /dev/null
"$PYTHON" full.py
rm "$JOBMON_DATA/fill"
"$PYTHON" full.py
"""


def can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/tmp"], check=False).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="nothing can be mounted here")
def test_a_full_disk_is_told_in_words_and_when_there_is_room_all_goes_on(user: User) -> None:
    user.data.mkdir()
    user.write("full.py", SCRIPT)
    user.write("disk.sh", DISK)
    user.write("in_a_namespace.py", 'import os\nos.execvp("unshare", ["unshare", "-rm", "bash", "disk.sh"])\n')
    done = user.run("in_a_namespace.py", PYTHON=user.python)
    assert "Traceback" not in done.said
    refused, _, ran = done.said.partition("make room")
    assert "Error: the " in refused, done.said
    assert str(user.data) in refused
    assert "it ran" not in refused
    assert "it ran" in ran, done.said
