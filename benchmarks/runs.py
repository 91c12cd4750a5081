"""One run of a workflow: client, server, manager and agent in processes of their own."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import msgspec

from benchmarks.client import Request, Timings
from benchmarks.records import Spans, spans
from benchmarks.scratch import Scratch
from benchmarks.usage import Usage

ROOT = Path(__file__).resolve().parents[1]


@attrs.frozen
class Run:
    """What one run took, as its client and as its records say."""

    timings: Timings
    spans: Spans
    peak_mb: Mapping[str, float]
    cpu_s: Mapping[str, float]


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


def run(where: Scratch, request: Request) -> Run:
    """Run a workflow to its end."""
    usage = Usage()
    client = start(where, request)
    with usage.sampling(where):
        timings = finish(where, client)
    return Run(timings, spans(where.database), usage.peak_mb, usage.cpu_s)


def cpu_ms_per_job(runs: Sequence[Run], n: int) -> Mapping[str, list[float]]:
    """By role, for each run of n jobs."""
    roles = sorted({role for r in runs for role in r.cpu_s})
    return {role: [r.cpu_s.get(role, 0.0) * 1e3 / n for r in runs] for role in roles}
