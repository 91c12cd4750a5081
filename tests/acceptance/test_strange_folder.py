"""A working folder full of files by the names of modules: whatever is run there, Jobmon imports none of them."""

import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

from users import User

SCRIPT = """
    import sys
    from jobmon import BashTask, PythonTask, Workflow
    from own import double

    if __name__ == "__main__":
        workflow = Workflow("strange", executor="compute")
        doubled = PythonTask(double, args=[2], name="double")
        there = BashTask("ls heapq.py", name="there", upstream_tasks=[doubled])
        by_one = BashTask("true", name="by one", executor="uploads", upstream_tasks=[there])
        workflow.add_tasks([doubled, there, by_one])
        workflow.run().raise_for_failures()
"""


def test_a_workflow_that_is_run_where_files_have_the_names_of_modules_runs_none_of_them(user: User) -> None:
    strange = user.folder / "strange"
    strange.mkdir()
    for name in sys.stdlib_module_names | set(packages_distributions()):
        if name.isidentifier() and name != "__main__":
            (strange / f"{name}.py").write_text(f"open('{strange}/ran', 'a').write('{name} ')\nraise BaseException()\n")
    user.write("own.py", "def double(x): return 2 * x\n")
    script = user.write("strange.py", SCRIPT)
    done = user.run(script, cwd=strange)
    assert done.status == 0, done.said
    assert set(user.recorded.states(1).values()) == {"DONE"}
    program = Path(sys.executable).with_name("jobmon")
    listed = subprocess.run(
        [program, "executors", "--json"], cwd=strange, env=user.environ, capture_output=True, text=True, check=False
    )
    assert (listed.returncode, listed.stderr) == (0, "")
    assert not (strange / "ran").exists(), (strange / "ran").read_text()
