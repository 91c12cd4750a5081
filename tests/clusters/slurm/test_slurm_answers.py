"""Submissions whose answers come late, not at all, or among noise; daemons beside the controller that are away."""

import signal
import socket

from serving import end_process, end_server
from slurm_daemons import daemon, said
from slurm_user import SlurmUser
from users import until

TRUE = [(f"t{i}", "true", {}) for i in range(6)]
#: Takes long the first time that it is run.
ONCE = "[ -e again ] || { touch again; sleep 300; }"
SLOW = [(f"s{i}", "sleep 6", {}) for i in range(6)]
#: The first call does this, all others are as usual.
FIRST = 'if mkdir "$FOLDER/first" 2> /dev/null; then\n{}\nfi\nexec "$REAL" "$@"'


def done_once(user: SlurmUser, names: list[str]) -> None:
    """All jobs are done, each was started once, none was charged."""
    assert user.recorded.done() == set(names)
    assert user.starts() == dict.fromkeys(names, 1)
    assert user.recorded.charged() == {}
    assert user.recorded.flaws() == []


def test_an_sbatch_that_hangs_and_submits_nothing_delays_and_loses_nothing(user: SlurmUser) -> None:
    user.configure(submit_timeout_s=3.0)
    user.wrapped("sbatch", FIRST.format("exec sleep 60"))
    user.finish(user.submit(TRUE))
    done_once(user, [name for name, _, _ in TRUE])


def test_a_submission_that_arrived_and_was_never_answered_is_found_and_not_sent_again(user: SlurmUser) -> None:
    user.configure(submit_timeout_s=3.0)
    user.wrapped("sbatch", FIRST.format('"$REAL" "$@" > /dev/null; exec sleep 60'))
    user.finish(user.submit(TRUE))
    done_once(user, [name for name, _, _ in TRUE])
    assert {len(ends) for ends in user.ends().values()} == {1}, "what was found needs no second attempt"


def test_noise_before_the_id_is_passed_over(user: SlurmUser) -> None:
    user.wrapped("sbatch", 'echo "Welcome to 12 nodes"; echo 99999 jobs wait; echo "lua: hello" >&2\nexec "$REAL" "$@"')
    user.finish(user.submit(TRUE))
    done_once(user, [name for name, _, _ in TRUE])


def test_an_answer_without_an_id_is_looked_for(user: SlurmUser) -> None:
    user.wrapped("sbatch", FIRST.format('"$REAL" "$@" > /dev/null; exit 0'))
    user.finish(user.submit(TRUE))
    done_once(user, [name for name, _, _ in TRUE])


def test_jobs_run_and_are_done_while_accounting_is_down(user: SlurmUser) -> None:
    daemon("kill", "slurmdbd")
    tasks = [*TRUE, ("fails", "exit 3", {})]
    user.finish(user.submit(tasks))
    assert user.recorded.done() == {name for name, _, _ in TRUE}
    assert user.ends()["fails"] == [("ERROR", "EXIT_NONZERO", 3)] * 2


def test_a_limit_of_submissions_is_kept_however_many_ended_jobs_are_listed(user: SlurmUser) -> None:
    """The QOS `few` takes five jobs of a user at a time. Arrays are halved, and the rest waits; nothing is refused."""
    said("sbatch", "--array=1-20", "--output=/dev/null", "--wrap", "true")
    until(lambda: said("squeue", "-h", "-r").strip() == "", "they have ended")
    user.configure(settings='qos = "few"')
    names = [f"t{i}" for i in range(12)]
    client = user.submit([(name, "sleep 5", {}) for name in names])
    shown = "QOSMaxSubmitJobPerUserLimit"
    until(lambda: shown in user.jobmon("status", "1").said, "it is said what is waited for", 60)
    user.finish(client, 240)
    done_once(user, names)
    assert user.recorded.flaws() == []


def killed_worker(user: SlurmUser) -> None:
    """A job runs, and its worker is killed; its queue forgets it."""
    until(lambda: (user.folder / "again").exists(), "the command runs")
    end_process(until(lambda: list(user.workers()), "its worker runs")[0], signal.SIGKILL)


