"""Files by the names of modules that we import: they run for the user's code, where it wants them, and nowhere else."""

import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from jobmon.isolated import isolated
from jobmon.testing.agent_process import agents
from jobmon.testing.worker_server import worker_server
from jobmon.wire.jobs import Call
from jobmon.worker.build import build_worker


def names() -> list[str]:
    """Every module of the standard library and of what is installed."""
    return sorted((sys.stdlib_module_names | set(packages_distributions())) - {"__main__"})


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with a file of every such name, which ends whatever imports it."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in names():
        if name.isidentifier():
            (folder / f"{name}.py").write_text(
                f"raise BaseException('the file {name}.py of the folder was imported')\n"
            )
    return folder


def run(argv: list[str], cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=cwd, env=os.environ | environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("module", ["jobmon.server", "jobmon.agent", "jobmon"])
@pytest.mark.parametrize("pythonpath", ["", ":", "{hostile}", "{hostile}:"])
def test_our_own_processes_import_nothing_from_where_they_are_started_nor_over_pythonpath(
    hostile: Path, module: str, pythonpath: str
) -> None:
    done = run(isolated(module, "--help"), hostile, PYTHONPATH=pythonpath.format(hostile=hostile))
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage" in done.stdout.lower()


def test_a_plugin_on_pythonpath_alone_is_found_by_them(tmp_path: Path) -> None:
    folder = tmp_path / "plugins"
    (folder / "jobmon_found-1.dist-info").mkdir(parents=True)
    (folder / "jobmon_found-1.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: jobmon-found\nVersion: 1\n"
    )
    (folder / "jobmon_found-1.dist-info" / "entry_points.txt").write_text("[jobmon.executors]\nfound = jobmon_found\n")
    done = run(isolated("jobmon", "executors"), tmp_path, PYTHONPATH=str(folder))
    assert "found" in done.stdout


def test_all_of_jobmon_may_be_on_pythonpath_alone(tmp_path: Path) -> None:
    """As `pip install --target` leaves it: an interpreter that has none of its packages itself."""
    home = Path(isolated("x")[-2]).parent
    own = tmp_path / "own"
    own.mkdir()
    (own / "jobmon").symlink_to(home)
    argv = isolated("jobmon", "--version")
    argv[argv.index(str(home / "isolated.py"))] = str(own / "jobmon" / "isolated.py")
    argv.insert(1, "-S")
    site = os.pathsep.join(folder for folder in sys.path if folder.endswith("-packages"))
    done = run(argv, tmp_path, PYTHONPATH=f"{own}{os.pathsep}{site}")
    assert "jobmon 0" in done.stdout, done.stderr


OWN = """
def answer():
    import resource, traceback
    return [resource.mine(), traceback.mine()]
"""
MINE = "def mine(): return 'my own'\n"


@pytest.mark.parametrize("where", ["import_paths", "PYTHONPATH"])
def test_a_call_in_a_warm_interpreter_imports_the_users_modules_whatever_their_names(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "users"
    folder.mkdir()
    for name in ("resource", "traceback", "socket"):
        (folder / f"{name}.py").write_text(MINE)
    (folder / "work.py").write_text(OWN)
    if where == "PYTHONPATH":
        monkeypatch.setenv("PYTHONPATH", str(folder))
    first = [str(folder), ""] if where == "import_paths" else []
    call = Call("work", "answer", python=sys.executable, import_paths=first)
    with worker_server() as server, agents(server, tmp_path / "state") as start:
        agent = start()
        server.give("t1", tmp_path, call=call)
        agent.submit("t1")
        report = agent.report("t1")
    assert (report.detail, report.result) == (None, '["my own","my own"]')


@pytest.mark.parametrize("where", ["import_paths", "PYTHONPATH"])
def test_a_call_by_the_workers_file_imports_the_users_modules_whatever_their_names(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "users"
    folder.mkdir()
    for name in ("json", "traceback"):
        (folder / f"{name}.py").write_text(MINE)
    (folder / "work.py").write_text(OWN.replace("resource", "json"))
    call, answer = tmp_path / "call", tmp_path / "answer"
    first = f'"{folder}", ""' if where == "import_paths" else ""
    call.write_text(f'{{"module": "work", "function": "answer", "import_paths": [{first}]}}')
    with call.open() as given, answer.open("w") as taken:
        fds = given.fileno(), taken.fileno()
        environ = os.environ | ({"PYTHONPATH": str(folder)} if where == "PYTHONPATH" else {})
        argv = [sys.executable, str(build_worker(tmp_path)), "call", *map(str, fds)]
        done = subprocess.run(argv, pass_fds=fds, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "my own" in answer.read_text()
