"""What the server knows of standing managers, and what a client makes of it."""

import pytest
from world import MovedClock

from jobmon.client.elsewhere import ElsewhereExecutor
from jobmon.processes import ProcessIdentity
from jobmon.server.signs import Patience, SignsOfLife
from jobmon.server.standing import StandingManagers
from jobmon.states.evidence import Reporting
from jobmon.wire.leases import ExecutorRegistration

OLD, NEW = ProcessIdentity("here", "boot", 1, 1), ProcessIdentity("there", "boot", 2, 2)
FAR = ExecutorRegistration(
    "far", "jobmon-executor-far", "1.0", [0, 1], False, Reporting.WORKER,
    {"queue": "str", "slots": "int", "share": "float", "keep": "bool", "hosts": "list[str]"}, ["queue"],
    {"memory": "enforced"},
)  # fmt: skip


def test_an_executor_is_known_while_its_manager_is_heard_of():
    clock = MovedClock()
    standing = StandingManagers(clock, 6.0)
    assert standing.live() == {}
    assert standing.heard(OLD, {"far": FAR}) == []
    clock.seconds = 6.0
    assert standing.live() == {"far": FAR}
    clock.seconds = 6.1
    assert standing.live() == {}
    assert standing.heard(OLD, {"far": FAR}) == []
    assert standing.live() == {"far": FAR}


def test_of_two_managers_the_newer_one_counts_for_what_both_serve():
    standing = StandingManagers(MovedClock(), 6.0)
    standing.heard(OLD, {"far": FAR, "own": FAR})
    assert standing.heard(NEW, {"far": FAR}) == []
    assert standing.heard(OLD, {"far": FAR, "own": FAR}) == ["far"]
    assert standing.heard(NEW, {"far": FAR}) == []
    assert set(standing.live()) == {"far", "own"}


def test_a_server_is_not_idle_while_a_standing_manager_uses_it():
    clock = MovedClock()
    signs = SignsOfLife(clock, Patience(idle_s=60.0))
    clock.seconds = 100.0
    signs.standing.heard(OLD, {"far": FAR})
    assert signs.idle(0) is False
    clock.seconds = 161.0
    assert signs.idle(0) is True


@pytest.mark.parametrize(
    ("resources", "problems"),
    [
        ({"cores": 2, "far": {"queue": "long"}, "uge": {"queue": 7}}, []),
        ({"far": {"queue": "q", "slots": 1, "share": 1, "keep": True, "hosts": "anything"}}, []),
        ({"cores": 0, "far": {"queue": "q"}}, ["cores 0 is not a whole number of 1 or more"]),
        ({"memry": 1, "far": {"queue": "q"}}, ["unknown resource 'memry'; did you mean 'memory'?"]),
        ({"far": {"queue": "q", "slot": 1}}, ["far: unknown resource 'slot'; did you mean 'slots'?"]),
        ({"far": {}}, ["far: 'queue' is missing"]),
        ({"far": {"queue": 7}}, ["far: queue = 7: expected str"]),
        ({"far": {"queue": "q", "slots": True}}, ["far: slots = True: expected int"]),
        ({"far": {"queue": "q", "keep": 1}}, ["far: keep = 1: expected bool"]),
        ({"far": "long"}, ["far: 'long' is no table"]),
    ],
)
def test_resources_are_checked_without_the_plugin_as_far_as_can_be(resources, problems):
    assert ElsewhereExecutor("cluster", FAR).resource_problems(resources) == problems
