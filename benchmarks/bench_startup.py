"""What is paid once per command, per worker, and per graph."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.client import Request
from benchmarks.runs import finish, start
from benchmarks.scratch import scratch
from benchmarks.setting import Setting
from jobmon.testing.worker_server import worker_server
from jobmon.worker.build import build_starter

_ROUNDS = 5  #: of short commands within a repeat


def command_line(setting: Setting) -> None:
    """`jobmon executors` above an interpreter that does nothing."""
    program = Path(sys.executable).with_name("jobmon")
    ours, bare = [], []
    with scratch(setting.parent) as where:
        environment = dict(where.environment())
        for _ in range(setting.repeats * _ROUNDS):
            ours.append(_wall_s([str(program), "executors"], environment, where.path) * 1e3)
            bare.append(_wall_s([sys.executable, "-c", "pass"], environment, where.path) * 1e3)
    above = [a - b for a, b in zip(ours, bare, strict=True)]
    setting.results.take(
        "jobmon executors above the interpreter's start", "ms", 1, above, peers={"python -c pass": bare}, whole=ours
    )


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


def _cpu_s(argv: list[str]) -> float:
    """Processor time of a process and of all that it waited for."""
    pid = os.posix_spawnp(argv[0], argv, os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(argv)} ended with status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime
