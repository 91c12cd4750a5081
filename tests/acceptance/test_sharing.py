"""Two workflows that start in the same instant share one server, and never upload at once."""

import itertools

from users import User, chance

SCRIPT = """
    import sys
    from jobmon import BashTask, Workflow

    name = sys.argv[1]
    workflow = Workflow(name, workflow_args="1", executor="uploads")
    fit = BashTask("true", name="fit", executor="compute")
    command = "date +'begin %s.%N' >> uploads; sleep 0.1; date +'end %s.%N' >> uploads"
    workflow.add_tasks([fit, *(BashTask(command, name=f"upload-{i}", upstream_tasks=[fit]) for i in range(6))])
    workflow.run().raise_for_failures()
"""


def test_workflows_of_the_same_instant_share_one_server_and_uploads_never_overlap(user: User) -> None:
    user.write("sharing.py", SCRIPT)
    names = ["one", "other", "third"]
    chance("sharing").shuffle(names)
    clients = [user.start("sharing.py", name) for name in names]
    servers = set(user.await_one("server"))
    for client in clients:
        done = client.end()
        assert done.status == 0, done.said
        servers |= set(user.processes("server"))
    assert len(servers) == 1, "more than one server has run"
    recorded = user.recorded
    assert recorded.n_workflows() == 3
    for workflow in (1, 2, 3):
        assert set(recorded.states(workflow).values()) == {"DONE"}
    assert recorded.flaws() == []

    lines = [line.split() for line in (user.folder / "uploads").read_text().splitlines()]
    assert [what for what, _ in lines] == ["begin", "end"] * 18, "two uploads were at work at once"
    moments = [float(moment) for _, moment in lines]
    assert all(before <= after for before, after in itertools.pairwise(moments))
