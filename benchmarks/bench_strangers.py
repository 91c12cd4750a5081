"""What heartbeats wait for while strangers do to the server's port what they can."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.scratch import scratch
from benchmarks.setting import Setting
from jobmon.processes import identify
from jobmon.requester import Requester, connect
from jobmon.states.evidence import Reporting
from jobmon.wire import routes
from jobmon.wire.jobs import Command, JobSpec
from jobmon.wire.leases import AcquireLease, ClaimJobs, ExecutorRegistration
from jobmon.wire.runs import BeginRun, BindJobs, OpenRun, QueueJobs, RunContext
from jobmon.wire.workers import Heartbeat, StartAttempts

_STRANGERS, _ATTEMPTS = 200, 100
_BEAT_EVERY_S = 0.01
_WORKER = "benchmark:1:x"


def strangers(setting: Setting) -> None:
    """Heartbeats of 100 running attempts, 100 times a second, beside 200 hostile connections from this host."""
    seconds = 2.0 if setting.quick else 10.0
    tail, middle, longest, alone, made = [], [], [], [], []
    for _ in range(setting.repeats):
        with scratch(setting.parent) as where:
            requester = connect(where.environment())
            beat = _beats(requester)
            until = time.monotonic() + seconds / 4
            alone.append(_percentile(_timed(beat, lambda end=until: time.monotonic() < end), 99))  # type: ignore[misc]
            host, _, port = requester.url.removeprefix("http://").rpartition(":")
            argv = [sys.executable, "-P", "-m", "benchmarks.strangers", host, port, str(_STRANGERS), str(seconds)]
            environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
            with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environ) as crowd:
                took = _timed(beat, lambda process=crowd: process.poll() is None)  # type: ignore[misc]
                assert crowd.stdout is not None
                made.append(float(crowd.stdout.read()))
            requester.stop()
        tail.append(_percentile(took, 99))
        middle.append(statistics.median(took))
        longest.append(max(took))
    setting.results.take(
        "99th percentile of heartbeats among 200 hostile connections", "ms", _STRANGERS, tail, target="100",
        median_ms=middle, longest_ms=longest, p99_without_them_ms=alone, connections_made=made,
    )  # fmt: skip


def _timed(beat: Callable[[], object], going_on: Callable[[], bool]) -> list[float]:
    """Milliseconds that each beat took, as long as it goes on."""
    took: list[float] = []
    pause = threading.Event()
    while going_on() or not took:
        began = time.monotonic()
        beat()
        took.append((time.monotonic() - began) * 1e3)
        pause.wait(_BEAT_EVERY_S)
    return took


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


def _beats(requester: Requester) -> Callable[[], object]:
    """Have attempts run; what beats for them."""
    context = RunContext("/", {}, "/logs")
    opened = requester.call(routes.OPEN_RUN, OpenRun("beats", None, _ATTEMPTS, context, identify()))
    ids = list(range(opened.first_job_id, opened.first_job_id + _ATTEMPTS))
    jobs = [JobSpec(i, f"t{i}", "compute", "d", Command("true")) for i in ids]
    requester.call(routes.BIND_JOBS, BindJobs(opened.run_id, jobs))
    requester.call(routes.BEGIN_RUN, BeginRun(opened.run_id))
    requester.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, ids))
    registration = ExecutorRegistration("dummy", "benchmark", "1", [1, 0], False, Reporting.WORKER)
    asked = AcquireLease(opened.workflow_id, "compute", identify(), registration)
    lease = requester.call(routes.ACQUIRE_LEASE, asked).lease
    assert lease is not None
    tokens = [claim.token for claim in requester.call(routes.CLAIM_JOBS, ClaimJobs(lease, _ATTEMPTS)).claims]
    requester.call(routes.START_ATTEMPTS, StartAttempts(_WORKER, "benchmark", tokens))
    return lambda: requester.call(routes.HEARTBEAT, Heartbeat(_WORKER, tokens))