def test_a_job_that_slow_accounting_does_not_tell_of_is_said_and_lost_after_a_bound(user: SlurmUser) -> None:
    """squeue forgets it at once, sacct never answers."""
    user.configure(settings="accounting_patience_s = 20.0")
    user.wrapped("squeue", '"$REAL" "$@" | grep -Ev "FAILED|CANCELLED|COMPLETED"; exit 0')
    user.wrapped("sacct", "exec sleep 900")
    client = user.submit([("victim", ONCE, {})])
    killed_worker(user)
    shown = "accounting (sacct) has not answered yet"
    until(lambda: shown in user.jobmon("status", "1").said, "it is said what is waited for", 60)
    user.finish(client, 240)
    assert [end[:2] for end in user.ends()["victim"]] == [("UNKNOWN_ERROR", "LOST"), ("DONE", None)]
    [detail] = user.details()
    assert f"its worker on {socket.gethostname()} was last heard of at 20" in detail
    assert shown in detail


def test_a_job_that_squeue_has_forgotten_where_there_is_no_sacct_is_lost(user: SlurmUser) -> None:
    user.wrapped("squeue", '"$REAL" "$@" | grep -Ev "FAILED|CANCELLED|COMPLETED"; exit 0')
    programs = user.folder / "programs"
    programs.mkdir()
    for program in ("sbatch", "squeue", "scancel"):
        (programs / program).symlink_to(user.commands / program)
    for program in ("scontrol", "sinfo"):
        (programs / program).symlink_to(f"/usr/bin/{program}")
    user.configure(settings=f'bin = "{programs}"')
    client = user.submit([("victim", ONCE, {})])
    killed_worker(user)
    user.finish(client, 240)
    assert [end[:2] for end in user.ends()["victim"]] == [("UNKNOWN_ERROR", "LOST"), ("DONE", None)]


def test_jobs_outlive_munge(user: SlurmUser) -> None:
    client = user.submit(SLOW)
    user.until_running(3)
    daemon("kill", "munged")
    asked = user.calls()["squeue"]
    until(lambda: user.calls()["squeue"] > asked, "Slurm is asked in vain")
    daemon("start")
    user.finish(client)
    done_once(user, [name for name, _, _ in SLOW])


def test_a_submission_while_munge_is_down_is_looked_for_and_made_when_it_is_up(user: SlurmUser) -> None:
    """sbatch tries for 49 s, so here its time is over first. Beyond that it says for certain that nothing was sent."""
    user.configure(settings="check_limits = false", submit_timeout_s=3.0)
    daemon("kill", "munged")
    client = user.submit(TRUE)
    until(lambda: user.calls()["sbatch"], "it is tried")
    until(lambda: user.calls()["squeue"], "it is looked for")
    daemon("start")
    user.finish(client)
    done_once(user, [name for name, _, _ in TRUE])


def test_jobs_that_finish_while_the_server_is_away_are_recorded_when_it_is_back(user: SlurmUser) -> None:
    client = user.submit(SLOW)
    user.until_running(6)
    [server] = user.await_one("server")
    end_process(server, signal.SIGKILL)
    user.finish(client)
    done_once(user, [name for name, _, _ in SLOW])


def test_reports_of_workers_that_were_ended_while_nobody_was_there_are_read_at_the_resume(user: SlurmUser) -> None:
    client = user.submit(SLOW)
    user.until_running(6)
    for pid in (client.pid, *user.await_one("manager")):
        end_process(pid)
    client.process.wait()
    end_server(user.data)
    until(lambda: len(list(user.data.glob("managers/*/*/outbox/*.json"))) == 6, "all reports are left in files", 60)
    said("scancel", *map(str, user.live()))
    until(lambda: not user.live(), "their workers, who still tried to report, are ended")
    user.finish(user.start("script.py", "--resume"))
    done_once(user, [name for name, _, _ in SLOW])


def test_a_manager_that_is_killed_leaves_its_jobs_to_the_next(user: SlurmUser) -> None:
    client = user.submit(SLOW)
    user.until_running(3)
    [manager] = user.await_one("manager")
    end_process(manager)
    user.finish(client)
    done_once(user, [name for name, _, _ in SLOW])
    assert {len(ends) for ends in user.ends().values()} == {1}, "they were adopted"
