"""Runs n Python calls that return their argument with another package; prints the seconds, its start-up left out.

`python peer_script.py parsl|huey N`, by an interpreter that has the package, in a folder that may be written.
"""

import importlib
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_HUEY_TASKS = """from huey import SqliteHuey
huey = SqliteHuey("benchmark", filename="huey.db", fsync=True)
@huey.task()
def same(i):
    return i
"""


def parsl(n: int) -> float:
    """Two threads of this process."""
    package: Any = importlib.import_module("parsl")
    config: Any = importlib.import_module("parsl.config")
    threads: Any = importlib.import_module("parsl.executors")
    executor = threads.ThreadPoolExecutor(max_threads=2)
    package.load(config.Config(executors=[executor], strategy="none", usage_tracking=0, initialize_logging=False))
    same = package.python_app(_same)
    same(0).result()
    began = time.perf_counter()
    results = [future.result() for future in [same(i) for i in range(n)]]
    elapsed_s = time.perf_counter() - began
    assert results == list(range(n))
    package.dfk().cleanup()
    return elapsed_s


def huey(n: int) -> float:
    """Two processes of its consumer, its queue in an SQLite file that is synced."""
    Path("benchmark_tasks.py").write_text(_HUEY_TASKS)
    sys.path.insert(0, ".")
    tasks: Any = importlib.import_module("benchmark_tasks")
    program = Path(sys.executable).with_name("huey_consumer")
    consumer = subprocess.Popen(
        [program, "benchmark_tasks.huey", "-w", "2", "-k", "process", "-q", "-n", "-d", "0.001", "-m", "0.01"],
        stdout=subprocess.DEVNULL,
    )
    try:
        tasks.same(0).get(blocking=True, timeout=60)
        began = time.perf_counter()
        waiting = [tasks.same(i) for i in range(n)]
        results = [result.get(blocking=True, backoff=1, max_delay=0.01) for result in waiting]
        elapsed_s = time.perf_counter() - began
        assert results == list(range(n))
    finally:
        consumer.terminate()
        consumer.wait()
    return elapsed_s


def _same(i: int) -> int:
    return i


if __name__ == "__main__":
    print({"parsl": parsl, "huey": huey}[sys.argv[1]](int(sys.argv[2])))
