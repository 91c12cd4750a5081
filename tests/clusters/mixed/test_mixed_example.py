"""The example of the two executors with its compute on a cluster: another jobmon.toml, and nothing else."""

import filecmp
import shutil
from collections import Counter
from pathlib import Path

import pytest
from both_user import PATIENCE_S, BothUser

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "life_expectancy"
N_COMPUTE, N_UPLOADS = 144, 5


@pytest.fixture
def example(user: BothUser) -> BothUser:
    """A user with a copy of the example."""
    shutil.copytree(EXAMPLE, user.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("out", "__pycache__"))
    return user


def table_of(user: BothUser, out: str) -> bytes:
    """Run the example; its final table."""
    done = user.start("life_expectancy.py", "--replicates", "20", "--out", out).end(PATIENCE_S)
    assert done.status == 0, done.said
    return (user.folder / out / "results.csv").read_bytes()


@pytest.mark.parametrize(("kind", "numbers"), [("uge", "."), ("slurm", "_")])
def test_the_examples_compute_moves_to_a_cluster_by_configuration_alone(
    example: BothUser, kind: str, numbers: str
) -> None:
    here = table_of(example, "here")
    example.configure({"compute": kind, "uploads": "sequential"}, default="compute")
    assert table_of(example, "there") == here
    on_cluster = [one for one in example.attempts()[N_COMPUTE + N_UPLOADS :] if one.executor == "compute"]
    assert len(on_cluster) == N_COMPUTE
    in_arrays = [one for one in on_cluster if numbers in one.executor_job_id]
    assert len(in_arrays) >= 142, "the fits are members of the cluster's arrays"
    assert Counter(one.executor for one in example.attempts()) == {"compute": 2 * N_COMPUTE, "uploads": 2 * N_UPLOADS}
    assert example.recorded.flaws() == []
    scripts = ["life_expectancy.py", "models.py", "upload.py"]
    assert filecmp.cmpfiles(EXAMPLE, example.folder, scripts, shallow=False)[0] == scripts
