"""What happens to a cluster and its jobs: nothing is lost, nothing runs twice, nobody is charged for it."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from cluster_user import WAITS, ClusterUser
from gridengine_daemons import ACCOUNTING, daemon, live_jobs, process_of, said
from serving import end_process
from users import Running, until

#: Waits the first time; at every other it is done at once.
ONCE = 'echo "$$" >> ran; if mkdir once 2> /dev/null; then sleep 300; fi'


def begin(user: ClusterUser, tasks: int = 3) -> Running:
    """Start tasks that wait until `go` is there."""
    client = user.workflow([(f"t{i}", WAITS.replace("$0", f"t{i}"), {}) for i in range(tasks)])
    until(lambda: len(user.ran()) == tasks, "all tasks run")
    return client


def finish(user: ClusterUser, client: Running, tasks: int = 3, patience_s: float = 120.0) -> None:
    """Let them go, and see that each was done by one attempt."""
    (user.folder / "go").touch()
    done = client.end(patience_s)
    assert "it ended as DONE" in done.said, done.said
    names = sorted(f"t{i}" for i in range(tasks))
    assert user.ran() == names
    assert sorted((attempt.name, attempt.state) for attempt in user.attempts()) == [(name, "DONE") for name in names]
    assert user.recorded.charged() == {}
    assert user.recorded.flaws() == []


# Jobs that are ended behind Jobmon's back.


def running_job(user: ClusterUser) -> str:
    return until(lambda: next((n for n, (_, state) in user.in_queue().items() if state == "r"), ""), "the job runs")


@pytest.mark.parametrize("how", ["qdel", "worker", "worker, seen by qacct", "child"])
def test_a_job_that_was_ended_from_outside_is_tried_again(user: ClusterUser, how: str) -> None:
    if "qacct" in how:  # nothing says where the accounting file is
        toml = user.folder / "jobmon.toml"
        toml.write_text(toml.read_text().replace('sge_root = "/var/lib/gridengine"', ""))
        user.wrap("qacct", 'touch "$HERE/asked"; exec "$REAL" "$@"')
    client = user.workflow([("t", ONCE, {})], max_attempts=2)
    until(user.ran, "the task runs")
    number = running_job(user)
    if how == "qdel":
        said("qdel", number)
    else:
        os.kill(process_of(number) if "worker" in how else int(user.ran()[0]), signal.SIGKILL)
    done = client.end()
    assert "it ended as DONE" in done.said, done.said
    first, second = user.attempts()
    assert (first.reason in ("SIGNALLED", "LOST"), second.state) == (True, "DONE"), first
    assert "failed 100" in (first.detail or "") or how == "child", first
    assert len(user.ran()) == 2
    assert user.command_file("asked").exists() == ("qacct" in how)
    assert user.recorded.flaws() == []


def test_a_pending_job_that_was_deleted_is_submitted_again_uncharged(user: ClusterUser) -> None:
    user.configure("hold = true")
    client = user.workflow([("t", "echo t >> ran", {})])
    (number,) = until(user.in_queue, "the job is in the queue")
    until(lambda: any(attempt.executor_job_id for attempt in user.attempts()), "its id is recorded")
    user.configure()
    said("qdel", number)
    again = until(lambda: set(user.in_queue()) - {number}, "it is submitted again", 180)
    said("qrls", *again)
    done = client.end()
    assert "it ended as DONE" in done.said, done.said
    assert user.ran() == ["t"]
    assert user.recorded.charged() == {}


# qsub.


def test_a_qsub_that_hangs_before_it_submits_is_sent_again_once(user: ClusterUser) -> None:
    user.wrap("qsub", 'if mkdir "$HERE/hung" 2> /dev/null; then exec sleep 60; fi; exec "$REAL" "$@"')
    user.configure()
    toml = user.folder / "jobmon.toml"
    toml.write_text(toml.read_text().replace('submit_timeout = "10s"', 'submit_timeout = "2s"'))
    done = user.workflow([("t", "echo t >> ran", {})]).end()
    assert "it ended as DONE" in done.said, done.said
    assert user.ran() == ["t"]
    until(lambda: len(user.submitted()) == 1, "its one job is accounted for")
    assert user.recorded.charged() == {}


def test_noise_before_the_id_does_no_harm(user: ClusterUser) -> None:
    user.wrap("qsub", 'echo "Welcome to the cluster. 42 nodes are down"; echo 42; "$REAL" "$@"')
    done = user.workflow([(f"t{i}", f"echo t{i} >> ran", {}) for i in range(3)]).end()
    assert "it ended as DONE" in done.said, done.said
    assert user.ran() == ["t0", "t1", "t2"]
    ids = {(attempt.executor_job_id or "").partition(".")[0] for attempt in user.attempts()}
    until(lambda: set(user.submitted()) == ids, "the ids are those of the jobs that are accounted for")


@pytest.mark.parametrize("tasks", [1, 3])
def test_a_submission_whose_answer_does_not_come_is_found_and_not_sent_again(user: ClusterUser, tasks: int) -> None:
    user.wrap("qsub", 'if mkdir "$HERE/lost" 2> /dev/null; then "$REAL" "$@"; exec sleep 60; fi; exec "$REAL" "$@"')
    toml = user.folder / "jobmon.toml"
    toml.write_text(toml.read_text().replace('submit_timeout = "10s"', 'submit_timeout = "2s"'))
    client = begin(user, tasks)
    until(lambda: all(attempt.executor_job_id for attempt in user.attempts()), "their ids are found")
    finish(user, client, tasks)
    assert len(user.submitted()) == 1


# Daemons.


def test_qmaster_is_killed_while_jobs_run_and_wait(user: ClusterUser) -> None:
    client = user.workflow([(f"t{i}", f"echo t{i} >> ran; sleep 8", {}) for i in range(24)])
    until(lambda: len(user.ran()) >= 16, "the first run")
    daemon("kill", "qmaster")
    until(lambda: "does not answer" in client.said or "qmaster" in user.jobmon("status", "1").said, "it is told", 30)
    daemon("start", "qmaster")
    done = client.end(180)
    assert "it ended as DONE" in done.said, done.said
    assert user.ran() == sorted(f"t{i}" for i in range(24))
    assert {attempt.state for attempt in user.attempts()} == {"DONE"}
    assert len(user.attempts()) == 24
    assert user.recorded.flaws() == []


def test_qmaster_is_away_while_jobs_are_submitted(user: ClusterUser) -> None:
    daemon("kill", "qmaster")
    client = user.workflow([("t", "echo t >> ran", {})])
    try:
        until(lambda: "qmaster" in user.jobmon("status", "1").said, "it is told", 30)
    except AssertionError as error:
        seen = f"{user.jobmon('status', '1').said}\n{client.said}\n{user.attempts()}"
        raise AssertionError(f"{error}; what is told instead:\n{seen}") from error
    finally:
        daemon("start")
    done = client.end(120)
    assert "it ended as DONE" in done.said, done.said
    assert user.ran() == ["t"]
    assert user.recorded.charged() == {}


def test_the_execution_daemon_is_killed_while_jobs_run(user: ClusterUser) -> None:
    client = begin(user)
    daemon("kill", "execd")
    try:
        (user.folder / "go").touch()
        until(lambda: user.recorded.n_in("DONE") == 3, "workers report without it")
    finally:
        daemon("start", "execd")
    finish(user, client)


def test_the_accounting_is_away_while_a_job_is_killed(user: ClusterUser) -> None:
    user.wrap("qacct", 'echo "error: no accounting" >&2; exit 1')
    aside = ACCOUNTING.with_name("kept-aside")
    client = user.workflow([("t", ONCE, {})], max_attempts=2)
    until(user.ran, "the task runs")
    number = running_job(user)
    ACCOUNTING.rename(aside)
    ACCOUNTING.mkdir()  # so that qmaster makes no new one
    try:
        os.kill(process_of(number), signal.SIGKILL)
        until(lambda: number not in live_jobs(), "the job has left the queue")
        states = [attempt.state for attempt in user.attempts()]
        assert states == ["RUNNING"]
    finally:
        ACCOUNTING.rmdir()
        aside.rename(ACCOUNTING)
    done = client.end(240)  # its record was lost: silence and two complete answers
    assert "it ended as DONE" in done.said, done.said
    assert [attempt.state for attempt in user.attempts()][1:] == ["DONE"]
    assert user.recorded.flaws() == []


# Jobmon's own processes.


def test_a_killed_manager_is_replaced_and_its_successor_takes_the_jobs_over(user: ClusterUser) -> None:
    client = begin(user)
    (manager,) = user.await_one("manager")
    end_process(manager)
    until(lambda: [pid for pid in user.processes("manager") if pid != manager], "another manager")
    finish(user, client)
    assert len(user.submitted()) == 1


def test_a_killed_server_comes_back_and_hears_of_what_ended_meanwhile(user: ClusterUser) -> None:
    client = begin(user)
    (server,) = user.await_one("server")
    end_process(server)
    finish(user, client)


def test_all_of_jobmon_is_away_while_jobs_end_and_resume_hears_of_it(user: ClusterUser) -> None:
    client = begin(user)
    numbers = set(user.submitted())
    victims = [client.pid, *user.await_one("manager"), *user.await_one("server")]
    for pid in victims:
        end_process(pid)
    client.process.wait()
    (user.folder / "go").touch()
    away_until = time.monotonic() + 20  # longer than the longest pause between a worker's tries
    until(lambda: time.monotonic() > away_until, "the outage is over")
    resumed = user.workflow([(f"t{i}", WAITS.replace("$0", f"t{i}"), {}) for i in range(3)], resume=True)
    finish(user, resumed)
    assert set(user.submitted()) == numbers


def test_what_other_users_can_see_of_a_job_holds_no_secret(user: ClusterUser) -> None:
    client = begin(user, 1)
    (number,) = user.in_queue()
    shown = said("qstat", "-j", number) + Path(f"/proc/{process_of(number)}/cmdline").read_text()
    starts = [json.loads(path.read_text()) for path in user.data.glob("**/starts/*.json")]
    secrets = [secret for start in starts for _, secret in start.get("members", [("", start.get("credential"))])]
    secrets += [path.read_text().strip() for path in user.data.glob("token")]
    assert len([secret for secret in secrets if secret and len(secret) > 8]) >= 2, secrets
    assert not [secret for secret in secrets if secret in shown]
    finish(user, client, 1)
