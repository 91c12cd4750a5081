"""Whole workflows on the real Grid Engine: arrays, ends of every kind, limits, refusals."""

import re
from pathlib import Path

import pytest
from cluster_user import ClusterUser
from gridengine_daemons import said
from users import until

PAGE = Path(__file__).resolve().parents[3] / "docs" / "uge.md"
COUNTING = 'echo x >> "$HERE/calls"; exec "$REAL" "$@"'


def test_a_workflow_of_many_tasks_is_done_by_a_few_arrays(user: ClusterUser) -> None:
    user.wrap("qsub", COUNTING)
    done = user.workflow([(f"t{i}", f"echo t{i} >> ran", {}) for i in range(60)]).end(120)
    assert "it ended as DONE" in done.said, done.said
    assert user.ran() == sorted(f"t{i}" for i in range(60))
    assert len(user.submitted()) <= 5
    assert len(user.command_file("calls").read_text().split()) == len(user.submitted())
    assert all(name.startswith("j") and len(name.split("-")[0]) == 27 for name in user.submitted().values())
    assert user.recorded.flaws() == []


def test_the_quick_start_of_the_page_works_as_it_is_written(user: ClusterUser) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for language, name in (("toml", "jobmon.toml"), ("python", "first.py")):
        user.write(name, re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0])
    done = user.run("first.py", JOBMON__SERVER__HOST="127.0.0.1")
    assert done.status == 0, done.said
    assert user.recorded.n_in("DONE") == 100
    assert len(user.submitted()) == 1
    assert "uge" in user.jobmon("executors", "--load").said


@pytest.mark.parametrize("status", [3, 99, 100, 137])
def test_an_exit_status_is_recorded_as_it_was(user: ClusterUser, status: int) -> None:
    done = user.workflow([("t", f"echo t >> ran; exit {status}", {})]).end()
    assert "it ended as ERROR" in done.said
    (attempt,) = user.attempts()
    assert (attempt.state, attempt.reason, attempt.exit_status) == ("ERROR", "EXIT_NONZERO", status)
    assert user.ran() == ["t"]  # 99 has Grid Engine run it again, 100 keeps it: neither reaches it
    until(lambda: not user.in_queue(), "nothing is left in the queue")


def test_a_task_that_runs_too_long_is_ended_and_told_as_a_timeout(user: ClusterUser) -> None:
    done = user.workflow([("t", "sleep 100", {"runtime": "3s"})]).end()
    assert "it ended as ERROR" in done.said
    (attempt,) = user.attempts()
    assert (attempt.state, attempt.reason) == ("RESOURCE_ERROR", "TIMEOUT")


def test_a_task_that_takes_too_much_memory_is_told_so(user: ClusterUser) -> None:
    user.configure('memory_resources = ["h_vmem"]')
    eater = "python3 -c 'b = bytearray(120 << 20); import time; time.sleep(60)'"  # each below the limit, both above
    done = user.workflow([("t", f"{eater} & {eater} & wait", {"memory": "200M"})]).end()
    assert "it ended as ERROR" in done.said
    (attempt,) = user.attempts()
    assert (attempt.state, attempt.reason) == ("RESOURCE_ERROR", "OUT_OF_MEMORY"), attempt


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        ({"memory": "999G"}, "offers only hc:m_mem_free=64.000G"),
        ({"uge": {"queue": "nosuch.q"}}, 'unknown queue "nosuch.q"'),
        ({"runtime": "1h", "uge": {"queue": "short.q"}}, "it asks for 3600 s, and queue short.q has h_rt = 00:05:00"),
        ({"uge": {"project": "nosuch"}}, 'project "nosuch" does not exist'),
        ({"cores": 4, "uge": {"pe": "nosuch"}}, 'parallel environment "nosuch" does not exist'),
        ({"uge": {"request": {"nosuch": "1"}}}, 'unknown resource "nosuch"'),
    ],
)
def test_what_the_cluster_can_never_run_is_refused_with_its_words(
    user: ClusterUser, resources: dict[str, object], words: str
) -> None:
    done = user.workflow([("t", "true", resources)], max_attempts=3).end()
    assert "it ended as ERROR" in done.said
    (attempt,) = user.attempts()
    assert attempt.state == "NO_EXECUTOR_ID"
    assert words in done.said
    assert user.in_queue() == {}


def test_a_task_that_waits_for_ever_says_for_what(user: ClusterUser) -> None:
    user.configure("verify = false")
    client = user.workflow([("t", "true", {"memory": "999G"})])
    shown = until(lambda: text if "offers only" in (text := user.jobmon("status", "1").said) else "", "the reason", 30)
    assert "1 pending" in shown
    client.press()
    client.end()
    assert user.in_queue() == {}


def test_a_job_in_the_error_state_is_taken_away_and_tried_again_uncharged(user: ClusterUser) -> None:
    missing = user.folder / "input"
    client = user.workflow([("t", "echo t >> ran", {"uge": {"native": ["-i", str(missing)]}})])
    until(lambda: any(attempt.state == "UNKNOWN_ERROR" for attempt in user.attempts()), "the first attempt is over")
    missing.touch()
    done = client.end()
    assert "it ended as DONE" in done.said
    first, *_, last = user.attempts()
    assert (first.reason, last.state) == ("UNKNOWN", "DONE")
    assert "could not start it (state Eqw)" in (first.detail or "")
    assert f"can't open {missing}" in (first.detail or "")
    assert user.recorded.charged() == {}
    assert user.ran() == ["t"]
    until(lambda: not user.in_queue(), "nothing is left in the queue")


def test_five_thousand_pending_jobs_are_cancelled_at_once(user: ClusterUser) -> None:
    before = said("qstat", "-u", "*")
    user.configure("hold = true")
    client = user.workflow([(f"t{i}", "echo t >> ran", {}) for i in range(5000)])

    def pending() -> int:
        sql = "SELECT count(*) FROM job_instance WHERE state = 'SUBMITTED_TO_BATCH_EXECUTOR'"
        return int((user.recorded.rows(sql) or [(0,)])[0][0])

    until(lambda: pending() == 5000, "all are submitted", 120)
    assert len(user.in_queue()) <= 10
    client.press()
    client.end(60)
    assert user.in_queue() == {}
    assert user.recorded.n_in("CANCELLED") == 5000
    assert user.ran() == []
    assert said("qstat", "-u", "*") == before


def test_module_works_in_jobs_as_it_does_where_the_run_began(user: ClusterUser) -> None:
    user.environ |= {"BASH_FUNC_module%%": '() {  echo "$1 $2 from $MODULEPATH" >> seen\n}', "MODULEPATH": "/m"}
    done = user.workflow([("plain", "module load samtools", {})]).end()
    assert "it ended as DONE" in done.said, done.said
    assert (user.folder / "seen").read_text() == "load samtools from /m\n"
