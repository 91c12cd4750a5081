"""Everything is killed half-way, and resumed."""

import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks import records
from benchmarks.client import Request
from benchmarks.runs import finish, start
from benchmarks.scratch import Scratch, scratch
from benchmarks.setting import Setting

_LOOK_S = 0.01


def resume(setting: Setting) -> None:
    """Tasks that each append a line: seconds from the new client's start to its end, and lines that came twice."""
    n = 200 if setting.quick else 2_000
    seconds, rest, twice, again = [], [], [], []
    for _ in range(setting.repeats):
        with scratch(setting.parent) as where:
            _run_half(where, n)
            done = records.done_names(where.database)
            before = _lines(where)
            began = time.perf_counter()
            finish(where, start(where, Request("append", n, "local", str(where.path), resume=True)))
            seconds.append(time.perf_counter() - began)
            after = _lines(where)
            records.check_all_done(where.database, n)
        assert set(after) == {str(i) for i in range(n)}, "a task's line is missing"
        assert [i for i in after if after[i] > 1 and f"t{i}" in done] == [], "what was DONE ran again"
        rest.append(n - len(before))
        twice.append(sum(count - 1 for count in after.values()))
        again.append(sum(1 for i in before if f"t{i}" not in done))
    setting.results.take(
        "resume after everything was killed",
        "s",
        n,
        seconds,
        tasks_left=rest,
        commands_run_twice=twice,
        commands_run_but_not_recorded_done=again,
        tasks_left_per_s=[left / s for left, s in zip(rest, seconds, strict=True)],
    )


def _run_half(where: Scratch, n: int) -> None:
    client = start(where, Request("append", n, "local", str(where.path)))
    clock = threading.Event()
    while _size(where.path / "lines") < _size_of_half(n):
        if client.poll() is not None:
            finish(where, client)
            raise RuntimeError("the run was over before half of it was seen")
        clock.wait(_LOOK_S)
    where.kill(first=client.pid)
    client.wait()
    assert client.stdout is not None
    client.stdout.close()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _size_of_half(n: int) -> int:
    return sum(len(f"{i}\n") for i in range(n // 2))


def _lines(where: Scratch) -> Counter[str]:
    return Counter((where.path / "lines").read_text().split())
