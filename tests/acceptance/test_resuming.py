"""Running a workflow again, as a user meets it: what goes on, what is refused, and what is said about it."""

import json
import signal

from serving import end_process
from users import User, until

SCRIPT = """
    import json, sys
    from jobmon import BashTask, JobmonError, Workflow

    options = json.loads(sys.argv[1])
    workflow = Workflow("mine", workflow_args="1", executor="compute", fail_fast=options.get("fail_fast", False))
    tasks = {}
    for name, command, *upstream in options["tasks"]:
        tasks[name] = BashTask(command, name=name, upstream_tasks=[tasks[u] for u in upstream],
                               max_attempts=options.get("max_attempts", 1))
    workflow.add_tasks(tasks.values())
    try:
        result = workflow.run(resume=options.get("resume", False), take_over=options.get("take_over", False))
    except JobmonError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(result.state, sorted(task.name for task in result.failures), sorted(task.name for task in result.blocked))
    for task in result:
        print(task.name, "is", task.why)
"""


def arguments(tasks: list[list[str]], **options: object) -> tuple[str, str]:
    return "mine.py", json.dumps({"tasks": tasks, **options})


def settle_in(user: User) -> None:
    user.write("mine.py", SCRIPT)


def test_what_was_run_before_needs_resume_and_then_does_only_what_is_left(user: User) -> None:
    settle_in(user)
    tasks = [["a", "echo a >> done"], ["b", "test -e allowed && echo b >> done", "a"], ["c", "echo c >> done", "b"]]
    first = user.run(*arguments(tasks))
    assert first.status == 0
    assert "ERROR ['b'] ['c']" in first.said
    assert "EXIT_NONZERO" in first.said
    assert "c is waiting for 'b', which failed" in first.said

    without = user.run(*arguments(tasks))
    assert without.status == 1
    assert "WorkflowExists" in without.said
    assert "run(resume=True)" in without.said
    assert user.recorded.runs() == ["ERROR"], "a run was opened that was refused"

    user.write("allowed", "")
    again = user.run(*arguments(tasks, resume=True))
    assert "DONE [] []" in again.said
    assert (user.folder / "done").read_text().split() == ["a", "b", "c"]
    once_more = user.run(*arguments(tasks, resume=True))
    assert "DONE [] []" in once_more.said
    assert (user.folder / "done").read_text().split() == ["a", "b", "c"]
    assert user.recorded.flaws() == []


def test_a_changed_graph_is_refused_and_the_difference_is_shown(user: User) -> None:
    settle_in(user)
    assert user.run(*arguments([["a", "true"], ["b", "true", "a"], ["c", "true"]])).status == 0
    before = user.recorded.rows("SELECT * FROM job")
    changed = user.run(*arguments([["a", "false"], ["b", "true"], ["d", "true"]], resume=True))
    assert changed.status == 1
    assert "WorkflowChanged" in changed.said
    said = changed.said.split("WorkflowChanged", 1)[1]
    for line in ("added (1): d", "removed (1): c", "changed command or call (1): a", "changed upstream (1): b"):
        assert line in said
    more = user.run(*arguments([["a", "true"], ["b", "true", "a"], ["c", "true"], ["e", "true"]], resume=True))
    assert "added (1): e" in more.said
    assert user.recorded.rows("SELECT * FROM job") == before, "the refused graph has changed something"
    same = user.run(*arguments([["a", "true"], ["b", "true", "a"], ["c", "true"]], resume=True))
    assert "DONE [] []" in same.said


def test_a_second_active_run_is_refused_until_it_takes_over(user: User) -> None:
    settle_in(user)
    tasks = [["a", "until test -e go; do sleep 0.05; done; echo a >> done"]]
    first = user.start(*arguments(tasks))
    until(lambda: user.recorded.n_in("RUNNING") == 1, "the job runs")
    for resume in (True, False):
        second = user.run(*arguments(tasks, resume=resume))
        assert second.status == 1
        assert "WorkflowActive" in second.said
        assert f"process {first.pid} " in second.said
    assert not first.ended()

    third = user.start(*arguments(tasks, resume=True, take_over=True))
    fenced = first.end()
    assert fenced.status == 1
    assert "Superseded" in fenced.said
    user.write("go", "")
    done = third.end()
    assert "DONE [] []" in done.said, done.said
    assert (user.folder / "done").read_text() == "a\n", "the running job was not adopted"
    assert user.recorded.flaws() == []


