"""The table of evidence: who reports × what the platform says × how long × how silent the worker is."""

import itertools

import attrs
import pytest

from jobmon.states import instances
from jobmon.states.evidence import Facts, Graces, Observed, Reporting, Sighting, decide
from jobmon.states.instances import CancelConfirmed, Ended, InstanceEvent, Started
from jobmon.states.names import FINAL_INSTANCE_STATES, InstanceState
from jobmon.states.reasons import CHARGED, Reason

GRACES = Graces(report_grace_s=10.0, agent_grace_s=1.0, absent_grace_s=30.0)
WORKER, AGENT, PLATFORM = Reporting.WORKER, Reporting.AGENT, Reporting.PLATFORM
SUBMITTING, SUBMITTED = InstanceState.SUBMITTING, InstanceState.SUBMITTED_TO_BATCH_EXECUTOR
RUNNING, CANCELLING = InstanceState.RUNNING, InstanceState.CANCELLING
LIVE = [SUBMITTING, SUBMITTED, RUNNING, CANCELLING]
LONG = 1e9
OWN_FAULTS = sorted(CHARGED)


def weigh(
    observed: Observed,
    state: InstanceState = RUNNING,
    reporting: Reporting = WORKER,
    *,
    is_call: bool = False,
    silent: bool = True,
    gone_for_s: float = LONG,
) -> InstanceEvent | None:
    return decide(Facts(state, reporting, is_call, silent, gone_for_s), observed, GRACES)


EVERYTHING = list(
    itertools.product(
        [s for s in InstanceState if s not in FINAL_INSTANCE_STATES],
        Reporting,
        (False, True),
        (False, True),
        (0.0, LONG),
    )
)


@pytest.mark.parametrize("sighting", [Sighting.ABSENT, Sighting.PENDING, Sighting.RUNNING, Sighting.UNKNOWN])
def test_only_an_exit_is_ever_read_as_success(sighting: Sighting) -> None:
    events = [decide(Facts(*facts), Observed(sighting), GRACES) for facts in EVERYTHING]
    assert [event for event in events if isinstance(event, Ended) and event.reason is None] == []


@pytest.mark.parametrize("sighting", [Sighting.PENDING, Sighting.UNKNOWN])
def test_what_is_pending_or_unknown_proves_nothing_however_long_it_lasts(sighting: Sighting) -> None:
    assert {decide(Facts(*facts), Observed(sighting), GRACES) for facts in EVERYTHING} == {None}


@pytest.mark.parametrize("state", LIVE)
@pytest.mark.parametrize("reporting", [WORKER, AGENT])
def test_running_is_for_the_worker_to_say_where_one_reports(state: InstanceState, reporting: Reporting) -> None:
    assert weigh(Observed(Sighting.RUNNING), state, reporting) is None


def test_running_starts_an_attempt_that_waits_where_the_platform_alone_reports() -> None:
    seen = {state: weigh(Observed(Sighting.RUNNING), state, PLATFORM) for state in LIVE}
    started = Started("platform")
    assert seen == {SUBMITTING: started, SUBMITTED: started, RUNNING: None, CANCELLING: None}


@pytest.mark.parametrize(("reporting", "grace_s"), [(WORKER, 10.0), (AGENT, 1.0), (PLATFORM, 0.0)])
@pytest.mark.parametrize("state", LIVE)
def test_after_an_exit_a_report_on_its_way_gets_its_grace(
    reporting: Reporting, grace_s: float, state: InstanceState
) -> None:
    exited = Observed(Sighting.EXITED, exit_status=0)
    if grace_s:
        assert weigh(exited, state, reporting, gone_for_s=grace_s - 0.001) is None
    assert weigh(exited, state, reporting, gone_for_s=grace_s) is not None


@pytest.mark.parametrize("reporting", [WORKER, AGENT])
def test_a_running_command_that_exited_with_0_and_no_report_is_done(reporting: Reporting) -> None:
    assert weigh(Observed(Sighting.EXITED, exit_status=0), reporting=reporting) == Ended(None, 0)


@pytest.mark.parametrize("reporting", [WORKER, AGENT])
def test_a_running_call_that_exited_with_0_and_no_report_is_lost_with_its_result(reporting: Reporting) -> None:
    event = weigh(Observed(Sighting.EXITED, exit_status=0), reporting=reporting, is_call=True)
    assert isinstance(event, Ended)
    assert (event.reason, event.exit_status) == (Reason.LOST, 0)
    assert "result of the call" in (event.detail or "")


