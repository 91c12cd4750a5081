"""The schedulers of this host, as peers: raw arrays, and their commands counted by wrappers on PATH."""

import re
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import attrs

from benchmarks.scratch import Scratch

_LOOK_EVERY_S = 0.25
_WINDOW_S = 60.0
_WRAPPER = '#!/bin/bash\necho "{name} $EPOCHREALTIME" >> "{calls}"\nexec "{real}" "$@"\n'


@attrs.frozen
class Cluster:
    """A scheduler: how an array is submitted and looked for by hand, and how Jobmon is configured for it."""

    name: str
    script: str  #: that starts it for tests
    settings: str  #: of the executor `cluster`
    submits: str
    queries: tuple[str, ...]
    array: str  #: the words that submit a script on standard input, and print its id; with {n} and {output}
    listing: str  #: the words that print a line for each live job, or member of an array, its id first

    def missing(self) -> str | None:
        """Why it cannot be measured here; None when it can."""
        if shutil.which(self.submits) is None:
            return f"there is no {self.submits} here"
        listing = subprocess.run(self.listing.split(), capture_output=True, text=True, check=False)
        if listing.returncode:
            return f"its daemons do not answer ({self.script} start)"
        if re.search(r"^\s*\d", listing.stdout, re.MULTILINE):
            return "it has other jobs, which would be measured, too"
        return None

    def array_s(self, parent: Path, n: int, command: str) -> float:
        """Seconds from the submission of an array of `n` times `command` until none of it is listed.

        Raises:
            RuntimeError: not all of them ran: something else has cancelled some.
        """
        output = parent / f"array-of-{self.name}"
        began = time.perf_counter()
        said = subprocess.run(
            self.array.format(n=n, output=output).split(),
            input=f"#!/bin/sh\necho began\nexec {command}\n",
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        number = re.findall(r"\d+", said)[0]
        pause = threading.Event()
        while self._lists(number):
            pause.wait(_LOOK_EVERY_S)
        elapsed_s = time.perf_counter() - began
        began_n = output.read_text().count("began") if output.exists() else 0
        output.unlink(missing_ok=True)
        if began_n != n:
            raise RuntimeError(f"{began_n} of the {n} jobs of an array on {self.name} ran: do others work on it?")
        return elapsed_s

    def _lists(self, number: str) -> bool:
        done = subprocess.run(self.listing.split(), capture_output=True, text=True, check=True)
        return re.search(rf"^\s*{number}\b", done.stdout, re.MULTILINE) is not None

    def settle_in(self, where: Scratch) -> None:
        """Configure the executor `cluster`, and put wrappers that count before the scheduler's commands."""
        with (where.path / "jobmon.toml").open("a") as file:
            file.write(f'\n[executors.cluster]\n{self.settings}\n[server]\nhost = "127.0.0.1"\n')
        where.commands.mkdir()
        for name in (self.submits, *self.queries):
            wrapper = where.commands / name
            wrapper.write_text(_WRAPPER.format(name=name, calls=_calls_file(where), real=shutil.which(name)))
            wrapper.chmod(0o700)

    def calls(self, where: Scratch) -> Mapping[str, int]:
        """How often each command was called; and `most queries in a minute`, whichever minute that was."""
        lines = [line.split() for line in _calls_file(where).read_text().splitlines()]
        counted: dict[str, int] = dict(Counter(name for name, _ in lines))
        instants = sorted(float(at) for name, at in lines if name != self.submits)
        most = max((sum(first <= at < first + _WINDOW_S for at in instants) for first in instants), default=0)
        return counted | {"most queries in a minute": most}


GRIDENGINE = Cluster(
    name="gridengine",
    script="tests/clusters/gridengine.sh",
    settings='type = "uge"\nsge_root = "/var/lib/gridengine"',
    submits="qsub",
    queries=("qstat", "qacct", "qdel", "qconf"),
    array="qsub -terse -N raw -S /bin/sh -r n -m n -wd / -j y -o {output} -t 1-{n}",
    listing="qstat -u *",
)
SLURM = Cluster(
    name="slurm",
    script="tests/clusters/slurm.sh",
    settings='type = "slurm"',
    submits="sbatch",
    queries=("squeue", "sacct", "scancel", "scontrol", "sinfo"),
    array="sbatch --parsable --job-name=raw --nodes=1 --ntasks=1 --cpus-per-task=1 --no-requeue --chdir=/"
    " --open-mode=append --output={output} --array=1-{n}",
    listing="squeue -h -o %F",
)


def _calls_file(where: Scratch) -> Path:
    return where.path / "calls"
