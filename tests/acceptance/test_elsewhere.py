"""A server that somebody else runs, a script that only knows its address, and a manager started by hand."""

import json
import shutil
import signal
from collections.abc import Callable

from users import User, until

SCRIPT = """
    import sys
    from jobmon import BashTask, JobmonError, PythonTask, Workflow

    def double(number):
        return 2 * number

    if __name__ == "__main__":
        workflow = Workflow("away", workflow_args="1")
        first = PythonTask(double, args=[21], name="first")
        where = BashTask("pwd > where; cat jobmon.toml > seen", name="where", upstream_tasks=[first])
        upload = BashTask("echo uploaded > upload", name="upload", upstream_tasks=[where], executor="uploads")
        workflow.add_tasks([first, where, upload])
        try:
            result = workflow.run(manager=sys.argv[1])
        except JobmonError as error:
            sys.exit(f"{type(error).__name__}: {error}")
        result.raise_for_failures()
        print("the first gave", result["first"].value)
"""


def test_script_server_and_manager_live_in_processes_and_folders_of_their_own(new_user: Callable[[], User]) -> None:
    owner, author = new_user(), new_user()
    server = owner.start("-m", "jobmon", "server")
    until(lambda: "serving" in server.said, "the server says where it is")
    url = json.loads((owner.data / "endpoint.json").read_text())["url"]
    assert url in server.said
    token = author.folder.parent / "token"
    shutil.copyfile(owner.data / "token", token)
    token.chmod(0o600)
    at = {"JOBMON_SERVER": url, "JOBMON_TOKEN_FILE": str(token)}

    author.write("away.py", SCRIPT)
    script = author.start("away.py", "none", **at)
    until(lambda: owner.recorded.n_in("QUEUED_FOR_INSTANTIATION") == 1, "the first job waits for a manager")
    until(lambda: "no live manager serves it" in script.said, "the user is told that nobody serves the queue", 10)

    elsewhere = author.folder.parent / "elsewhere"
    elsewhere.mkdir()
    shutil.copyfile(author.folder / "jobmon.toml", elsewhere / "jobmon.toml")
    manager = author.start(
        "-m", "jobmon", "manager", "--workflow", "1", "--executor", "compute", "--executor", "uploads",
        cwd=elsewhere, **at,
    )  # fmt: skip
    done = script.end()
    assert done.status == 0, done.said
    assert "the first gave 42" in done.said
    assert (author.folder / "where").read_text().strip() == str(author.folder), "not where the workflow was submitted"
    assert (author.folder / "upload").exists()
    assert manager.end().status == 0
    kept = sorted(path.name for path in author.data.iterdir())
    assert kept == ["managers"], "a user whose server is elsewhere has more than what managers keep"
    assert owner.recorded.flaws() == []

    again = author.run("away.py", "process", **at)
    assert "WorkflowExists" in again.said
    assert server.ended() is False
    server.press(signal.SIGTERM)
    assert server.end(20).status == 0


def test_a_wrong_token_and_an_absent_server_are_told_apart_at_once(new_user: Callable[[], User]) -> None:
    owner, author = new_user(), new_user()
    server = owner.start("-m", "jobmon", "server")
    until(lambda: "serving" in server.said, "the server says where it is")
    url = json.loads((owner.data / "endpoint.json").read_text())["url"]
    author.write("away.py", SCRIPT)
    cases = [
        ({"JOBMON_SERVER": url, "JOBMON_TOKEN": "wrong"}, "NotAuthorised"),
        ({"JOBMON_SERVER": url}, "JOBMON_TOKEN_FILE"),
        ({"JOBMON_SERVER": url, "JOBMON_TOKEN_FILE": "/nowhere/token"}, "/nowhere/token"),
        ({"JOBMON_SERVER": "http://127.0.0.1:9", "JOBMON_TOKEN": "any"}, "ServerUnreachable"),
        ({"JOBMON_SERVER": "not an address", "JOBMON_TOKEN": "any"}, "http://"),
    ]
    for environ, words in cases:
        done = author.run("away.py", "process", **environ)
        assert done.status == 1, done.said
        assert words in done.said
        assert "Traceback" not in done.said
    assert owner.recorded.n_workflows() == 0
    assert author.processes() == {}
    server.press()
    assert server.end(20).status in (0, 130)
