"""A real Slurm for these tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_daemons import daemon, is_root
from slurm_user import SlurmUser


@pytest.fixture(scope="session", autouse=True)
def slurm() -> None:
    """The cluster, up. It is left up: `tests/clusters/slurm.sh stop` ends it."""
    if not is_root():
        pytest.fail("these tests start Slurm's daemons, for which one must be root: make test-clusters")
    daemon("start")


@pytest.fixture
def user() -> Iterator[SlurmUser]:
    """A user of the cluster, of whom nothing is left when the test is over: no process, no job."""
    with tempfile.TemporaryDirectory(prefix="jobmon-slurm-", ignore_cleanup_errors=True) as scratch:
        new = SlurmUser(Path(scratch))
        try:
            yield new
        finally:
            daemon("start")  # whatever the test has ended
            strange = new.leave()
        assert strange == {}, "processes that outlived the test"
