"""The real Slurm of this host, as tests/clusters/slurm.sh runs it: its daemons and what it says."""

import os
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "slurm.sh"
NODE = "node1"


def daemon(*verb: str) -> None:
    """`daemon("kill", "slurmctld")`, `daemon("start")`: a verb of slurm.sh."""
    done = subprocess.run(["bash", str(SCRIPT), *verb], capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, f"slurm.sh {' '.join(verb)}: {done.stderr or done.stdout}"


def said(*argv: str) -> str:
    """What a command of Slurm's prints."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout


def next_job() -> int:
    """The number that the next job gets."""
    return int(said("scontrol", "show", "config").split("NEXT_JOB_ID")[1].split()[1])


def jobs_since(first: int, *, live: bool = False) -> dict[int, str]:
    """Names by number of the jobs from `first` on, those that ended a short while ago among them."""
    states = [] if live else ["--states=all"]
    rows = [line.split(" ", 1) for line in said("squeue", "-h", "-a", *states, "-o", "%F %j").splitlines()]
    return {int(number): name for number, name in rows if int(number) >= first}


def end_jobs_since(first: int) -> None:
    """End all live jobs from `first` on."""
    live = sorted(jobs_since(first, live=True))
    if live:
        subprocess.run(["scancel", *map(str, live)], capture_output=True, timeout=60, check=False)


def fail_node() -> None:
    """What runs on the node is lost to Slurm, with the state NODE_FAIL."""
    said("scontrol", "update", f"NodeName={NODE}", "State=DOWN", "Reason=test")
    resume = ["scontrol", "update", f"NodeName={NODE}", "State=RESUME"]
    done = subprocess.run(resume, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:  # on a machine under load it may have registered again by itself before
        state = said("sinfo", "-h", "-N", "-n", NODE, "-o", "%t")
        assert "down" not in state, f"{done.stderr.strip()}: the node is {state.strip()}"


def reopen_node() -> None:
    """Do as an administrator: a controller that was killed closes the node when it finds a job id used twice there."""
    if "dr" in said("sinfo", "-h", "-N", "-n", NODE, "-o", "%t"):
        said("scontrol", "update", f"NodeName={NODE}", "State=RESUME")


def wrap(folder: Path, program: str, script: str) -> None:
    """Put a script before a command of Slurm's on PATH; `$REAL` is the command itself."""
    folder.mkdir(exist_ok=True)
    path = folder / program
    path.write_text(f"#!/bin/sh\nREAL=/usr/bin/{program}\n{script}\n")
    path.chmod(0o755)


def is_root() -> bool:
    """Whether the daemons can be started at all."""
    return os.geteuid() == 0
