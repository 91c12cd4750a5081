"""The tests of real schedulers run when they are asked for: `make test-clusters` sets JOBMON_TEST_CLUSTERS."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
collect_ignore_glob = [] if os.environ.get("JOBMON_TEST_CLUSTERS") else ["*"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One scheduler's tests share its daemons: they run in one process (`--dist loadgroup`)."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(HERE).parts[0]))
