"""A real Grid Engine and a real Slurm beside each other, and users of both."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import gridengine_daemons
import pytest
import slurm_daemons
from both_user import BothUser


@pytest.fixture(scope="session", autouse=True)
def both() -> None:
    """The clusters, up. They are left up."""
    if not slurm_daemons.is_root():
        pytest.fail("these tests start the daemons of schedulers, for which one must be root: make test-clusters")
    gridengine_daemons.daemon("start")
    slurm_daemons.daemon("start")


@pytest.fixture
def new_user() -> Iterator[Callable[[], BothUser]]:
    """Makes users, whose processes and jobs are gone afterwards."""
    users: list[BothUser] = []
    with ExitStack() as scratch:

        def make() -> BothUser:
            folder = tempfile.TemporaryDirectory(prefix="jobmon-mixed-", ignore_cleanup_errors=True)
            users.append(BothUser(Path(scratch.enter_context(folder))))
            return users[-1]

        yield make
        left = [user.leave() for user in reversed(users)]
    assert not any(left), f"processes that outlived the test: {left}"


@pytest.fixture
def user(new_user: Callable[[], BothUser]) -> BothUser:
    """One user."""
    return new_user()
