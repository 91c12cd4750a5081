"""Arrays on the real schedulers of this host, beside the same arrays submitted by hand."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import records
from benchmarks.client import SLEEP_S, Request
from benchmarks.clusters import GRIDENGINE, SLURM, Cluster
from benchmarks.runs import Run, cpu_ms_per_job, run
from benchmarks.scratch import scratch
from benchmarks.setting import Setting

#: What any worker in Python costs: an interpreter, which starts the command and waits for it.
_SPAWNS = "import os; os.waitpid(os.posix_spawnp('true', ['true'], os.environ), 0)"
_BARE = shlex.join([sys.executable, "-I", "-S", "-c", _SPAWNS])
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_ROUNDED = 3


def gridengine(setting: Setting) -> None:
    """On the real Grid Engine of this host."""
    _measure(setting, GRIDENGINE)


def slurm(setting: Setting) -> None:
    """On the real Slurm of this host."""
    _measure(setting, SLURM)


def _measure(setting: Setting, cluster: Cluster) -> None:
    why = cluster.missing()
    if why is not None:
        print(f"{cluster.name}: not measured: {why}", file=sys.stderr)
        return
    n = 100 if setting.quick else 1_000
    _beside(setting, cluster, "true", Request("flat", n, "cluster", ""), {"raw array": "true", "bare Python": _BARE})
    n = 32 if setting.quick else 160
    sleeping = {"raw array": f"sleep {SLEEP_S}"}
    _beside(setting, cluster, f"sleep {SLEEP_S}", Request("sleep", n, "cluster", ""), sleeping)


def _beside(setting: Setting, cluster: Cluster, what: str, request: Request, peers: Mapping[str, str]) -> None:
    """Jobmon and the peers in turn; seconds, ours by theirs, and what the scheduler was asked."""
    n = request.n
    runs: list[Run] = []
    calls: list[Mapping[str, int]] = []
    seconds: dict[str, list[float]] = {peer: [] for peer in peers}
    busy: dict[str, list[float]] = {who: [] for who in ("jobmon", *peers)}
    for _ in range(setting.repeats):
        for peer, command in peers.items():
            before_s = _busy_s()
            seconds[peer].append(cluster.array_s(setting.parent, n, command))
            busy[peer].append((_busy_s() - before_s) * 1e3 / n)
        before_s = _busy_s()
        with scratch(setting.parent) as where:
            cluster.settle_in(where)
            runs.append(run(where, Request(request.shape, n, request.executor, str(where.path))))
            busy["jobmon"].append((_busy_s() - before_s) * 1e3 / n)
            records.check_all_done(where.database, n)
            calls.append(cluster.calls(where))
    ours = [r.timings.run_s for r in runs]
    ratios = {f"by_{peer.replace(' ', '_')}": _ratios(ours, theirs) for peer, theirs in seconds.items()}
    against = "bare Python" if "bare Python" in peers else "raw array"
    limit = 1.25 if "bare Python" in peers else 1.15
    more: dict[str, Any] = {
        "from_the_first_claim_s": [r.spans.claim_to_done_s for r in runs],
        "calls": {name: [c.get(name, 0) for c in calls] for name in sorted({name for c in calls for name in c})},
        "processor_ms_per_job_of_all_that_ran_here": busy,
        "cpu_ms_per_job": cpu_ms_per_job(runs, n),
    }
    target = f"{limit} of {against} or less; 10 submissions, 20 queries a minute or less"
    setting.results.take(f"{what} on {cluster.name}", "s", n, ours, target=target, peers=seconds, **ratios, **more)


def _ratios(ours: list[float], theirs: list[float]) -> list[float]:
    """Of each repeat to the peer's that went before it."""
    return [round(a / b, _ROUNDED) for a, b in zip(ours, theirs, strict=True)]


def _busy_s() -> float:
    """Processor time that the whole machine has spent so far: what daemons and jobs cost belongs to nobody else."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _, _, interrupts, soft_interrupts = fields[:7]
    return (user + nice + system + interrupts + soft_interrupts) / _TICKS_PER_S
