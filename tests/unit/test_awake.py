"""Deadlines of a process that was stopped for a while: it asks before it ends anything."""

import select
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmon.agent.attempts import Attempt, Attempts
from jobmon.agent.courier import Courier
from jobmon.agent.held import Held
from jobmon.agent.journal import Journal
from jobmon.agent.messages import Order
from jobmon.agent.reserve import Reserve
from jobmon.agent.runner import Runner
from jobmon.agent.timers import Timers
from jobmon.clock import SystemClock
from jobmon.errors import ServerUnreachable
from jobmon.requester import Requester
from jobmon.server.signs import Patience, SignsOfLife
from jobmon.states.reasons import Reason
from jobmon.wire.jobs import Command
from jobmon.wire.workers import Work
from jobmon.worker.awake import AwakeClock
from jobmon.worker.watch import Schedule

FROZEN_S = 16 * 60.0


class Real:
    """What the clock of the kernel says."""

    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


@given(st.lists(st.floats(0.0, 10_000.0), max_size=30))
def test_of_each_gap_between_two_looks_only_so_much_counts(gaps: list[float]) -> None:
    real = Real()
    clock = AwakeClock(30.0, real)
    began = clock.now()
    for gap in gaps:
        real.s += gap
        clock.now()
    assert clock.now() - began == pytest.approx(sum(min(gap, 30.0) for gap in gaps))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def no_server() -> Requester:
    raise ServerUnreachable("no server answers")


def test_an_agent_that_was_stopped_asks_for_as_long_as_ever_before_it_ends_what_runs(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    real, attempts, timers = Real(), Attempts(1), Timers()
    clock = AwakeClock(30.0, real)
    courier = Courier("host:agent", no_server, now=clock.now)
    journal, held = Journal(tmp_path / "ended", "host:agent"), Held(tmp_path / "held", "host:agent")
    runner = Runner(
        attempts,
        courier,
        journal,
        held,
        select.epoll(),
        timers,
        {},
        1.0,
        clock,
        Reserve(),
    )
    attempts.accept([Order("t1")])
    attempts.to_ask(1)
    attempts.answered("t1", Work({}, "/", "/dev/null", "/dev/null", Command("sleep 1000")))
    attempt = attempts.next_to_run()
    assert isinstance(attempt, Attempt)
    attempt.pid = sleeper.pid
    real.s += FROZEN_S
    asked = 0
    while attempt.ending is None:
        timers.run(clock.now())
        runner.advance()
        asked += bool(courier._beats)
        courier._beats = []
        real.s += 10.0
    assert asked >= 900 / 30 - 2
    assert attempt.ending[0] is Reason.LOST


def test_a_worker_that_was_stopped_has_its_server_left_to_ask() -> None:
    real = Real()
    clock = AwakeClock(90.0, real)
    schedule = Schedule(clock.now(), 30.0, 900.0)
    real.s += FROZEN_S
    assert clock.now() >= schedule.beat_at
    assert not schedule.orphaned(clock.now())


def test_a_server_that_was_stopped_takes_nobody_for_dead_whom_it_could_not_hear() -> None:
    real = Real()
    signs = SignsOfLife(SystemClock(AwakeClock(2.0, real).now), Patience())
    signs.heard_manager(1, "compute")
    signs.heard_worker("t1")
    signs.heard_run(1)
    assert signs.seen("t2", gone=True) == 0.0
    real.s += FROZEN_S
    assert signs.manager_alive(1, "compute")
    assert not signs.silent("t1")
    assert signs.run_seconds_left(1) > 50
    assert signs.seen("t2", gone=True) < 30
    for _ in range(7):
        real.s += 1.0
        signs.idle(0)
    assert not signs.manager_alive(1, "compute")
