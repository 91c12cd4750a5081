"""One run of a workflow: client, server, manager and agent in processes of their own."""

import subprocess
import sys
from pathlib import Path

import attrs
import msgspec

from benchmarks.client import Request, Timings
from benchmarks.memory import Memory
from benchmarks.records import Spans, spans
from benchmarks.scratch import Scratch

ROOT = Path(__file__).resolve().parents[1]


@attrs.frozen
class Run:
    """What one run took, as its client and as its records say."""

    timings: Timings
    spans: Spans


def start(where: Scratch, request: Request) -> subprocess.Popen[str]:
    """Start the client."""
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.client", msgspec.json.encode(request).decode()],
        cwd=ROOT,
        env=where.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(where.path / "client.log").open("w"),
        text=True,
    )


def finish(where: Scratch, client: subprocess.Popen[str]) -> Timings:
    """Wait for the client.

    Raises:
        RuntimeError: it failed.
    """
    said, _ = client.communicate()
    if client.returncode:
        raise RuntimeError(
            f"the client ended with status {client.returncode}:\n{(where.path / 'client.log').read_text()}"
        )
    return msgspec.json.decode(said, type=Timings)


def run(where: Scratch, request: Request, memory: Memory | None = None) -> Run:
    """Run a workflow to its end; `memory` is sampled meanwhile."""
    client = start(where, request)
    if memory is None:
        timings = finish(where, client)
    else:
        with memory.sampling(where):
            timings = finish(where, client)
    return Run(timings, spans(where.database))
