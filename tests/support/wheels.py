"""Wheels of this repository and of all that they need, and fresh environments that are made of them alone."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: In the wheel house beside what they need.
OURS = (".[testing]", "plugins/jobmon_dummy", "plugins/jobmon_multiprocess", "plugins/jobmon_sequential")
#: What builds wheels and editable installs.
BUILDERS = ("hatchling", "editables")


def wheel_house(shared: Path) -> Path:
    """A folder of wheels, made once for all that share the folder `shared`. Third-party wheels come from the index."""
    house = shared / "wheels"
    with (shared / "wheels.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (house / "complete").exists():
            _pip(sys.executable, "wheel", "--quiet", "--wheel-dir", str(house), *OURS, *BUILDERS)
            (house / "complete").touch()
    return house


def pip_environ(house: Path) -> dict[str, str]:
    """An environment in which pip knows no index and the wheel house alone, and Jobmon nothing of the user's."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("JOBMON", "PYTHON", "PYTEST", "PIP_", "VIRTUAL_ENV"))
    }
    path = f"{Path(sys.executable).parent}:{kept['PATH']}"
    kept["XDG_CONFIG_HOME"] = str(house / "no-configuration")
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_QUIET": "1"}
    return (
        kept | quiet | {"PATH": path, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(house), "PIP_CONFIG_FILE": os.devnull}
    )


def build(source: Path, house: Path, environ: dict[str, str]) -> None:
    """Add the wheel of a distribution to a folder of wheels."""
    _pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", str(house), str(source), environ=environ)


def environment(folder: Path, environ: dict[str, str], *packages: str) -> str:
    """A fresh environment with these packages; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    _pip(python, "install", *packages, environ=environ)
    return python


def _pip(python: str, *arguments: str, environ: dict[str, str] | None = None) -> None:
    argv = [python, "-m", "pip", *arguments]
    done = subprocess.run(argv, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"
