"""The table of live attempts, and what becomes of submissions of unknown outcome."""

from datetime import UTC, datetime

import pytest

from jobmon.managers.live import Attempt, LiveTable, Phase
from jobmon.managers.uncertain import settle
from jobmon.plugins import Absent, CannotTell, Found
from jobmon.states.evidence import Sighting
from jobmon.wire.leases import OutcomeKind

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
TOKEN = "j" + "0" * 26


def attempt(token=TOKEN, phase=Phase.UNCERTAIN, **fields):
    return Attempt(token, "a task", phase, NOON, **fields)


def test_the_platform_is_told_the_token_and_the_cleaned_name():
    told = attempt(executor_job_id="7").submitted()
    assert ("7", TOKEN, f"{TOKEN}-a_task", NOON) == (
        told.executor_job_id,
        told.token,
        told.job_name,
        told.submitted_at,
    )


def test_dropping_tells_what_was_known_and_makes_room():
    table, first, second = LiveTable(), attempt("a"), attempt("b")
    table.add([first, second])
    assert table.wait_for_room(2, timeout_s=0.0) == 0
    assert [first] == table.drop(["a", "a", "unknown"])
    assert table.wait_for_room(2, timeout_s=0.0) == 1
    assert [second] == table.snapshot()


def test_a_cancellation_that_overtakes_the_claim_is_not_lost():
    table = LiveTable()
    assert table.cancel("a") is None
    table.add([attempt("a"), attempt("b")])
    assert {a.token: a.cancelling for a in table.snapshot()} == {"a": True, "b": False}


def test_a_cancellation_of_what_has_ended_is_forgotten():
    table = LiveTable()
    table.cancel("a")
    table.forget_cancels(["a"])
    table.add([attempt("a")])
    assert [a.cancelling for a in table.snapshot()] == [False]


def test_a_closed_table_keeps_nobody_waiting():
    table = LiveTable()
    table.add([attempt("a")])
    table.close()
    assert table.wait_for_room(1, timeout_s=1000.0) == 0


def test_what_was_found_is_accepted():
    lost_sight_of = attempt(unsettled_since_s=1.0)
    outcomes, observations = settle([lost_sight_of], {TOKEN: Found("7")}, 100.0, 10.0)
    assert [(o.token, o.kind, o.executor_job_id) for o in outcomes] == [(TOKEN, OutcomeKind.ACCEPTED, "7")]
    assert (
        lost_sight_of.phase,
        lost_sight_of.executor_job_id,
        lost_sight_of.unsettled_since_s,
    ) == (Phase.PLACED, "7", None)
    assert observations == []


def test_what_is_absent_was_never_accepted():
    outcomes, observations = settle([attempt()], {TOKEN: Absent(NOON)}, 0.0, 10.0)
    assert [o.kind for o in outcomes] == [OutcomeKind.NEVER_ACCEPTED]
    assert observations == []


def test_what_ran_and_is_absent_is_evidence_of_loss():
    _, observations = settle([attempt(running=True)], {TOKEN: Absent(NOON)}, 0.0, 10.0)
    assert [(o.token, o.sighting) for o in observations] == [(TOKEN, Sighting.ABSENT)]


@pytest.mark.parametrize("findings", [{TOKEN: CannotTell("half an answer")}, {}])
def test_what_cannot_be_told_is_revoked_after_a_time_that_begins_with_the_first_answer(findings):
    unsettled = attempt()
    assert settle([unsettled], findings, 1000.0, 10.0)[0] == []
    assert settle([unsettled], findings, 1009.0, 10.0)[0] == []
    outcomes, _ = settle([unsettled], findings, 1010.0, 10.0)
    assert [o.kind for o in outcomes] == [OutcomeKind.REVOKED]


def test_what_runs_is_never_revoked():
    running = attempt(running=True, unsettled_since_s=0.0)
    assert settle([running], {}, 1e9, 10.0) == ([], [])
