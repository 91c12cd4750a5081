"""The quick start of docs/slurm.md does what it says, as it stands there."""

import re
from pathlib import Path

from slurm_user import SlurmUser

PAGE = Path(__file__).resolve().parents[3] / "docs" / "slurm.md"


def block(language: str) -> str:
    """The first block of a language in the page."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def test_the_quick_start_runs_as_it_is_written(user: SlurmUser) -> None:
    user.write("jobmon.toml", block("toml"))
    user.write("first.py", block("python"))
    user.finish(user.start("first.py"))
    assert user.recorded.n_in("DONE") == 100
    assert user.calls()["sbatch"] <= 10
    assert "slurm" in user.jobmon("executors", "--load").said
    assert "first" in user.jobmon("status").said
