"""Leases, adoption, cancellation, workers, and running in the user's process."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobmon.errors import Superseded
from jobmon.managers import job_instance_reconciler
from jobmon.plugins import (
    Absent,
    Accepted,
    CannotTell,
    Exited,
    Found,
    Reporting,
)
from jobmon.states.names import InstanceState as S
from jobmon.wire.leases import LiveInstance

PATIENCE_S = 20.0
NOW = datetime(2026, 1, 31, tzinfo=UTC)


def live(token, state, executor_job_id=None):
    return LiveInstance(1, token, "task", state, executor_job_id, 1_700_000_000.0)


def test_live_attempts_are_adopted(server, platform, manage):
    server.states = {
        "found": S.SUBMITTING,
        "absent": S.SUBMITTING,
        "unclear": S.SUBMITTING,
        "placed": S.SUBMITTED_TO_BATCH_EXECUTOR,
        "doomed": S.CANCELLING,
    }
    ids = {"placed": "7", "doomed": "8"}
    server.adopted = [live(token, state, ids.get(token)) for token, state in server.states.items()]
    platform.findings = {"found": Found("9"), "absent": Absent, "unclear": CannotTell("half an answer")}
    platform.has = {"found": Exited(0), "placed": Exited(0), "doomed": Absent}
    manage(uncertain_after_s=0.05)
    server.until(lambda: not server.live() and len(server.tokens_in(S.DONE)) == 3)
    assert {
        "found": S.DONE,
        "absent": S.NO_EXECUTOR_ID,
        "unclear": S.UNKNOWN_ERROR,
        "placed": S.DONE,
        "doomed": S.CANCELLED,
        "j" + f"{1:026d}": S.DONE,  # the job of the absent one was queued again
    } == server.states
    assert ("cancel", ["doomed"]) in platform.calls


def test_cancel_is_repeated_until_the_platform_confirms_the_end(server, platform, manage):
    platform.submit = platform.accept
    server.queue("a")
    manage()
    server.until(lambda: server.tokens_in(S.RUNNING))
    [token] = server.states
    server.tell(token, S.CANCELLING)
    server.until(lambda: platform.calls.count(("cancel", [token])) >= 3)
    platform.has[token] = Absent
    server.until(lambda: server.states[token] is S.CANCELLED)


def test_thousands_are_cancelled_in_pieces_between_which_others_get_their_turn(server, platform, manage, monkeypatch):
    monkeypatch.setattr(job_instance_reconciler, "CANCEL_AT_ONCE", 100)
    platform.submit = platform.accept
    server.queue(*[f"task {i}" for i in range(250)])
    manage()
    server.until(lambda: len(server.tokens_in(S.RUNNING)) == 250)
    for token in list(server.states):
        server.tell(token, S.CANCELLING)
    cancels = [[]]

    def all_were_asked_for() -> bool:
        cancels[:] = [tokens for what, tokens in list(platform.calls) if what == "cancel"]
        return {token for tokens in cancels for token in tokens} == set(server.states)

    server.until(all_were_asked_for)
    assert max(map(len, cancels)) <= 100
    platform.has = dict.fromkeys(server.states, Absent)
    server.until(lambda: len(server.tokens_in(S.CANCELLED)) == 250)


def test_a_superseded_manager_leaves_the_platform_alone(server, platform, manage):
    platform.submit = platform.accept
    server.queue("a")
    manager = manage()
    server.until(lambda: server.tokens_in(S.RUNNING))
    server.superseded = ["fake"]
    with pytest.raises(Superseded):
        manager.join(PATIENCE_S)
    calls = list(platform.calls)
    [token] = server.states
    server.tell(token, S.CANCELLING)
    server.queue("b")
    assert not any(what == "cancel" for what, _ in calls)
    assert calls == platform.calls
    assert "/leases/release" not in server.paths


def test_an_exclusive_executor_waits_for_its_turn_and_gives_it_back_when_idle(server, platform, manage, monkeypatch):
    monkeypatch.setattr("jobmon.managers.job_instance_factory.EXCLUSIVE_LINGER_S", 0.02)
    server.held_elsewhere = "workflow 7 is using it"
    server.queue("a")
    manager = manage(exclusive=True)
    server.until(lambda: {"fake": "waits for its turn: workflow 7 is using it"} in server.notes)
    assert platform.calls == []
    server.held_elsewhere = None
    server.until(server.all_done(1))
    server.until(lambda: server.paths.count("/leases/release") == 1)
    server.queue("b")
    server.until(server.all_done(2))
    server.until(lambda: server.paths.count("/leases/release") == 2)
    server.run_active = False
    assert manager.join(PATIENCE_S)


def test_an_exclusive_executor_without_work_asks_for_no_lease(server, platform, manage):
    manage(exclusive=True)
    server.until(lambda: server.paths.count("/workflow") >= 3)
    assert "/leases/acquire" not in server.paths


def test_resources_that_cannot_be_parsed_are_refused_with_every_problem(server, platform, manage):
    server.resources = {"memory": "much", "memroy": 1}
    server.queue("a")
    manage()
    server.until(lambda: server.tokens_in(S.NO_EXECUTOR_ID))
    [why] = server.whys.values()
    assert "memory 'much'" in why
    assert "did you mean 'memory'" in why
    assert not any(what == "submit" for what, _ in platform.calls)


def test_stopping_releases_the_lease_and_leaves_attempts_alone(server, platform, manage):
    platform.submit = platform.accept
    server.queue("a")
    manager = manage()
    server.until(lambda: server.tokens_in(S.RUNNING))
    manager.stop()
    assert manager.join(PATIENCE_S)
    assert "/leases/release" in server.paths
    assert list(server.states.values()) == [S.RUNNING]
    assert not any(what == "cancel" for what, _ in platform.calls)


def test_what_was_pushed_before_it_was_accepted_is_recorded_with_its_end(server, platform, manage):
    def pushes(executor, requests):
        for request in requests:
            executor.context.report(observations={request.token: Exited(0)})
            yield request.token, Accepted("id of " + request.token)

    platform.submit = pushes
    server.queue("a", "b")
    manage()
    server.until(server.all_done(2))
    assert {token: "id of " + token for token in server.states} == server.ids


def test_a_worker_gets_a_private_start_file_and_no_secret_on_its_command_line(server, platform, manage):
    argvs = []

    def note(executor, requests):
        argvs.extend(request.worker_argv for request in requests)
        return platform.accept(executor, requests)

    platform.submit = note
    server.queue("a")
    manage(Reporting.WORKER)
    server.until(lambda: server.tokens_in(S.SUBMITTED_TO_BATCH_EXECUTOR))
    [argv], [token] = argvs, server.states
    path = Path(argv[-1])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "secret" not in " ".join(argv)
    server.tell(token, S.DONE)
    server.run_active = False
    server.until(lambda: not path.exists())


@pytest.mark.parametrize(
    ("command", "state", "status"), [("echo $GREETING", S.DONE, 0), ("echo $GREETING; exit 3", S.ERROR, 3)]
)
def test_an_executor_may_run_an_attempt_in_the_users_process(server, platform, manage, command, state, status):
    def runs(executor, requests):
        for request in requests:
            yield request.token, Accepted("here")
            executor.context.run_here(request=request)

    platform.submit, server.command = runs, command
    server.queue("a")
    manage(Reporting.WORKER, in_process=True)
    server.until(lambda: server.tokens_in(state))
    assert (status, "hello\n") == (server.report.exit_status, server.report.stdout_tail)
