"""Errors that a script does not catch: of the surroundings in words, of the script with the line that is to blame."""

import subprocess
import sys

import pytest


def script(code: str, *flags: str) -> "subprocess.CompletedProcess[str]":
    text = "from jobmon import *\nfrom jobmon import Workflow\n" + code
    return subprocess.run([sys.executable, *flags, "-c", text], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["ConfigurationError", "PluginIncompatible", "ServerUnreachable", "StoreError"])
def test_an_error_of_the_surroundings_is_its_text_alone(kind: str) -> None:
    done = script(f"error = {kind}('what is wrong, and where'); error.add_note('(and more)'); raise error")
    assert (done.returncode, done.stderr) == (1, f"jobmon.errors.{kind}: what is wrong, and where\n(and more)\n")


@pytest.mark.parametrize("kind", ["InvalidTask", "WorkflowFailed", "ZeroDivisionError"])
def test_an_error_of_the_script_shows_its_line(kind: str) -> None:
    assert script(f"raise {kind}('x')").stderr.startswith("Traceback")


def test_who_wants_the_traceback_has_it() -> None:
    assert "Traceback" in script("raise StoreError('x')", "-X", "dev").stderr
    assert script("import sys; print(sys.excepthook.__module__)").stdout == "jobmon.client.uncaught\n"
    own = "import sys; sys.excepthook = mine = print; import jobmon.client.workflow; assert sys.excepthook is mine"
    subprocess.run([sys.executable, "-c", own], check=True)
