"""The documented commands work with the pip that this Python brings, whichever that is."""

import ensurepip
import re
import subprocess
import sys
from pathlib import Path

import pytest
import wheels

README = (wheels.ROOT / "README.md").read_text()
LINES = re.findall(r"^python -m pip install (\. .*?)(?:\s+#.*)?$", README, re.MULTILINE)


def reordered(line: str) -> str:
    """The same packages, the core last."""
    return " ".join(sorted(line.split(), key=lambda word: "plugins" not in word))


@pytest.mark.parametrize("line", [*LINES, reordered(LINES[-1])])
def test_the_readme_s_commands_are_resolved_by_the_pip_that_python_brings(
    tmp_path_factory: pytest.TempPathFactory, line: str
) -> None:
    base = tmp_path_factory.getbasetemp()
    house = wheels.wheel_house(base.parent if re.match(r"popen-gw\d", base.name) else base)
    (bundled,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    environ = wheels.pip_environ(house) | {"PYTHONPATH": str(bundled), "PIP_QUIET": "0"}
    argv = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", *line.replace("'", "").split()]
    done = subprocess.run(argv, cwd=wheels.ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{bundled.name}\n{done.stdout}{done.stderr}"
    assert (
        f"pip {ensurepip.version()} "
        in subprocess.run(
            [sys.executable, "-m", "pip", "--version"], env=environ, capture_output=True, text=True, check=True
        ).stdout
    )
    would = done.stdout.rpartition("Would install ")[2]
    assert "jobmon-0.1.0" in would
    assert ("hypothesis-" in would) == ("testing" in line)
