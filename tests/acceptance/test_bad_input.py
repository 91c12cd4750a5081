"""Mistakes of a user's script are told in words, before anything runs: no server is started, no workflow recorded."""

import os
import sqlite3
import textwrap
from collections.abc import Mapping

import attrs
import pytest
from users import User, until

HEAD = """\
import sys
from jobmon import BashTask, JobmonError, PythonTask, Workflow

def work(*args, **kwargs):
    return None

workflow = Workflow("bad", executor="compute")
try:
"""
TAIL = """
    workflow.run()
except JobmonError as error:
    sys.exit(f"{type(error).__name__}: {error}")
print("it ran")
"""


@attrs.frozen
class Mistake:
    """A script's own lines, and the words that the user must be told."""

    lines: str
    words: tuple[str, ...]
    toml: str | None = None
    environ: Mapping[str, str] = attrs.field(factory=dict)


MISTAKES = {
    "a cycle": Mistake(
        """
        a, b, c = (BashTask("true", name=name) for name in "abc")
        a.upstream_tasks, b.upstream_tasks, c.upstream_tasks = [c], [a], [b]
        workflow.add_tasks([a, b, c])
        """,
        ("CycleInGraph", " -> "),
    ),
    "two tasks of one name": Mistake(
        'workflow.add_tasks([BashTask("true", name="twin"), BashTask("false", name="twin")])', ("InvalidTask", "twin")
    ),
    "an upstream task that is not in the workflow": Mistake(
        'workflow.add_task(BashTask("true", name="a", upstream_tasks=[BashTask("true", name="forgotten")]))',
        ("forgotten", "workflow"),
    ),
    "an unknown executor": Mistake(
        'workflow.add_task(BashTask("true", name="a", executor="upload"))',
        ("UnknownExecutor", '"upload"', "compute (multiprocess)", "multiprocess 0.1", 'did you mean "uploads"?'),
    ),
    "no executor at all": Mistake(
        'workflow = Workflow("bad"); workflow.add_task(BashTask("true", name="a"))',
        ("executor", "compute (multiprocess)", "installed types"),
        toml='[executors.compute]\ntype = "multiprocess"\n',
    ),
    "resources of all tasks": Mistake(
        """
        workflow.add_task(BashTask("true", name="a", resources={"memroy": "2G"}))
        workflow.add_task(BashTask("true", name="b", resources={"memory": "much"}))
        workflow.add_task(BashTask("true", name="c", resources={"cores": 0}))
        """,
        ("InvalidResources", "memroy", "did you mean 'memory'", "much", "a ", "b ", "c ", "cores"),
    ),
    "an empty command": Mistake('workflow.add_task(BashTask("  ", name="a"))', ("InvalidTask", "a", "empty")),
    "an argument that is no JSON": Mistake(
        'workflow.add_task(PythonTask(work, args=[{1, 2}], name="a"))', ("InvalidTask", "set", "JSON")
    ),
    "a lambda": Mistake('workflow.add_task(PythonTask(lambda: 1, name="a"))', ("InvalidTask", "lambda", "name")),
    "a nested function": Mistake(
        """
        def outer():
            def inner():
                return 1
            return inner
        workflow.add_task(PythonTask(outer(), name="a"))
        """,
        ("InvalidTask", "inner"),
    ),
    "a module that is not there": Mistake(
        'workflow.add_task(PythonTask("no_such_module:function", name="a"))', ("InvalidTask", "no_such_module")
    ),
    "a function that its module has not": Mistake(
        'workflow.add_task(PythonTask("colorsys:no_such_function", name="a"))',
        ("InvalidTask", "colorsys", "no_such_function"),
    ),
    "no task at all": Mistake("workflow.tasks.clear()", ("InvalidTask", "no tasks")),
    "a newline in a name": Mistake('workflow.add_task(BashTask("true", name="a\\nb"))', ("InvalidTask", "name")),
    "an unknown key of the configuration": Mistake(
        'workflow.add_task(BashTask("true", name="a"))',
        ("ConfigurationError", "wrokers", "jobmon.toml", "did you mean 'workers'"),
        toml='[executors.compute]\ntype = "multiprocess"\nwrokers = 2\n',
    ),
    "a configuration that is no TOML": Mistake(
        'workflow.add_task(BashTask("true", name="a"))',
        ("ConfigurationError", "jobmon.toml", "line"),
        toml="[executors.compute\n",
    ),
    "a type that is not installed": Mistake(
        'workflow.add_task(BashTask("true", name="a"))',
        ("UnknownExecutor", "no_such_type", "installed types"),
        toml='[executors.compute]\ntype = "no_such_type"\n',
    ),
}


def script(lines: str) -> str:
    return HEAD + textwrap.indent(textwrap.dedent(lines).strip("\n"), "    ") + TAIL


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=list(MISTAKES))
def test_a_mistake_is_told_in_words_before_anything_starts(user: User, mistake: Mistake) -> None:
    if mistake.toml is not None:
        user.write("jobmon.toml", mistake.toml)
    user.write("bad.py", script(mistake.lines))
    done = user.run("bad.py", **mistake.environ)
    assert done.status == 1, done.said
    assert "Traceback" not in done.said
    missing = [word for word in mistake.words if word not in done.said]
    assert missing == [], done.said
    until(lambda: not user.processes(), "nothing is left running", 10)
    assert not user.data.exists(), "something was recorded"