def test_a_call_whose_platform_alone_reports_is_done_when_it_exited_with_0() -> None:
    assert weigh(Observed(Sighting.EXITED, exit_status=0), reporting=PLATFORM, is_call=True) == Ended(None, 0)


@pytest.mark.parametrize("reporting", [WORKER, AGENT])
@pytest.mark.parametrize("state", [SUBMITTING, SUBMITTED])
@pytest.mark.parametrize("is_call", [False, True])
@pytest.mark.parametrize("reason", [None, *OWN_FAULTS])
def test_what_ended_before_its_worker_won_the_start_is_lost_and_charged_to_nobody(
    reporting: Reporting, state: InstanceState, is_call: bool, reason: Reason | None
) -> None:
    seen = Observed(Sighting.EXITED, reason, 3, "qacct: failed 100")
    event = weigh(seen, state, reporting, is_call=is_call)
    assert isinstance(event, Ended)
    unrunnable = reason is Reason.EXIT_NONZERO  # with status 3: neither of those that a worker has
    assert (event.reason, event.exit_status) == (Reason.UNKNOWN if unrunnable else Reason.LOST, None)
    assert event.reason not in CHARGED
    assert "without a word from a worker that has run it" in (event.detail or "")
    for said in ("qacct: failed 100", "status 3", reason or ""):
        assert said in (event.detail or "")


@pytest.mark.parametrize("reason", sorted(set(Reason) - CHARGED))
@pytest.mark.parametrize("state", [SUBMITTING, SUBMITTED, RUNNING])
def test_a_reason_that_charges_nobody_is_kept_before_and_after_the_start(reason: Reason, state: InstanceState) -> None:
    event = weigh(Observed(Sighting.EXITED, reason, None, "drained"), state)
    assert event == Ended(reason, None, detail="drained")


@pytest.mark.parametrize("reporting", Reporting)
@pytest.mark.parametrize("reason", Reason)
def test_a_running_attempt_ends_for_the_reason_that_the_platform_gives(reporting: Reporting, reason: Reason) -> None:
    event = weigh(Observed(Sighting.EXITED, reason, 9, "said"), reporting=reporting, is_call=True)
    if reporting is Reporting.WORKER and reason in (Reason.SIGNALLED, Reason.EXIT_NONZERO):
        wordless = "its worker ended without a word of how its command did (said)"  # it would have reported it
        assert event == Ended(Reason.LOST, 9, detail=wordless)
    else:
        assert event == Ended(reason, 9, detail="said")


@pytest.mark.parametrize("reason", [None, *Reason])
@pytest.mark.parametrize("state", LIVE)
def test_where_the_platform_alone_reports_its_word_decides_at_once(reason: Reason | None, state: InstanceState) -> None:
    event = weigh(Observed(Sighting.EXITED, reason, 1), state, PLATFORM, gone_for_s=0.0, silent=False)
    assert event == Ended(reason, 1)


@pytest.mark.parametrize("reporting", [WORKER, AGENT])
def test_an_attempt_that_is_being_cancelled_and_exited_without_a_report_is_cancelled(reporting: Reporting) -> None:
    event = weigh(Observed(Sighting.EXITED, Reason.SIGNALLED, detail="killed"), CANCELLING, reporting)
    assert event == CancelConfirmed("killed")


@pytest.mark.parametrize("reporting", Reporting)
@pytest.mark.parametrize("gone_for_s", [0.0, LONG])
@pytest.mark.parametrize("silent", [False, True])
def test_an_attempt_that_is_being_cancelled_and_absent_is_cancelled(
    reporting: Reporting, gone_for_s: float, silent: bool
) -> None:
    event = weigh(Observed(Sighting.ABSENT), CANCELLING, reporting, gone_for_s=gone_for_s, silent=silent)
    assert isinstance(event, CancelConfirmed)


@pytest.mark.parametrize("state", [SUBMITTING, SUBMITTED, RUNNING])
@pytest.mark.parametrize("reporting", Reporting)
@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("gone_for_s", [0.0, 29.999, 30.0])
def test_absence_is_loss_only_when_it_lasts_and_the_worker_is_silent(
    state: InstanceState, reporting: Reporting, silent: bool, gone_for_s: float
) -> None:
    event = weigh(Observed(Sighting.ABSENT), state, reporting, silent=silent, gone_for_s=gone_for_s)
    if gone_for_s >= 30.0 and (silent or reporting is PLATFORM):
        assert isinstance(event, Ended)
        assert event.reason is Reason.LOST
    else:
        assert event is None


