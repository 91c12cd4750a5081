"""The real Grid Engine of this host, as tests/clusters/gridengine.sh runs it: its daemons and what it says."""

import os
import re
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "gridengine.sh"
ROOT = Path("/var/lib/gridengine")
ACCOUNTING = ROOT / "default" / "common" / "accounting"
SPOOL = Path("/var/spool/gridengine/execd")


def daemon(*verb: str) -> None:
    """`daemon("kill", "qmaster")`, `daemon("start")`: a verb of gridengine.sh."""
    done = subprocess.run(["bash", str(SCRIPT), *verb], capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, f"gridengine.sh {' '.join(verb)}: {done.stderr or done.stdout}"


def process_of_daemon(name: str) -> int:
    """The process of `qmaster` or `execd`."""
    run = os.environ.get("JOBMON_TEST_GRIDENGINE", "/run/jobmon-test-gridengine")
    return int((Path(run) / f"{name}.process").read_text().split()[0])


def said(*argv: str, statuses: tuple[int, ...] = (0,)) -> str:
    """What a command of Grid Engine's prints."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in statuses, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout


def live_jobs() -> dict[str, tuple[str, str]]:
    """Name and state by number of all jobs that are listed."""
    rows = re.findall(
        r"<JB_job_number>(\d+)</JB_job_number>.*?<JB_name>(.*?)</JB_name>.*?<state>(.*?)</state>",
        said("qstat", "-xml", "-u", "*"),
        re.DOTALL,
    )
    return {number: (name, state) for number, name, state in rows}


def accounted() -> dict[str, str]:
    """Name by number of all jobs that the accounting has."""
    lines = ACCOUNTING.read_text().splitlines() if ACCOUNTING.exists() else []
    return {part[5]: part[4] for line in lines if len(part := line.split(":")) > 5}


def all_jobs() -> dict[str, str]:
    """Name by number of all jobs that are listed or accounted for; between the two a job is neither for a moment."""
    live = {number: name for number, (name, _) in live_jobs().items()}
    return live | accounted()


def end_jobs(numbers: set[str]) -> None:
    """End those of the jobs that are live."""
    live = sorted(numbers & set(live_jobs()))
    if live:
        said("qdel", *live, statuses=(0, 1))


def process_of(number: str) -> int:
    """The process of a running job's script: execd's spool says it."""
    (path,) = SPOOL.glob(f"*/active_jobs/{number}.*/job_pid")
    return int(path.read_text())


def wrap(folder: Path, program: str, script: str) -> None:
    """Put a script before a command of Grid Engine's on PATH; `$REAL` is the command itself."""
    folder.mkdir(exist_ok=True)
    path = folder / program
    path.write_text(f"#!/bin/sh\nREAL=/usr/bin/{program}\n{script}\n")
    path.chmod(0o755)


def is_root() -> bool:
    """Whether the daemons can be started at all."""
    return os.geteuid() == 0
