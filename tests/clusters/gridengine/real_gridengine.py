"""What the conformance kit does to a real Grid Engine."""

import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from gridengine_daemons import (
    ACCOUNTING,
    SPOOL,
    all_jobs,
    daemon,
    end_jobs,
    live_jobs,
    process_of,
    process_of_daemon,
    said,
    wrap,
)

from jobmon.plugins import Completed, Executor, Reason
from jobmon.testing import LocalPlatform

if TYPE_CHECKING:
    from jobmon.testing import World

#: Runs the real qsub and notes its answers; once for each file `lose` the answer does not come, while there is `refuse`
#: it names no queue.
_QSUB = """\
if [ -e "{folder}/lose" ]; then rm "{folder}/lose"; "$REAL" "$@" >> "{folder}/given"; exec sleep 60; fi
if [ -e "{folder}/refuse" ]; then exec "$REAL" "$@" -q nosuch.q; fi
answer=$("$REAL" "$@") || exit
echo "$answer" | tee -a "{folder}/given"
"""
#: Half of the answer and a complaint, once for the file `half`.
_QSTAT = """\
if [ ! -e "{folder}/half" ]; then exec "$REAL" "$@"; fi
rm "{folder}/half"; "$REAL" "$@" | head -c 400; echo "error: connection reset" >&2; exit 1
"""


class RealGridEngine(LocalPlatform):
    """Stand-ins run as jobs of the real Grid Engine on this host."""

    reasons: ClassVar[tuple[Reason, ...]] = (Reason.EXIT_NONZERO, Reason.SIGNALLED, Reason.NODE_FAILURE)

    def attach(self, world: "World") -> None:
        super().attach(world)
        self._strangers: list[str] = []
        self._down, self._held = False, 0
        self._folder = world.folder / "commands"
        wrap(self._folder, "qsub", _QSUB.format(folder=self._folder))
        wrap(self._folder, "qstat", _QSTAT.format(folder=self._folder))
        self._path = os.environ["PATH"]
        os.environ["PATH"] = f"{self._folder}:{self._path}"

    def adopt(self, executor: Executor) -> None:
        def run(argv: Sequence[str], *, timeout_s: float = 30.0, **given: Any) -> Completed:
            loses = "-terse" in argv and (self._folder / "lose").exists()
            return type(executor).run(executor, argv, timeout_s=3.0 if loses else timeout_s, **given)

        executor.run = run  # type: ignore[method-assign]

    def close(self) -> None:
        os.environ["PATH"] = self._path
        self.up()
        self._let_go()
        end_jobs(self._given())

    # The life of a job.

    def end(self, executor_job_id: str, reason: Reason) -> None:
        if reason is Reason.EXIT_NONZERO:
            self.finish(executor_job_id, 3)
        elif reason is Reason.SIGNALLED:
            self.kill(executor_job_id)
        else:
            self.restart_host()

    def refuse(self) -> None:
        (self._folder / "refuse").touch()

    def cancel_slowly(self) -> None:
        # qmaster notes deletions; the daemon that carries them out is held back until something has ended by itself.
        for one in self.world.ids():
            self._process(one)  # it runs
        self._held = process_of_daemon("execd")
        os.kill(self._held, signal.SIGSTOP)

    def finish(self, executor_job_id: str, status: int = 0) -> None:
        super().finish(executor_job_id, status)
        if self._held:
            worker = Path(f"/proc/{self._process(executor_job_id)}")
            self.world.until(lambda: not worker.exists(), "its worker has ended")
            self._let_go()

    def _let_go(self) -> None:
        if self._held:
            os.kill(self._held, signal.SIGCONT)
        self._held = 0

    # Faults.

    def down(self) -> None:
        daemon("kill", "qmaster")
        self._down = True

    def up(self) -> None:
        if self._down:
            daemon("start", "qmaster")
            self._down = False

    def accept_then_time_out(self) -> None:
        (self._folder / "lose").touch()

    def half_answer(self) -> None:
        (self._folder / "half").touch()

    def forget(self, executor_job_id: str) -> None:
        # A job that is deleted while it is pending leaves no trace; one that ran has its line taken away.
        number = executor_job_id.partition(".")[0]
        said("qdel", executor_job_id)
        self.world.until(lambda: number not in live_jobs(), "the job has left the queue")
        self.world.until(lambda: number in all_jobs(), "it is accounted for")
        lines = [line for line in ACCOUNTING.read_text().splitlines(keepends=True) if f":{number}:" not in line]
        ACCOUNTING.write_text("".join(lines))

    def recycle(self, executor_job_id: str) -> str:
        # A job of another name under this id; ids are counted on for long, and begin again at the end.
        said("qalter", "-N", "somebody-elses-job", executor_job_id)
        self._strangers.append(executor_job_id)
        return executor_job_id

    def untouched(self) -> bool:
        live = live_jobs()
        return all(live.get(one, ("", "d"))[1] in ("qw", "t", "r") for one in self._strangers)

    def kill(self, executor_job_id: str) -> None:
        self._process(executor_job_id)  # it runs
        os.kill(process_of(executor_job_id), signal.SIGKILL)

    def restart_host(self) -> None:
        ours = self._given()
        for one in set(self.world.ids()) & set(live_jobs()):
            self._process(one)  # it runs
        daemon("kill", "execd")
        for folder in [path for number in ours for path in SPOOL.glob(f"*/active_jobs/{number}.*")]:
            for name in ("pid", "job_pid"):  # the shepherd first: it would note how the job ended
                _kill_written(folder / name)
        daemon("start", "execd")

    # What the platform has.

    def job_names(self) -> list[str]:
        given = self._given()
        return [name for number, name in all_jobs().items() if number in given]

    def _given(self) -> set[str]:
        # What earlier tests left behind is between the queue and the accounting for a while: only qsub's answers tell.
        path = self._folder / "given"
        return set(re.findall(r"^\d+", path.read_text(), re.MULTILINE)) if path.exists() else set()

    def arguments(self, executor_job_id: str) -> list[str]:
        number, _, index = executor_job_id.partition(".")
        if not index:
            return super().arguments(executor_job_id)
        token, stand_ins = all_jobs()[number][:27], self.world.stand_ins
        self.world.until(lambda: stand_ins.array_arguments(token, int(index)) is not None, "its worker starts")
        return [*stand_ins.argv(token)[:1], *(stand_ins.array_arguments(token, int(index)) or [])]


def _kill_written(path: Path) -> None:
    try:
        os.kill(int(path.read_text()), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return  # it has just ended
