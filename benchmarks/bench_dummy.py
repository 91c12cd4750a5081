"""Jobs that take no time: what Jobmon itself costs."""

import statistics

from benchmarks import records
from benchmarks.client import Request
from benchmarks.memory import Memory
from benchmarks.runs import Run, run
from benchmarks.scratch import scratch
from benchmarks.setting import Setting


def flat(setting: Setting) -> None:
    """Independent jobs from bind to DONE, through client, server and manager; every row is counted afterwards."""
    n = 2_000 if setting.quick else 100_000
    runs: list[Run] = []
    peaks: list[dict[str, float]] = []
    for _ in range(setting.repeats):
        memory = Memory()
        with scratch(setting.parent) as where:
            runs.append(run(where, Request("flat", n, "simulated", str(where.path)), memory))
            rows = records.check_dummy(where.database, n)
        peaks.append(memory.peaks)
    setting.results.take(
        "dummy jobs",
        "jobs/s",
        n,
        [n / r.timings.run_s for r in runs],
        run_s=[r.timings.run_s for r in runs],
        without_starting_client_and_server=[n / r.spans.bind_to_done_s for r in runs],
        from_the_first_claim=[n / r.spans.claim_to_done_s for r in runs],
        build_s=[r.timings.build_s for r in runs],
        history_rows_per_job=dict(rows),
    )
    roles = ("server", "manager", "client")
    setting.results.take(
        "memory with dummy jobs",
        "MB",
        n,
        [peak["sum"] for peak in peaks],
        **{role: [peak.get(role, 0.0) for peak in peaks] for role in roles},
    )


def chain(setting: Setting) -> None:
    """Each job after the one before: what a dependency costs."""
    n = 30 if setting.quick else 200
    medians, p95s, worst, run_s = [], [], [], []
    for _ in range(setting.repeats):
        with scratch(setting.parent) as where:
            run_s.append(run(where, Request("chain", n, "simulated", str(where.path))).timings.run_s)
            records.check_dummy(where.database, n)
            hops = sorted(records.hops_ms(where.database))
        medians.append(statistics.median(hops))
        p95s.append(hops[int(0.95 * len(hops))])
        worst.append(hops[-1])
    setting.results.take("hop of a chain", "ms", n, medians, p95=p95s, longest=worst, run_s=run_s)
