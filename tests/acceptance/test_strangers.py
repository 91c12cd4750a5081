"""A stranger's executor: written by following the guide, installed as a wheel beside broken ones, and routed to."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import guide
import pytest
import wheels
from users import User

from jobmon.cli.app import run
from jobmon.plugins import CONTRACT_VERSION

SCRIPT = """
    from jobmon import BashTask, Workflow

    wf = Workflow("routed", workflow_args="1", executor="lab")
    fits = [BashTask("echo fit", name=f"fit-{n}") for n in range(4)]
    upload = BashTask("echo upload", upstream_tasks=fits, name="upload", executor="uploads")
    check = BashTask("echo check", upstream_tasks=[upload], name="check")
    wf.add_tasks([*fits, upload, check])
    wf.run().raise_for_failures()
"""
ASKS_FOR = """
    from jobmon import BashTask, Workflow

    wf = Workflow("asks", workflow_args="1", executor="{executor}")
    wf.add_tasks([BashTask("echo never", name="never")])
    wf.run()
"""


@pytest.fixture(scope="session")
def wheel_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels of core, plugins and what they need; once for all processes of a session of tests."""
    base = tmp_path_factory.getbasetemp()
    return wheels.wheel_house(base.parent if re.match(r"popen-gw\d", base.name) else base)


def test_every_command_of_the_guide_does_what_it_says(wheel_house: Path, tmp_path: Path) -> None:
    environ, state = wheels.pip_environ(wheel_house), tmp_path / "state"
    state.write_text(f"cd {tmp_path}\n")
    said = []
    for block in guide.blocks():
        if block.kind == "python":
            module = tmp_path / "jobmon_labbatch" / "src" / "jobmon_labbatch" / "__init__.py"
            guide.write_into(module, block.text)
            continue
        shell = f'source {state}; set -e; {{\n{block.text}}}; {{ export -p; echo cd "$PWD"; }} > {state}'
        done = guide.run(["bash", "-c", shell], tmp_path, environ)
        assert (done.returncode != 0) == (block.kind == "sh fails"), f"{block.text}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    areas = re.findall(r"^  (?:core|array|find|usage|reasons|robustness) +holds", "".join(said), re.MULTILINE)
    assert len(areas) == 3 * 6, "the kit ran three times without a failure, and all areas held each time"
    assert list((tmp_path / "jobmon_labbatch" / "dist").glob("jobmon_executor_labbatch-0.1.0-*.whl"))


def scaffold(folder: Path, name: str) -> Path:
    """A scaffolded distribution; the module in it."""
    assert run(["plugin", "new", name, "--in", str(folder)]) == 0
    return folder / f"jobmon_{name}" / "src" / f"jobmon_{name}" / "__init__.py"


@pytest.fixture
def stranger(wheel_house: Path, tmp_path: Path, new_user: Callable[[], User]) -> User:
    """A user with an environment of wheels: core, sequential, a stranger's type, a broken one, one from the future.

    A type that is being written is there as an editable install.
    """
    environ = wheels.pip_environ(wheel_house)
    own = tmp_path / "own-wheels"
    labbatch = scaffold(tmp_path, "labbatch")
    for block in guide.blocks():
        if block.kind == "python":
            guide.write_into(labbatch, block.text)
    broken = scaffold(tmp_path, "broken")
    broken.write_text("import no_such_package\n" + broken.read_text())
    future = scaffold(tmp_path, "future")
    future.write_text(future.read_text().replace(f"= {CONTRACT_VERSION}", "= (9, 0)"))
    scaffold(tmp_path, "edited")
    for name in ("labbatch", "broken", "future"):
        wheels.build(tmp_path / f"jobmon_{name}", own, environ)
    user = new_user()
    user.python = wheels.environment(
        tmp_path / "env",
        environ | {"PIP_FIND_LINKS": f"{wheel_house} {own}"},
        *("jobmon", "jobmon-executor-sequential", "jobmon-executor-labbatch"),
        *("jobmon-executor-broken", "jobmon-executor-future", "-e", str(tmp_path / "jobmon_edited")),
    )
    program = user.folder / "bin"
    program.mkdir()
    guide.labbatch(program)
    user.environ["PATH"] = f"{program}:{user.environ['PATH']}"
    user.write(
        "jobmon.toml",
        '[executors.lab]\ntype = "labbatch"\n[executors.uploads]\ntype = "sequential"\n'
        '[executors.old]\ntype = "future"\n',
    )
    return user


def test_wheels_are_discovered_isolated_refused_and_routed_to(stranger: User, tmp_path: Path) -> None:
    listed = {row["type"]: row for row in _said(stranger, "executors", "--json")["types"]}
    assert set(listed) == {"broken", "edited", "future", "labbatch", "sequential"}
    assert all(row["from"].startswith(str(tmp_path / "env")) for row in listed.values()), listed

    loaded = {row["type"]: row for row in _said(stranger, "executors", "--load", "--json", status=1)["types"]}
    ours = f"{CONTRACT_VERSION[0]}.{CONTRACT_VERSION[1]}"
    assert {name for name, row in loaded.items() if row["contract"] == ours} == {"edited", "labbatch", "sequential"}
    assert "No module named 'no_such_package'" in loaded["broken"]["error"]
    assert (
        "upgrade jobmon (pip install --upgrade jobmon), or install an older jobmon-executor-future"
        in loaded["future"]["error"]
    )
    shown = _said(stranger, "executors", "show", "labbatch", "--json")
    assert (shown["distribution"], shown["capabilities"]["arrays"]) == ("jobmon-executor-labbatch", True)

    done = stranger.run(stranger.write("routed.py", SCRIPT))
    assert done.status == 0, done.said
    assert {name: job["executor"] for name, job in stranger.jobs("routed").items()} == {
        **dict.fromkeys(["fit-0", "fit-1", "fit-2", "fit-3", "check"], "lab"),
        "upload": "uploads",
    }
    assert stranger.recorded.flaws() == []
    at_the_lab = [path.read_text() for path in (stranger.folder / "bin" / "jobs").glob("*/name")]
    assert len(at_the_lab) == 5, at_the_lab
    assert not any("upload" in name for name in at_the_lab)

    for executor, said in {
        "broken": "PluginError: executor type 'broken' (jobmon-executor-broken 0.1.0) cannot be imported",
        "old": "PluginIncompatible: executor type 'future' (jobmon-executor-future 0.1.0) was written for contract 9.0",
    }.items():
        done = stranger.run(stranger.write("asks.py", ASKS_FOR.format(executor=executor)))
        assert done.status != 0
        assert said in done.said


def _said(user: User, *arguments: str, status: int = 0) -> dict[str, object]:
    """What a command of the user's environment prints, as JSON."""
    done = subprocess.run(
        [user.python, "-m", "jobmon", *arguments],
        cwd=user.folder,
        env=user.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]
