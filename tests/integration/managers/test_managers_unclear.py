"""What a platform does not tell of an attempt is said, and has a bound; whose end its own user asked for there."""

from datetime import UTC, datetime

import pytest

from jobmon.managers import job_instance_reconciler
from jobmon.plugins import Exited, Reason, Reporting, Unknown
from jobmon.states.evidence import Sighting
from jobmon.states.names import InstanceState as S
from jobmon.wire.leases import LiveInstance

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def adopted(server, **states):
    server.states = dict(states)
    server.adopted = [
        LiveInstance(i, token, "task", state, f"id of {token}", 1_700_000_000.0)
        for i, (token, state) in enumerate(states.items(), 1)
    ]


def test_what_a_platform_does_not_tell_is_said_and_taken_for_absent_after_a_bound_once_it_has_begun(
    server, platform, manage, monkeypatch
):
    monkeypatch.setattr(job_instance_reconciler, "_UNCLEAR_S", 0.2)
    adopted(server, running=S.RUNNING, waits=S.SUBMITTED_TO_BATCH_EXECUTOR, left_out=S.RUNNING)
    why = "it has left the queue; the accounting has not answered yet"
    platform.has = {"running": Unknown(why), "waits": Unknown(why)}
    manage(reporting=Reporting.WORKER)
    server.until(lambda: any(f"1 unclear: {why}" in note.get("fake", "") for note in server.notes))
    server.until(lambda: {seen.token for seen in server.seen(Sighting.ABSENT)} == {"running", "left_out"})
    details = {seen.token: seen.detail for seen in server.seen(Sighting.ABSENT)}
    assert details["running"].startswith("as of 20")
    assert details["running"].endswith(f"nothing was told but this: {why}")
    assert server.states["waits"] is S.SUBMITTED_TO_BATCH_EXECUTOR


@pytest.mark.parametrize(
    ("retries", "reason"), [(False, Reason.CANCELLED_BY_USER), (True, Reason.CANCELLED)], ids=["cancelled", "retried"]
)
def test_whether_what_its_own_user_ended_is_tried_again_is_a_setting(server, platform, manage, retries, reason):
    adopted(server, one=S.RUNNING)
    platform.has = {"one": Exited(reason=Reason.CANCELLED_BY_USER, detail="CANCELLED by 1001")}
    manage(reporting=Reporting.WORKER, retry_cancelled=retries)
    server.until(lambda: server.seen(Sighting.EXITED))
    assert {seen.reason for seen in server.seen(Sighting.EXITED)} == {reason}
