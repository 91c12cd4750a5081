"""One workflow over Grid Engine, Slurm and this host at once; and one that two managers serve."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from both_user import PATIENCE_S, BothUser
from users import until

EVERYWHERE = {"old": "uge", "new": "slurm", "here": "multiprocess", "gate": "sequential"}
#: Chains over all executors: each task adds one to what it is given, and tells what it sees of where it runs.
SCRIPT = """
    import json, os, sys
    from jobmon import PythonTask, Workflow

    SIGNS = ("JOB_ID", "SGE_TASK_ID", "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID")

    def step(value, name):
        signs = {sign: os.environ[sign] for sign in SIGNS if sign in os.environ}
        with open(f"{name}.json", "w") as file:
            json.dump({"signs": signs, "parent": os.getppid()}, file)
        return value + 1

    if __name__ == "__main__":
        executors = sys.argv[1].split(",")
        workflow = Workflow("mixed", workflow_args="1")
        ends = []
        for chain in range(5):
            value = 10 * chain
            for executor in executors:
                name = f"{executor}-{chain}"
                task = PythonTask(step, args=[value, name], name=name, executor=executor, max_attempts=1)
                workflow.add_task(task)
                value = task.output
            ends.append(task.name)
        result = workflow.run()
        result.raise_for_failures()
        print("results", *(result[end].value for end in ends))
"""


def seen(user: BothUser, name: str) -> Any:
    """What a task has told of where it ran."""
    return json.loads((user.folder / f"{name}.json").read_text())


def id_by(signs: Mapping[str, str]) -> str:
    """The executor's job id that the platform's variables in a task's environment make; empty without any."""
    match signs:
        case {"SLURM_ARRAY_JOB_ID": array, "SLURM_ARRAY_TASK_ID": member}:
            return f"{array}_{member}"
        case {"SLURM_JOB_ID": job}:
            return job
        case {"JOB_ID": job, "SGE_TASK_ID": member} if member != "undefined":
            return f"{job}.{member}"
        case {"JOB_ID": job}:
            return job
    return ""


def assert_each_ran_where_it_was_sent(author: BothUser, owner: BothUser, types: Mapping[str, str]) -> None:
    """Every task saw the id by which its attempt is recorded, and the signs of its executor's platform alone."""
    attempts = owner.attempts()
    assert len(attempts) == 5 * len(types), "one attempt of each task"
    for attempt in attempts:
        signs = seen(author, attempt.name)["signs"]
        match types[attempt.executor]:
            case "uge":
                assert "JOB_ID" in signs
                assert not any(sign.startswith("SLURM") for sign in signs)
                assert id_by(signs) == attempt.executor_job_id
            case "slurm":
                assert "SLURM_JOB_ID" in signs
                assert "JOB_ID" not in signs
                assert id_by(signs) == attempt.executor_job_id
            case _:
                assert signs == {}, attempt.name


def test_one_workflow_runs_on_gridengine_and_slurm_and_here_and_values_travel(user: BothUser) -> None:
    user.configure(EVERYWHERE)
    user.write("mixed.py", SCRIPT)
    done = user.start("mixed.py", "old,new,here,gate").end(PATIENCE_S)
    assert done.status == 0, done.said
    assert "results 4 14 24 34 44" in done.said
    assert_each_ran_where_it_was_sent(user, user, EVERYWHERE)
    assert user.recorded.charged() == {}
    assert user.recorded.flaws() == []


def test_one_workflow_is_served_by_its_own_manager_and_by_one_for_the_other_cluster(
    new_user: Callable[[], BothUser],
) -> None:
    """The author's configuration does not have Grid Engine: a standing manager, with files of its own, serves it."""
    owner, author, operator = new_user(), new_user(), new_user()
    server = owner.start("-m", "jobmon", "server", "--host", "127.0.0.1")
    until(lambda: "serving" in server.said, "the server says where it is")
    endpoint = json.loads((owner.data / "endpoint.json").read_text())
    at = {"JOBMON_SERVER": endpoint["url"], "JOBMON_TOKEN_FILE": str(owner.data / "token")}
    author.configure({"new": "slurm"})
    author.write("mixed.py", SCRIPT)
    operator.configure({"old": "uge"})
    standing = operator.start("-m", "jobmon", "manager", "--executor", "old", **at)
    until(lambda: "serving every workflow: old (uge)" in standing.said, "the standing manager is there")

    script = author.start("mixed.py", "old,new", **at)
    [own] = author.await_one("manager")
    done = script.end(PATIENCE_S)
    assert done.status == 0, done.said
    assert "results 2 12 22 32 42" in done.said
    assert own != standing.pid
    assert not standing.ended()
    assert_each_ran_where_it_was_sent(author, owner, {"old": "uge", "new": "slurm"})
    assert submitters(operator.data) == {"old"}
    assert submitters(author.data) == {"new"}
    standing.process.terminate()
    assert standing.end(20).status == 0, standing.said
    assert owner.recorded.flaws() == []
    server.process.terminate()
    assert server.end(20).status == 0


def submitters(data: Path) -> set[str]:
    """The executors that managers with this data folder have served workflow 1 by: it keeps files of each."""
    return {path.parent.name.removeprefix("1-") for path in data.glob("managers/*/1-*/platform")}
