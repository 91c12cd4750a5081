"""When a worker beats, gives up, and kills."""

from jobmon.worker import report
from jobmon.worker.watch import GRACE_S, Schedule


def test_heartbeats_are_due_at_the_interval_that_the_server_gave() -> None:
    schedule = Schedule(100.0, 30.0, 900.0)
    assert schedule.next_at() == 130.0
    schedule.answered(130.0, end=False)
    assert schedule.next_at() == 160.0


def test_a_heartbeat_without_answer_is_repeated_sooner_then_less_often() -> None:
    schedule = Schedule(0.0, 30.0, 900.0)
    pauses = []
    for _ in range(7):
        schedule.not_answered(100.0)
        pauses.append(schedule.beat_at - 100.0)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    schedule.answered(100.0, end=False)
    schedule.not_answered(200.0)
    assert schedule.beat_at == 201.0


def test_a_command_that_shall_end_is_killed_after_the_grace_and_only_once_decided() -> None:
    schedule = Schedule(0.0, 30.0, 900.0)
    schedule.answered(30.0, end=True)
    assert schedule.kill_at == 30.0 + GRACE_S
    schedule.answered(35.0, end=True)
    assert schedule.kill_at == 30.0 + GRACE_S
    assert schedule.ended_for is not None
    assert schedule.ended_for[0] == report.CANCELLED


def test_without_its_server_for_too_long_the_command_is_ended_as_lost() -> None:
    schedule = Schedule(0.0, 30.0, 900.0)
    schedule.answered(100.0, end=False)
    assert [schedule.orphaned(now) for now in (999.0, 1000.0, 1001.0)] == [False, True, False]
    assert schedule.ended_for is not None
    assert schedule.ended_for[0] == report.LOST
    assert schedule.kill_at == 1000.0 + GRACE_S


def test_a_command_that_runs_longer_than_it_asked_for_is_a_time_out() -> None:
    schedule = Schedule(0.0, 30.0, 900.0, runtime_s=20.0)
    assert schedule.next_at() == 20.0
    assert [schedule.over(now) for now in (19.9, 20.0, 21.0)] == [False, True, False]
    assert schedule.ended_for == (report.TIMEOUT, "it ran beyond the 20 s that it asked for")
    assert schedule.kill_at == 20.0 + GRACE_S
    assert not schedule.orphaned(2000.0)


def test_a_cancelled_command_does_not_become_lost() -> None:
    schedule = Schedule(0.0, 30.0, 40.0)
    schedule.answered(30.0, end=True)
    assert not schedule.orphaned(500.0)
