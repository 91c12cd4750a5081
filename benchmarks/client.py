"""The user's script of a measurement: builds a workflow, runs it, prints what it took as JSON.

Run as `python -m benchmarks.client REQUEST`, REQUEST being the JSON of one.
"""

import sys
import time
from pathlib import Path

import attrs
import msgspec

from jobmon import BashTask, PythonTask, Task, Workflow
from jobmon.config import load_config

SLEEP_S = 5  #: of each task of the shape `sleep`


@attrs.frozen
class Request:
    """What to run. `shape`: flat, chain, layers, calls, sleep, or append.

    The tasks of append add their number to `folder`/lines.
    """

    shape: str
    n: int
    executor: str
    folder: str
    width: int = 100
    resume: bool = False
    run: bool = True  #: false: build and validate only


@attrs.frozen
class Timings:
    """Seconds for building the tasks, and for `run` or, when nothing is run, `validate`; and when `run` began."""

    build_s: float
    run_s: float
    began_at: float


def tasks(request: Request) -> list[Task]:
    """The tasks of a shape."""
    n = request.n
    made: list[Task] = []
    match request.shape:
        case "flat":
            made += (BashTask(["true"], name=f"t{i}") for i in range(n))
        case "calls":
            made += (PythonTask("operator:pos", args=[i], name=f"t{i}") for i in range(n))
        case "sleep":
            made += (BashTask(["sleep", str(SLEEP_S)], name=f"t{i}") for i in range(n))
        case "append":
            made += (BashTask(f"echo {i} >> {request.folder}/lines", name=f"t{i}") for i in range(n))
        case "chain":
            for i in range(n):
                made.append(BashTask(["true"], name=f"t{i}", upstream_tasks=made[-1:]))
        case "layers":
            for i in range(n):
                made.append(
                    BashTask(["true"], name=f"t{i}", upstream_tasks=[made[p] for p in parents(i, request.width)])
                )
        case other:
            raise ValueError(f"no shape {other!r}")
    return made


def parents(i: int, width: int) -> list[int]:
    """The three tasks of the layer before that task `i` comes after."""
    layer, place = divmod(i, width)
    if layer == 0:
        return []
    base = (layer - 1) * width
    return sorted({base + place, base + (place + 1) % width, base + (place + 7) % width})


def main(text: str) -> None:
    """Do what is asked and print the timings. Raises WorkflowFailed when the run is not all done."""
    request = msgspec.json.decode(text, type=Request)
    began = time.perf_counter()
    workflow = Workflow("benchmark", workflow_args=request.shape, executor=request.executor, cwd=request.folder)
    workflow.add_tasks(tasks(request))
    built = time.perf_counter()
    began_at = time.time()
    if request.run:
        workflow.run(resume=request.resume, config=load_config(Path(request.folder))).raise_for_failures()
    else:
        workflow.validate()
    timings = Timings(built - began, time.perf_counter() - built, began_at)
    print(msgspec.json.encode(timings).decode())


if __name__ == "__main__":
    main(sys.argv[1])
