"""Fit and project the life expectancy of 142 countries, check, draw, and upload the results one at a time.

    python life_expectancy.py [--out FOLDER] [--resume] [--replicates N] [--in-process]

The fits, the check and the chart run on the executor `compute`, the uploads on `uploads`: see jobmon.toml.
"""

import argparse
import csv
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import models

from jobmon import BashTask, JobmonError, PythonTask, Workflow, WorkflowResult

HERE = Path(__file__).resolve().parent


def build(run: str, out: Path, replicates: int) -> Workflow:
    """The workflow: a fit per country, then check and chart, then an upload per continent."""
    data = str(HERE / "data" / "gapminder.csv")
    table, png, database = str(out / "table.csv"), str(out / "life_expectancy.png"), str(out / "results.sqlite")

    fits = [
        PythonTask(
            models.fit,
            kwargs={"country": country, "data": data, "replicates": replicates},
            name=f"fit-{country}",
            tags=["fit"],
            resources={"cores": 1, "memory": "512M", "runtime": "5m"},
            max_attempts=3,
        )
        for country in models.read_table(data)
    ]
    outputs = [fit.output for fit in fits]
    check = PythonTask(models.check, args=[outputs, table], name="check", max_attempts=3)
    chart = PythonTask(models.chart, args=[outputs, png], upstream_tasks=[check], name="chart", max_attempts=3)
    uploads = [
        BashTask(
            [sys.executable, str(HERE / "upload.py"), table, database, continent],
            name=f"upload-{continent}",
            upstream_tasks=[check],
            executor="uploads",
            max_attempts=3,
        )
        for continent in models.CONTINENTS
    ]
    workflow = Workflow("life_expectancy", workflow_args=run)
    workflow.add_tasks([*fits, check, chart, *uploads])
    return workflow


def name_the_run(out: Path, resume: bool) -> str:
    """What tells this run from others: made anew and kept in the output folder, or read there to go on with it."""
    kept = out / "run"
    if resume:
        if not kept.exists():
            sys.exit(f"nothing to resume: {kept} is not there; start without --resume")
        return kept.read_text(encoding="utf-8")
    for old in ("table.csv", "life_expectancy.png", "results.sqlite", "results.csv"):
        (out / old).unlink(missing_ok=True)
    run = datetime.now(UTC).isoformat(timespec="microseconds")
    kept.write_text(run, encoding="utf-8")
    return run


def read_results(out: Path) -> list[tuple[str, str, float, float, float, float, float, float]]:
    """What the results database holds, by country; also written to results.csv."""
    connection = sqlite3.connect(out / "results.sqlite")
    rows = connection.execute("SELECT * FROM life_expectancy ORDER BY country").fetchall()
    connection.close()
    with (out / "results.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([models.COLUMNS, *rows])
    return rows


def print_results(out: Path) -> None:
    """The table, shortened to the countries at both ends."""
    rows = sorted(read_results(out), key=lambda row: (-row[5], row[0]))
    print(f"\n{len(rows)} countries by projected life expectancy in 2027 (90 % interval)\n")
    print(f"{'':4} {'country':<26} {'continent':<10} {'2007':>6} {'per decade':>11} {'2027':>6}  interval")
    for place, row in enumerate(rows, 1):
        if place <= 8 or place > len(rows) - 8:
            country, continent, observed, gain, _, projected, low, high = row
            numbers = f"{observed:6.1f} {gain:+11.2f} {projected:6.1f}  {low:.1f} to {high:.1f}"
            print(f"{place:4} {country:<26} {continent:<10} {numbers}")
        elif place == 9:
            print(f"{'':4} …")
    print(f"\ntable  {out / 'results.csv'}\nchart  {out / 'life_expectancy.png'}")


def print_summary(result: WorkflowResult) -> None:
    """How the run went, by executor."""
    run = f"workflow {result.workflow_id}, run {result.run_number}"
    print(f"\n{result.name} ({run}): {result.state}, {result.elapsed_s:.1f} s")
    for executor, counts in result.counts.items():
        print(f"  {executor:<10} " + "  ".join(f"{number} {state}" for state, number in counts.items()))


def main() -> None:
    """Run the workflow and show what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder of the results")
    parser.add_argument("--resume", action="store_true", help="go on with the last run of this output folder")
    parser.add_argument("--replicates", type=int, default=1500, help="bootstrap replicates per country (default: 1500)")
    parser.add_argument("--in-process", action="store_true", help="run the manager in this process, for debugging")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)

    workflow = build(name_the_run(out, arguments.resume), out, arguments.replicates)
    result = workflow.run(resume=arguments.resume, manager="in-process" if arguments.in_process else "process")
    if result.ok:
        print_results(out)
    print_summary(result)
    result.raise_for_failures()


if __name__ == "__main__":
    try:
        main()
    except JobmonError as error:
        sys.exit(str(error))
