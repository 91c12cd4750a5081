"""When a script is done nothing is left to do, and nothing is left: manager, agent and server end by themselves."""

from serving import may_end, serving
from users import PATIENCE_S, User, until

SCRIPT = """
    from jobmon import BashTask, PythonTask, Workflow

    def one():
        return 1

    if __name__ == "__main__":
        workflow = Workflow("short", executor="compute")
        workflow.add_tasks([BashTask("true", name="shell"), PythonTask(one, name="call"),
                            BashTask("true", name="upload", executor="uploads")])
        workflow.run().raise_for_failures()
"""
#: A server's idle time is set here; an agent's is 30 s, which nobody can set.
AGENT_IDLE_S = 30.0


def test_manager_agent_and_server_end_by_themselves(user: User) -> None:
    user.write("short.py", SCRIPT)
    with serving(user.data, held=True, idle_s=2.0) as server:
        done = user.run("short.py")
        assert done.status == 0, done.said
        until(lambda: not user.processes("manager"), "the manager ends")
        may_end(server)
        assert server.wait(PATIENCE_S) == 0, "the server does not end by itself"
    assert set(user.processes().values()) <= {"agent", "interpreter"}
    until(lambda: not user.processes(), "the agent ends", AGENT_IDLE_S + PATIENCE_S)


def test_a_task_that_runs_longer_than_it_asked_for_is_a_time_out_on_every_executor_of_this_host(user: User) -> None:
    script = """
    from jobmon import BashTask, PythonTask, Workflow
    workflow = Workflow("long", executor="compute", max_attempts=1)
    limit = {"runtime": "1s"}
    for executor in ("compute", "uploads"):
        workflow.add_task(BashTask("sleep 1000", name=f"shell-{executor}", executor=executor, resources=limit))
        more = {"executor": executor, "resources": limit}
        workflow.add_task(PythonTask("time:sleep", args=[1000], name=f"call-{executor}", **more))
        workflow.add_task(BashTask("true", name=f"short-{executor}", executor=executor, resources=limit))
    workflow.run()
    """
    done = user.run(user.write("long.py", script))
    assert done.status == 0, done.said
    assert "no effect" not in done.said
    long = {f"{kind}-{executor}" for kind in ("shell", "call") for executor in ("compute", "uploads")}
    ended = "SELECT name FROM job_instance i JOIN job_spec s ON s.job_id = i.job_id WHERE reason = 'TIMEOUT'"
    assert {name for (name,) in user.recorded.rows(ended)} == long
    assert user.recorded.n_in("DONE") == 2


def test_the_server_is_started_again_after_it_has_ended_and_knows_what_was(user: User) -> None:
    user.write("short.py", SCRIPT)
    with serving(user.data, held=True, idle_s=1.0) as server:
        assert user.run("short.py").status == 0
        until(lambda: not user.processes("manager"), "the manager ends")
        may_end(server)
        assert server.wait(PATIENCE_S) == 0
    status = user.jobmon("status")
    assert status.status == 0
    assert "short" in status.said
    assert user.run("short.py").status == 0
    assert user.recorded.n_workflows() == 2
