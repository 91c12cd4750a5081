"""What the rules of the house look at: the files of the repository, parsed once."""

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _hidden(name: str) -> bool:
    return name.startswith(".") and name not in (".ci", ".gitignore")


@cache
def _files() -> tuple[Path, ...]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:  # an unpacked archive
        made = ("__pycache__", "out", "build", "dist")
        paths = [
            p for p in ROOT.rglob("*") if not any(_hidden(part) or part in made for part in p.relative_to(ROOT).parts)
        ]
    return tuple(sorted(path for path in paths if path.is_file()))


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def files() -> tuple[Path, ...]:
    """Every file that belongs to the repository."""
    return _files()


@pytest.fixture(scope="session")
def code(files: tuple[Path, ...]) -> dict[Path, ast.Module]:
    """The syntax trees of what is shipped: core and plugins, by path from the root."""
    found = {}
    for path in files:
        name = path.relative_to(ROOT)
        shipped = name.parts[0] == "jobmon" or (name.parts[0] == "plugins" and "src" in name.parts)
        if shipped and path.suffix == ".py":
            found[name] = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return found


@pytest.fixture(scope="session")
def tests(files: tuple[Path, ...]) -> dict[Path, ast.Module]:
    """The syntax trees of all tests, by path from the root."""
    return {
        path.relative_to(ROOT): ast.parse(path.read_text(encoding="utf-8"), str(path))
        for path in files
        if path.suffix == ".py" and "tests" in path.relative_to(ROOT).parts
    }