@pytest.mark.parametrize("sighting", Sighting)
@pytest.mark.parametrize("state", LIVE)
def test_whatever_the_evidence_amounts_to_is_legal_in_that_state(sighting: Sighting, state: InstanceState) -> None:
    for reporting, is_call, silent, gone, reason in itertools.product(
        Reporting, (False, True), (False, True), (0.0, LONG), (None, *Reason)
    ):
        event = decide(Facts(state, reporting, is_call, silent, gone), Observed(sighting, reason), GRACES)
        if event is not None:
            before = instances.JobInstance(1, 1, 1, "compute", 1, "j", state)
            assert instances.apply(before, event)[0] is not before


def test_an_agent_gets_a_shorter_grace_than_a_worker_and_both_less_than_absence() -> None:
    graces = Graces()
    assert (graces.after_exit_s(AGENT), graces.after_exit_s(WORKER), graces.after_exit_s(PLATFORM)) == (1.0, 10.0, 0.0)
    assert graces.after_exit_s(WORKER) < graces.absent_grace_s


SAID = "the platform's output ends with:\nbash: no python"


@pytest.mark.parametrize(
    ("observed", "state", "is_call", "before"),
    [
        (Observed(Sighting.ABSENT), RUNNING, False, "its worker is silent and the platform does not have it"),
        (Observed(Sighting.EXITED, Reason.EXIT_NONZERO, 127), SUBMITTED, False, "without a word from a worker"),
        (Observed(Sighting.EXITED, None, 0), RUNNING, True, "its worker never reported the result of the call"),
        (Observed(Sighting.EXITED, Reason.OUT_OF_MEMORY, detail="oom"), RUNNING, False, "oom; the platform's"),
        (Observed(Sighting.EXITED, Reason.SIGNALLED), RUNNING, False, "its worker ended without a word"),
    ],
)
def test_an_end_without_a_report_quotes_the_platforms_output(
    observed: Observed, state: InstanceState, is_call: bool, before: str
) -> None:
    event = weigh(attrs.evolve(observed, output="bash: no python"), state, is_call=is_call)
    assert isinstance(event, Ended)
    assert before in str(event.detail)
    assert str(event.detail).endswith(SAID)
    quiet = weigh(observed, state, is_call=is_call)
    assert isinstance(quiet, Ended)
    assert "output ends with" not in (quiet.detail or "")


def test_what_was_cancelled_before_a_worker_won_the_start_needs_no_grace_for_a_report() -> None:
    exited = Observed(Sighting.EXITED, Reason.CANCELLED)
    events = [decide(Facts(CANCELLING, WORKER, False, True, 0.0, started), exited, GRACES) for started in (False, True)]
    assert (type(events[0]), events[1]) == (CancelConfirmed, None)


@pytest.mark.parametrize(("status", "reason"), [(127, Reason.UNKNOWN), (75, Reason.LOST), (0, Reason.LOST)])
def test_a_worker_that_could_not_even_be_run_is_bounded_as_node_failures_are(status: int, reason: Reason) -> None:
    failed = Reason.EXIT_NONZERO if status else None
    event = weigh(Observed(Sighting.EXITED, failed, status), SUBMITTED)
    assert isinstance(event, Ended)
    assert event.reason is reason


def test_a_loss_says_where_its_worker_was_when_it_was_heard_of_and_when_the_platform_was_asked() -> None:
    heard = "its worker on node7 was last heard of at 2026-11-22 12:00:00 UTC"
    facts = Facts(RUNNING, WORKER, False, True, 60.0, last_heard=heard)
    event = decide(facts, Observed(Sighting.ABSENT, detail="as of 2026-11-22 12:02:00 UTC"), GRACES)
    assert isinstance(event, Ended)
    assert event.detail == (
        "its worker is silent and the platform does not have it; nothing tells how it ended "
        f"({heard}; the platform was asked as of 2026-11-22 12:02:00 UTC)"
    )
    killed = decide(facts, Observed(Sighting.EXITED, Reason.SIGNALLED, 137, "failed 100"), GRACES)
    assert isinstance(killed, Ended)
    assert killed.detail == f"its worker ended without a word of how its command did (failed 100) ({heard})"
