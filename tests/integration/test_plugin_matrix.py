"""`.ci/plugin-matrix` refuses what it cannot do before it builds anything."""

import shutil
import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).resolve().parents[2] / ".ci"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["nowhere"], 1, "there is no commit nowhere\n"),
        (["HEAD", "nowhere"], 1, "there is no commit nowhere\n"),
        (["--jobmon", "nowhere", "HEAD"], 1, "there is no commit nowhere\n"),
        (["released"], 1, "nothing is released: there is no tag v*\n"),
        (["--plugin"], 2, "Usage: .ci/plugin-matrix "),
        (["--other"], 2, "Usage: .ci/plugin-matrix "),
    ],
)
def test_what_it_cannot_do_is_told_at_once(arguments: list[str], status: int, said: str, tmp_path: Path) -> None:
    shutil.copytree(CI, tmp_path / ".ci")
    for argv in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a"],
    ):
        subprocess.run(["git", *argv], cwd=tmp_path, check=True)
    argv = [str(tmp_path / ".ci" / "plugin-matrix"), *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith(said)
