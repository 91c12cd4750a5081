"""A real Grid Engine for these tests, and a user of it."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster_user import ClusterUser
from gridengine_daemons import daemon, is_root


@pytest.fixture(scope="session", autouse=True)
def gridengine() -> None:
    """The cluster, up. It is left up: `tests/clusters/gridengine.sh stop` ends it."""
    if not is_root():
        pytest.fail("these tests start Grid Engine's daemons, for which one must be root: make test-clusters")
    daemon("start")


@pytest.fixture
def user(request: pytest.FixtureRequest) -> Iterator[ClusterUser]:
    """A user, whose processes and jobs are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="jobmon-gridengine-", ignore_cleanup_errors=True) as scratch:
        one = ClusterUser(Path(scratch))
        yield one
        left = one.leave()
    assert left == {}, f"processes that outlived {request.node.name}"
