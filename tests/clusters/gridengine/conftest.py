"""A real Grid Engine for these tests."""

import pytest
from gridengine_daemons import daemon, is_root


@pytest.fixture(scope="session", autouse=True)
def gridengine() -> None:
    """The cluster, up. It is left up: `tests/clusters/gridengine.sh stop` ends it."""
    if not is_root():
        pytest.fail("these tests start Grid Engine's daemons, for which one must be root: make test-clusters")
    daemon("start")
