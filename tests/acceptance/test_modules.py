"""A shell function that the user has exported, as `module` is, works in jobs wherever they run."""

from pathlib import Path

from users import User

TOML = """
    [executors.compute]
    type = "multiprocess"
    workers = 1

    [executors.uploads]
    type = "sequential"
"""
SCRIPT = """
    from jobmon import BashTask, Workflow

    workflow = Workflow("modules", workflow_args="1")
    for executor in ("compute", "uploads"):
        command = "module load samtools"
        workflow.add_task(BashTask(command, name=f"on {executor}", executor=executor))
    print("it ended as", workflow.run().state)
"""


def test_module_works_in_the_jobs_of_every_local_executor(user: User, tmp_path: Path) -> None:
    user.write("jobmon.toml", TOML)
    user.write("script.py", SCRIPT)
    seen = tmp_path / "seen"
    module = {"BASH_FUNC_module%%": f'() {{  echo "$1 $2 from $MODULEPATH" >> {seen}\n}}', "MODULEPATH": "/m"}
    done = user.run("script.py", **module)
    assert "it ended as DONE" in done.said, done.said
    assert seen.read_text() == "load samtools from /m\n" * 2
