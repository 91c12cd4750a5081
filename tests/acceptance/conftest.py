"""Users whose processes are all gone when their test is over; a test that leaves one behind fails."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from users import User


@pytest.fixture
def new_user(request: pytest.FixtureRequest) -> Iterator[Callable[[], User]]:
    """Makes users. Their folders have short paths outside pytest's own, which keeps those of former sessions."""
    users: list[User] = []
    with tempfile.TemporaryDirectory(prefix="jobmon-acceptance-", ignore_cleanup_errors=True) as scratch:

        def make() -> User:
            folder = Path(scratch) / f"user{len(users)}"
            folder.mkdir()
            users.append(User(folder))
            return users[-1]

        yield make
        for user in users:
            print(user.story())
        left = [(pid, what) for user in users for pid, what in user.leave().items()]
    assert left == [], f"processes that outlived {request.node.name}"


@pytest.fixture
def user(new_user: Callable[[], User]) -> User:
    """A user."""
    return new_user()
