"""A server that is killed again and again, most of the time before it answers: the run goes on."""

import threading

from serving import end_process
from users import User, chance, until

KILLS = 6
SCRIPT = """
    from jobmon import BashTask, Workflow
    workflow = Workflow("beset")
    workflow.add_tasks([BashTask("sleep 0.2", name=f"t{n}") for n in range(6)])
    print("ended", workflow.run().state)
"""


def test_a_run_outlives_kills_of_its_server_at_any_moment_of_its_start(user: User) -> None:
    luck, pause = chance("kills of servers that start"), threading.Event()
    script = user.start(user.write("beset.py", SCRIPT))
    for _ in range(KILLS):
        until(lambda: script.ended() or user.processes("server"), "a server is started")
        pause.wait(luck.choice([0.0, luck.uniform(0, 0.3), luck.uniform(0, 1.5)]))
        for pid in user.processes("server"):
            end_process(pid)
    done = script.end()
    assert done.status == 0, done.said
    assert "ended DONE" in done.said
    assert user.recorded.flaws() == []
