"""What the conformance kit does to a real Slurm."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from slurm_daemons import daemon, end_jobs_since, fail_node, jobs_since, next_job, said, wrap

from jobmon.plugins import Completed, Executor, Reason
from jobmon.testing import LocalPlatform, does_not_apply

if TYPE_CHECKING:
    from jobmon.testing import World

#: Runs the real sbatch; then, once for each file `lose`, its answer does not come.
_SBATCH = """\
if [ -e "{folder}/lose" ]; then rm "{folder}/lose"; "$REAL" "$@" > /dev/null; exec sleep 60; fi
exec "$REAL" "$@"
"""
#: Half of the answer and a complaint, once for the file `half`; without the jobs in `forgotten`.
_LISTING = """\
"$REAL" "$@" > "{folder}/said.$$" || {{ status=$?; rm -f "{folder}/said.$$"; exit $status; }}
touch "{folder}/forgotten"
grep -vwFf "{folder}/forgotten" "{folder}/said.$$" > "{folder}/kept.$$"
rm "{folder}/said.$$"
if [ -e "{folder}/half" ]; then
    rm "{folder}/half"; head -c 20 "{folder}/kept.$$"; rm "{folder}/kept.$$"; echo "error: connection reset" >&2; exit 1
fi
cat "{folder}/kept.$$"; rm "{folder}/kept.$$"
"""
_EATS_MEMORY = """\
import os, sys
with open(sys.argv[1] + "/cgroup.procs", "w") as file:
    file.write(str(os.getpid()))
eaten = []
while True:
    eaten.append(bytearray(16 << 20))
"""


class RealSlurm(LocalPlatform):
    """Stand-ins run as jobs of the real Slurm on this host."""

    reasons: ClassVar[tuple[Reason, ...]] = (
        Reason.EXIT_NONZERO,
        Reason.SIGNALLED,
        Reason.OUT_OF_MEMORY,
        Reason.NODE_FAILURE,
        Reason.CANCELLED_BY_USER,
    )

    def attach(self, world: "World") -> None:
        super().attach(world)
        self._first = next_job()
        self._strangers: list[str] = []
        self._down = False
        self._folder = world.folder / "commands"
        wrap(self._folder, "sbatch", _SBATCH.format(folder=self._folder))
        for program in ("squeue", "sacct"):
            wrap(self._folder, program, _LISTING.format(folder=self._folder))
        self._path = os.environ["PATH"]
        os.environ["PATH"] = f"{self._folder}:{self._path}"

    def adopt(self, executor: Executor) -> None:
        def run(argv: Sequence[str], *, timeout_s: float = 30.0, **given: Any) -> Completed:
            loses = argv[0] == "sbatch" and (self._folder / "lose").exists()
            return type(executor).run(executor, argv, timeout_s=3.0 if loses else timeout_s, **given)

        executor.run = run  # type: ignore[method-assign]

    def close(self) -> None:
        os.environ["PATH"] = self._path
        self.up()
        said("scontrol", "update", "PartitionName=debug", "Default=YES")
        end_jobs_since(self._first)

    # The life of a job.

    def end(self, executor_job_id: str, reason: Reason) -> None:
        if reason is Reason.EXIT_NONZERO:
            self.finish(executor_job_id, 3)
        elif reason is Reason.SIGNALLED:
            self.kill(executor_job_id)
        elif reason is Reason.OUT_OF_MEMORY:
            self._eat_memory(executor_job_id)
        elif reason is Reason.CANCELLED_BY_USER:
            self._process(executor_job_id)  # it runs
            said("scancel", executor_job_id)
        else:
            self._process(executor_job_id)
            fail_node()

    def _eat_memory(self, executor_job_id: str) -> None:
        """Have the kernel kill something in the job's control group; then the job ends as it does after that."""
        own = Path(f"/proc/{self._process(executor_job_id)}/cgroup").read_text()
        group = next(line.split(":")[2] for line in own.splitlines() if line.split(":")[1] == "memory")
        argv = [sys.executable, "-c", _EATS_MEMORY, f"/sys/fs/cgroup/memory{group}"]
        assert subprocess.run(argv, check=False).returncode == -signal.SIGKILL
        self.finish(executor_job_id, 1)

    def refuse(self) -> None:
        said("scontrol", "update", "PartitionName=debug", "Default=NO")  # and the test names none

    def cancel_slowly(self) -> None:
        does_not_apply("Slurm calls CANCELLED whatever it was told to cancel, however it ended")

    # Faults.

    def down(self) -> None:
        daemon("end", "slurmctld")  # with its state saved: its death is tests/clusters/slurm/test_slurm_crashes.py
        self._down = True

    def up(self) -> None:
        if self._down:
            daemon("start")
            self._down = False

    def accept_then_time_out(self) -> None:
        (self._folder / "lose").touch()

    def half_answer(self) -> None:
        (self._folder / "half").touch()

    def forget(self, executor_job_id: str) -> None:
        # Slurm forgets nothing on request: the job is ended, and its rows are taken out of what Slurm says.
        said("scancel", executor_job_id)
        with (self._folder / "forgotten").open("a") as file:
            file.write(f"{executor_job_id}\n")

    def recycle(self, executor_job_id: str) -> str:
        # A job of another name under this id; the crash after which Slurm gives ids out again is another test.
        said("scontrol", "update", f"JobId={executor_job_id}", "JobName=somebody-elses-job")
        self._strangers.append(executor_job_id)
        return executor_job_id

    def untouched(self) -> bool:
        states = [said("squeue", "-h", "-a", "--states=all", "-j", one, "-o", "%T").strip() for one in self._strangers]
        return all(state in ("PENDING", "RUNNING") for state in states)

    def restart_host(self) -> None:
        for executor_job_id in self.world.ids():
            self._process(executor_job_id)  # it runs
        fail_node()

    # What the platform has.

    def job_names(self) -> list[str]:
        return [name for name in jobs_since(self._first).values() if name != "probe"]  # slurm.sh's own

    def arguments(self, executor_job_id: str) -> list[str]:
        number, _, index = executor_job_id.partition("_")
        if not index:
            return super().arguments(executor_job_id)
        token, stand_ins = jobs_since(self._first)[int(number)][:27], self.world.stand_ins
        self.world.until(lambda: stand_ins.array_arguments(token, int(index)) is not None, "its worker starts")
        return [*stand_ins.argv(token)[:1], *(stand_ins.array_arguments(token, int(index)) or [])]