def test_a_killed_client_is_known_at_once_and_what_runs_is_adopted(user: User) -> None:
    settle_in(user)
    tasks = [["a", "until test -e go; do sleep 0.05; done; echo a >> done"], ["b", "echo b >> done", "a"]]
    first = user.start(*arguments(tasks))
    until(lambda: user.recorded.n_in("RUNNING") == 1, "the job runs")
    first.kill()
    again = user.start(*arguments(tasks, resume=True))
    until(lambda: len(user.recorded.runs()) == 2, "the new run begins", 20)  # the dead one's lease is 60 s
    user.write("go", "")
    done = again.end()
    assert "DONE [] []" in done.said, done.said
    assert (user.folder / "done").read_text().split() == ["a", "b"]
    assert len(user.recorded.attempts()) == 2, "the running job was not adopted"
    assert user.recorded.flaws() == []


def test_everything_killed_at_once_is_no_obstacle_to_resume(user: User) -> None:
    settle_in(user)
    tasks = [[f"t{i}", f"sleep 0.1; echo t{i} >> done"] for i in range(40)]
    first = user.start(*arguments(tasks))
    until(lambda: user.recorded.n_in("DONE") >= 10, "ten jobs are done")
    first.kill()
    while left := user.processes():
        for pid in left:
            end_process(pid, signal.SIGKILL)
    recorded_done = user.recorded.done()
    done = user.run(*arguments(tasks, resume=True))
    assert "DONE [] []" in done.said, done.said
    lines = (user.folder / "done").read_text().split()
    assert set(lines) == {name for name, _ in tasks}
    assert {name for name in lines if lines.count(name) > 1} & recorded_done == set()
    assert user.recorded.charged() == {}
    assert user.recorded.flaws() == []


def test_a_failed_job_is_tried_again_up_to_max_attempts(user: User) -> None:
    settle_in(user)
    tasks = [
        ["third-time", "echo x >> tries; test $(wc -l < tries) -ge 3"],
        ["never", "echo y >> vain; echo the reason >&2; exit 7"],
    ]
    done = user.run(*arguments(tasks, max_attempts=3))
    assert "ERROR ['never'] []" in done.said
    assert (user.folder / "tries").read_text().split() == ["x"] * 3
    assert (user.folder / "vain").read_text().split() == ["y"] * 3
    assert "third-time is DONE" in done.said
    jobs = user.jobs("mine")
    assert jobs["never"]["attempts"] == 3
    logs = user.jobmon("logs", "mine", "never", "--stderr")
    assert "the reason" in logs.said
    again = user.run(*arguments(tasks, max_attempts=3, resume=True))
    assert "ERROR ['never'] []" in again.said
    assert (user.folder / "vain").read_text().split() == ["y"] * 6, "resume gives a fresh budget"


def test_fail_fast_ends_the_run_with_the_first_failure(user: User) -> None:
    settle_in(user)
    tasks = [
        ["long", "sleep 300.75"],
        ["bad", "until test -e go; do sleep 0.05; done; exit 3"],
        *([f"waits-{i}", "echo it ran >> done"] for i in range(5)),
        ["below", "true", "bad"],
    ]
    client = user.start(*arguments(tasks, fail_fast=True))
    until(lambda: user.recorded.n_in("RUNNING") >= 2, "two jobs run")
    user.write("go", "")
    done = client.end(30)
    assert "STOPPED ['bad'] ['below']" in done.said, done.said
    states = user.recorded.states()
    assert states["long"] == "CANCELLED"
    assert states["below"] == "REGISTERED"
    assert "fail_fast" in done.said
    assert user.recorded.flaws() == []
