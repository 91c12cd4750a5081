"""Slurm's own daemons killed under whole workflows, and thousands of jobs cancelled at once."""

import signal
from pathlib import Path

from slurm_daemons import daemon, reopen_node
from slurm_user import SlurmUser
from users import Running, until

LONG = 240.0


def slow(n: int, seconds: float) -> list[tuple[str, str, dict[str, str]]]:
    """So many tasks that take so long."""
    return [(f"s{i}", f"sleep {seconds:g}", {}) for i in range(n)]


def parent(pid: int) -> int:
    """The process that started another one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def finish(user: SlurmUser, client: Running) -> None:
    """Wait for the workflow's end; meanwhile the node is opened when Slurm has closed it."""

    def ended() -> bool:
        reopen_node()
        return client.ended()

    until(ended, "the workflow ends", LONG)
    user.finish(client)


def done_uncharged(user: SlurmUser, n: int) -> None:
    """All jobs are done, none was charged, and no command was started twice for one attempt."""
    assert user.recorded.n_in("DONE") == n, user.recorded.states()
    assert set(user.starts()) == {f"s{i}" for i in range(n)}
    charged = user.recorded.charged()
    assert charged == {}, {name: user.ends()[name] for name in charged} | {"details": user.details()}
    assert user.recorded.flaws() == []


def test_a_controller_killed_seconds_after_a_submission_loses_no_job(user: SlurmUser) -> None:
    """It forgets jobs of its last seconds and gives their ids to others."""
    client = user.submit(slow(24, 5))
    until(lambda: user.ids(), "the first are submitted")
    daemon("kill", "slurmctld")
    daemon("start")
    finish(user, client)
    done_uncharged(user, 24)


def test_a_controller_killed_while_jobs_are_pending_and_running_loses_none(user: SlurmUser) -> None:
    client = user.submit(slow(40, 8))
    user.until_running(12)
    until(lambda: user.recorded.n_in("DONE") >= 8, "the controller has had time to save its state", 60)
    daemon("kill", "slurmctld")
    until(lambda: client.said, "the client lives")
    daemon("start")
    finish(user, client)
    done_uncharged(user, 40)


def test_a_node_that_dies_costs_its_jobs_nothing(user: SlurmUser) -> None:
    client = user.submit(slow(4, 20))
    user.until_running(4)
    daemon("kill", "slurmd")
    workers = list(user.workers())
    for pid in [*map(parent, workers), *workers]:  # nothing is left to tell Slurm of their ends
        user.end(pid)
    until(lambda: [e for ends in user.ends().values() for e in ends if e[1] == "NODE_FAILURE"], "Slurm notices", LONG)
    daemon("start")
    finish(user, client)
    done_uncharged(user, 4)


def test_five_thousand_pending_jobs_are_cancelled_at_once(user: SlurmUser) -> None:
    user.configure(settings="hold = true", host="running = 6000")
    client = user.submit([(f"p{i}", "true", {}) for i in range(5000)])
    until(lambda: len(user.ids()) == 5000, "all are submitted", LONG)
    client.press(signal.SIGINT)
    client.end(LONG)
    assert user.live() == {}
    assert user.starts() == {}
    assert user.recorded.n_in("CANCELLED") == 5000
    assert user.calls()["scancel"] <= 20
