"""Jobs that take no time: what Jobmon itself costs."""

import statistics

from benchmarks import records
from benchmarks.client import Request
from benchmarks.runs import Run, cpu_ms_per_job, run
from benchmarks.scratch import scratch
from benchmarks.setting import Setting


def flat(setting: Setting) -> None:
    """Independent jobs from bind to DONE, through client, server and manager; every row is counted afterwards."""
    n = 2_000 if setting.quick else 100_000
    runs: list[Run] = []
    for _ in range(setting.repeats):
        with scratch(setting.parent) as where:
            runs.append(run(where, Request("flat", n, "simulated", str(where.path))))
            rows = records.check_dummy(where.database, n)
    setting.results.take(
        "dummy jobs",
        "jobs/s",
        n,
        [n / r.timings.run_s for r in runs],
        target="10,000 or more" if n == 100_000 else "",
        run_s=[r.timings.run_s for r in runs],
        without_starting_client_and_server=[n / r.spans.bind_to_done_s for r in runs],
        from_the_first_claim=[n / r.spans.claim_to_done_s for r in runs],
        build_s=[r.timings.build_s for r in runs],
        history_rows_per_job=dict(rows),
        cpu_ms_per_job=cpu_ms_per_job(runs, n),
    )
    setting.results.take(
        "memory with dummy jobs",
        "MB",
        n,
        [r.peak_mb["sum"] for r in runs],
        target="below 400" if n == 100_000 else "",
        by_process={role: [r.peak_mb.get(role, 0.0) for r in runs] for role in ("server", "manager", "client")},
    )


def chain(setting: Setting) -> None:
    """Each job after the one before: what a dependency costs."""
    n = 30 if setting.quick else 200
    medians, p95s, worst, runs = [], [], [], []
    for _ in range(setting.repeats):
        with scratch(setting.parent) as where:
            runs.append(run(where, Request("chain", n, "simulated", str(where.path))))
            records.check_dummy(where.database, n)
            hops = sorted(records.hops_ms(where.database))
        medians.append(statistics.median(hops))
        p95s.append(hops[int(0.95 * len(hops))])
        worst.append(hops[-1])
    setting.results.take(
        "hop of a chain",
        "ms",
        n,
        medians,
        target="below 10",
        p95=p95s,
        longest=worst,
        cpu_ms_per_job=cpu_ms_per_job(runs, n),
    )
