"""The command line of the benchmarks."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import bench_clusters, bench_dummy, bench_local, bench_resume, bench_startup, bench_strangers
from benchmarks.figure import Results
from benchmarks.peers import Peers
from benchmarks.scratch import all_scratch
from benchmarks.setting import Setting
from benchmarks.table import table

BENCHMARKS: dict[str, Callable[[Setting], None]] = {
    "dummy": bench_dummy.flat,
    "chain": bench_dummy.chain,
    "true": bench_local.true,
    "layers": bench_local.layers,
    "calls": bench_local.calls,
    "resume": bench_resume.resume,
    "command-line": bench_startup.command_line,
    "worker": bench_startup.worker,
    "build": bench_startup.build,
    "strangers": bench_strangers.strangers,
    "gridengine": bench_clusters.gridengine,
    "slurm": bench_clusters.slurm,
}


def main() -> None:
    """Measure, one line of JSON for each figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures Jobmon; see README.md here.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(BENCHMARKS)}")
    parser.add_argument(
        "--quick", action="store_true", help="small and once, to see that it works; no figures to quote"
    )
    parser.add_argument("--repeats", type=int, default=3, help="default: 3, with --quick 1")
    parser.add_argument("--out", type=Path, help="lines are appended to this file (default: out/benchmarks.jsonl)")
    parser.add_argument("--scratch", type=Path, help="databases are written below this folder (default: temporary)")
    parser.add_argument("--peers-venv", type=Path, help="an environment with parsl and huey")
    parser.add_argument("--table", type=Path, metavar="FILE", help="measure nothing: print FILE as Markdown")
    given = parser.parse_args()
    if given.table:
        print(table(given.table))
        return
    unknown = sorted(set(given.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    with all_scratch((given.scratch or Setting.default_parent()).absolute()) as parent:
        setting = _setting(given, parent)
        for name in given.names or BENCHMARKS:
            print(f"{name} ...", file=sys.stderr)
            setting.results.begin()
            BENCHMARKS[name](setting)


def _setting(given: argparse.Namespace, parent: Path) -> Setting:
    out = given.out or Path("out/benchmarks.jsonl")
    out.parent.mkdir(parents=True, exist_ok=True)
    venv = given.peers_venv.absolute() if given.peers_venv else None
    return Setting(Results(out, parent), Peers.find(venv), given.quick, 1 if given.quick else given.repeats, parent)


if __name__ == "__main__":
    main()
