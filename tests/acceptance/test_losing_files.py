"""Files of the data folder that are removed, copied or lost while workflows run: nothing is lost in silence."""

import shutil

from serving import end_server
from users import User, until

SCRIPT = """
    import sys
    from jobmon import BashTask, Workflow

    workflow = Workflow("short", workflow_args=sys.argv[1], executor="compute")
    workflow.add_tasks([BashTask("sleep 0.1", name=f"t{i}") for i in range(int(sys.argv[2]))])
    workflow.run(resume=True).raise_for_failures()
"""


def test_a_data_folder_that_is_removed_ends_the_run_in_words_and_the_next_run_begins_anew(user: User) -> None:
    script = user.write("short.py", SCRIPT)
    running = user.start(script, "first", "1000")
    until(lambda: len(user.recorded.done()) > 5, "some jobs are done")
    shutil.rmtree(user.data)
    ended = running.end()
    assert ended.status == 1
    assert ended.said.strip().splitlines()[-1].startswith("jobmon.errors.DatabaseGone: ")
    assert f"the database {user.data / 'jobmon.db'} was removed or replaced while it was in use" in ended.said
    until(lambda: not user.processes("manager"), "the manager ends")
    done = user.run(script, "second", "3")
    assert done.status == 0, done.said
    assert user.recorded.n_workflows() == 1


def test_a_log_that_is_lost_is_said_until_the_loss_is_accepted(user: User) -> None:
    script = user.write("short.py", SCRIPT)
    assert user.run(script, "all", "3").status == 0
    backed_up = user.jobmon("backup", str(user.folder / "copy.db"))
    assert backed_up.status == 0, backed_up.said
    assert user.run(script, "more", "3").status == 0
    end_server(user.data)
    assert user.jobmon("check").status == 0
    for name in ("jobmon.db", "jobmon.db-wal", "jobmon.db-shm"):
        (user.data / name).unlink(missing_ok=True)
    shutil.copy(user.folder / "copy.db", user.data / "jobmon.db")
    for command in (["-m", "jobmon", "status"], [str(script), "all", "3"]):
        refused = user.run(*command)
        assert refused.status != 0
        assert "older than what was acknowledged" in refused.said
        assert "jobmon check --accept-loss" in refused.said
    accepted = user.jobmon("check", "--accept-loss")
    assert accepted.status == 0, accepted.said
    assert "1 workflows, 3 jobs, 3 attempts" in accepted.said
    assert user.run(script, "all", "3").status == 0
    assert user.recorded.flaws() == []


def test_a_backup_and_a_check_disturb_no_run(user: User) -> None:
    script = user.write("short.py", SCRIPT)
    running = user.start(script, "all", "60")
    until(lambda: len(user.recorded.done()) > 5, "some jobs are done")
    for number in range(3):
        assert user.jobmon("backup", str(user.folder / f"copy{number}.db")).status == 0
        checked = user.jobmon("check")
        assert checked.status == 0, checked.said
    refused = user.jobmon("check", "--accept-loss")
    assert refused.status == 3
    assert "a server has the database" in refused.said
    assert running.end().status == 0
    assert user.recorded.n_in("DONE") == 60
