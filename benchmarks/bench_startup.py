"""What is paid once per command, per worker, and per graph."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.client import Request
from benchmarks.runs import finish, start
from benchmarks.scratch import scratch
from benchmarks.setting import Setting
from jobmon.testing.worker_server import worker_server
from jobmon.worker.build import build_starter

_ROUNDS = 5  #: of short commands within a repeat
_PLUGINS = 50
_LONG = "Description-Content-Type: text/markdown\n\n" + "A readme is in the metadata, too.\n" * 200


def command_line(setting: Setting) -> None:
    """`jobmon executors` with 50 more plugins, one of which sleeps, above an interpreter that does nothing."""
    program = Path(sys.executable).with_name("jobmon")
    ours, bare, cpu = [], [], []
    with scratch(setting.parent) as where:
        (where.path / "jobmon.toml").unlink()
        environment = dict(where.environment()) | {"PYTHONPATH": str(_plugins(where.path / "plugins"))}
        for _ in range(setting.repeats * _ROUNDS):
            ours.append(_wall_s([str(program), "executors"], environment, where.path) * 1e3)
            bare.append(_wall_s([sys.executable, "-c", "pass"], environment, where.path) * 1e3)
            cpu.append(_cpu_s([str(program), "executors", "--json"], environment) * 1e3)
    above = [a - b for a, b in zip(ours, bare, strict=True)]
    setting.results.take(
        "jobmon executors with 50 plugins above the interpreter's start",
        "ms",
        _PLUGINS,
        above,
        target="300",
        peers={"python -c pass": bare},
        whole=ours,
        processor_time_of_the_whole=cpu,
    )


def _plugins(folder: Path) -> Path:
    """Installed distributions of an executor type each; to import the first takes 5 s."""
    folder.mkdir()
    for number in range(_PLUGINS):
        name = f"bench{number:02}"
        (folder / f"jobmon_{name}.py").write_text("import time\ntime.sleep(5)\n" if number == 0 else "")
        info = folder / f"jobmon_executor_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: jobmon-executor-{name}\nVersion: 1.0\n{_LONG}")
        (info / "entry_points.txt").write_text(f"[jobmon.executors]\n{name} = jobmon_{name}\n")
    return folder


def worker(setting: Setting) -> None:
    """Processor time of a worker that runs `true`, its report and the command included, above a bare interpreter."""
    ours, bare, program = [], [], []
    with scratch(setting.parent) as where, worker_server() as server:
        starter = build_starter(where.path)
        for i in range(setting.repeats * _ROUNDS):
            token = f"j{i:026}"
            server.give(token, where.path, argv=["true"])
            argv = [sys.executable, "-I", "-S", str(starter), "run", str(server.start_file(token, where.path))]
            ours.append(_cpu_s(argv) * 1e3)
            assert server.wait_for_report(token).exit_status == 0
            bare.append(_cpu_s([sys.executable, "-I", "-S", "-c", "pass"]) * 1e3)
            program.append(_cpu_s(["true"]) * 1e3)
    above = [a - b for a, b in zip(ours, bare, strict=True)]
    peers = {"python -I -S -c pass": bare, "true": program}
    setting.results.take("processor time of a worker above the interpreter's", "ms", 1, above, peers=peers, whole=ours)


def build(setting: Setting) -> None:
    """The user's script makes a graph in layers, three edges into each task."""
    n = 5_000 if setting.quick else 100_000
    built, checked = [], []
    for _ in range(setting.repeats):
        with scratch(setting.parent) as where:
            request = Request("layers", n, "dummy", str(where.path), width=1_000, run=False)
            timings = finish(where, start(where, request))
        built.append(timings.build_s)
        checked.append(timings.run_s)
    setting.results.take("graph built", "s", n, built, validate_s=checked)


def _wall_s(argv: Sequence[str], environment: dict[str, str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(argv, env=environment, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def _cpu_s(argv: list[str], environment: Mapping[str, str] = os.environ) -> float:
    """Processor time of a process, which says nothing, and of all that it waited for."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawnp(argv[0], argv, environment, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(argv)} ended with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime
