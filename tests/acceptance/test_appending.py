"""600 shell tasks append their number to a file while a part of Jobmon is killed half-way."""

import signal
from collections import Counter

import pytest
from serving import end_process
from users import User, chance, until

N = 600
WORKERS = 2  # of the executor that `users` configures
SCRIPT = f"""
    import sys
    from jobmon import BashTask, Workflow

    workflow = Workflow("appending", workflow_args="1", executor="compute")
    workflow.add_tasks(BashTask(f"echo {{i}} $JOBMON_ATTEMPT >> lines", name=str(i)) for i in range({N}))
    result = workflow.run(resume="--resume" in sys.argv)
    result.raise_for_failures()
"""


@pytest.mark.parametrize("victim", ["client", "manager", "agent", "server"])
def test_each_line_is_there_and_none_that_was_recorded_done_is_there_twice(user: User, victim: str) -> None:
    seeded = chance(f"appending, {victim} killed")
    half_way = seeded.randint(N // 3, 2 * N // 3)
    user.write("appending.py", SCRIPT)
    client = user.start("appending.py")
    until(lambda: user.recorded.n_in("DONE") >= half_way, f"{half_way} jobs are done")
    if victim == "client":
        client.kill()
    else:
        for pid in user.await_one(victim):
            end_process(pid, signal.SIGKILL)
    recorded_done, recorded_running = user.recorded.done(), user.recorded.names_in("RUNNING")
    if victim == "client":
        assert len(recorded_done) < N, "the client was killed too late to mean anything"
        client = user.start("appending.py", "--resume")
    done = client.end()
    assert done.status == 0, done.said

    lines = [line.split() for line in (user.folder / "lines").read_text().splitlines()]
    times = Counter(number for number, _ in lines)
    assert set(times) == {str(i) for i in range(N)}
    twice = {number for number, n in times.items() if n > 1}
    assert twice & recorded_done == set()
    if victim == "agent":  # what ran died with it, and so did the knowledge of what had just ended
        assert len(twice) <= WORKERS
        assert twice <= recorded_running
        assert set(times.values()) <= {1, 2}
    else:
        assert twice == set(), "who does not run the commands can have none run again"
    assert max(Counter(token for _, token in lines).values()) == 1, "a command was started twice for one token"
    assert user.recorded.n_in("DONE") == N
    assert user.recorded.charged() == {}
    assert user.recorded.flaws() == []