PLUGIN = """
import attrs
from jobmon.plugins import Executor, hookimpl

@attrs.frozen
class Settings:
    pass

class Strange(Executor):
    name = "strange"
    api_version = (99, 0)
    settings_type = Settings

    def submit(self, *, requests): ...
    def observe(self, *, submitted): ...
    def cancel(self, *, submitted): ...
    def find(self, *, tokens): ...

@hookimpl
def jobmon_executor_types():
    return [Strange]
"""


def install(user: User, module: str) -> dict[str, str]:
    """A distribution of a stranger's, on PYTHONPATH."""
    user.write("site/jobmon_strange.py", module)
    folder = "site/jobmon_executor_strange-1.0.dist-info"
    user.write(f"{folder}/METADATA", "Metadata-Version: 2.1\nName: jobmon-executor-strange\nVersion: 1.0\n")
    user.write(f"{folder}/entry_points.txt", "[jobmon.executors]\nstrange = jobmon_strange\n")
    return {"PYTHONPATH": str(user.folder / "site")}


@pytest.mark.parametrize(
    ("module", "words"),
    [("import no_such_module\n", ("PluginError", "no_such_module")), (PLUGIN, ("PluginIncompatible", "99.0"))],
    ids=["one that cannot be imported", "one for another contract"],
)
def test_a_broken_plugin_disturbs_only_those_who_use_it(user: User, module: str, words: tuple[str, ...]) -> None:
    environ = install(user, module)
    user.write("bad.py", script('workflow.add_task(BashTask("true", name="a", executor="strange"))'))
    done = user.run("bad.py", **environ)
    assert done.status == 1, done.said
    assert "Traceback" not in done.said
    assert [word for word in (*words, "strange", "jobmon-executor-strange 1.0") if word not in done.said] == [], (
        done.said
    )
    until(lambda: not user.processes(), "nothing is left running", 10)
    assert not user.data.exists()
    user.write("good.py", script('workflow.add_task(BashTask("true", name="a"))'))
    good = user.run("good.py", **environ)
    assert "it ran" in good.said, good.said
    listed = user.jobmon("executors", "--load", **environ)
    assert listed.status == 1
    assert words[1] in " ".join(listed.said.split())


def run_good(user: User) -> tuple[int, str]:
    user.write("good.py", script('workflow.add_task(BashTask("true", name="a"))'))
    done = user.run("good.py")
    assert "Traceback" not in done.said, done.said
    return done.status, done.said


def test_a_database_that_is_none_is_told(user: User) -> None:
    user.data.mkdir()
    (user.data / "jobmon.db").write_bytes(b"this is no database" * 1000)
    status, said = run_good(user)
    assert status == 1
    assert "StoreError" in said
    assert str(user.data / "jobmon.db") in said
    until(lambda: not user.processes(), "nothing is left running", 10)


def test_a_database_of_a_newer_schema_is_told_and_left_as_it_is(user: User) -> None:
    assert run_good(user)[0] == 0
    user.leave()
    database = user.data / "jobmon.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
    connection.close()
    before = database.read_bytes()
    status, said = run_good(user)
    assert status == 1
    assert "StoreError" in said
    assert "newer" in said
    assert database.read_bytes() == before
    until(lambda: not user.processes(), "nothing is left running", 10)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_data_folder_that_is_read_only_is_told(user: User) -> None:
    user.data.mkdir(mode=0o500)
    status, said = run_good(user)
    assert status == 1
    assert "JOBMON_DATA" in said
    until(lambda: not user.processes(), "nothing is left running", 10)


def test_a_data_folder_that_cannot_be_made_is_told(user: User) -> None:
    user.data.write_text("a file stands where the folder should be")
    status, said = run_good(user)
    assert status == 1
    assert "ConfigurationError" in said
    assert "JOBMON_DATA" in said
    until(lambda: not user.processes(), "nothing is left running", 10)


def test_names_with_spaces_unicode_and_what_a_shell_would_take_are_fine(user: User) -> None:
    names = ["with spaces", "naïve Ångström 数据", "a/b", "..", "$(touch oops)", "-rf", "x" * 200, "100 %"]
    tasks = ", ".join(f'BashTask("echo fine", name={name!r})' for name in names)
    user.write("good.py", script(f"workflow.add_tasks([{tasks}])"))
    done = user.run("good.py")
    assert "it ran" in done.said, done.said
    assert user.recorded.states() == dict.fromkeys(names, "DONE")
    assert not (user.folder / "oops").exists()
    for name in names:
        logs = user.jobmon("logs", "bad", "--", name) if name.startswith("-") else user.jobmon("logs", "bad", name)
        assert "fine" in logs.said, (name, logs.said)
    outside = [path for path in user.data.rglob("*.out") if (user.data / "logs" / "bad-1") not in path.parents]
    assert outside == []


def test_a_command_of_1_mb_runs_whole(user: User) -> None:
    lines = """
        command = "test " + "x" * 1_000_000 + " = nothing || echo it has ended"
        workflow.add_task(BashTask(command, name="a"))
        """
    user.write("long.py", script(lines))
    done = user.run("long.py")
    assert "it ran" in done.said, done.said
    assert user.recorded.states() == {"a": "DONE"}
    assert user.jobmon("logs", "bad", "a").said.strip() == "it has ended"


def test_a_script_whose_function_is_a_task_does_not_run_its_workflow_twice(user: User) -> None:
    """It is loaded again for its function; without a main guard that would run the workflow in every task."""
    user.write("bad.py", script('workflow.add_task(PythonTask(work, name="a"))'))
    done = user.run("bad.py")
    assert "if __name__ ==" in done.said
    assert user.recorded.n_workflows() == 1
    assert user.recorded.states() == {"a": "ERROR_FATAL"}
