"""The base class for batch systems carries a real one: an executor for Slurm as a site might write it, in 80 lines.

It knows little of what this distribution's executor knows: limits of partitions, options, what waits mean, cut arrays.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from jobmon.plugins import (
    ArrayRequest,
    BatchExecutor,
    Completed,
    Exited,
    Pending,
    Reason,
    Row,
    Running,
    State,
    SubmitRequest,
)
from jobmon.testing import ExecutorConformance

sys.path.insert(0, str(Path(__file__).parent))
from slurm_table import SlurmTable

SEP = "\x1f"


class SmallSlurm(BatchExecutor):
    """Jobs and arrays on Slurm."""

    name = "smallslurm"
    api_version = (1, 0)
    states: ClassVar[Mapping[str, State]] = MappingProxyType(
        {
            "PENDING": Pending(),
            "RUNNING": Running(),
            "COMPLETED": Exited(0),
            "FAILED": Exited(reason=Reason.EXIT_NONZERO),
            "KILLED": Exited(reason=Reason.SIGNALLED),
            "CANCELLED": Exited(reason=Reason.CANCELLED),
            f"CANCELLED by {os.getuid()}": Exited(reason=Reason.CANCELLED_BY_USER),
            "NODE_FAIL": Exited(reason=Reason.NODE_FAILURE),
            "OUT_OF_MEMORY": Exited(reason=Reason.OUT_OF_MEMORY),
            "PREEMPTED": Exited(reason=Reason.PREEMPTED),
            "TIMEOUT": Exited(reason=Reason.TIMEOUT),
        }
    )
    refusals = "invalid|violates|not available"
    not_now = "Unable to contact slurm controller"
    too_large = "Invalid job array specification|array is too large"
    exit_map = MappingProxyType(dict.fromkeys(range(128, 256), 1))  # Slurm takes 128 off these
    accounting_late_s = 0.01

    def submit_argv(self, request: SubmitRequest) -> Sequence[str]:
        return ["sbatch", *self._options(request.job_name), "/dev/stdin", *request.worker_argv]

    def submit_array_argv(self, array: ArrayRequest) -> Sequence[str]:
        many = f"--array=1-{len(array.members)}"
        return ["sbatch", *self._options(array.job_name), many, "/dev/stdin", *array.worker_argv]

    def _options(self, job_name: str) -> list[str]:
        return ["--parsable", "--no-requeue", "--export=ALL", f"--job-name={job_name}"]

    def submit_stdin(self, request: SubmitRequest | ArrayRequest) -> str:
        index = ' "$SLURM_ARRAY_TASK_ID"' if isinstance(request, ArrayRequest) else ""
        return f'#!/bin/sh\nexec "$@"{index}\n'

    def parse_submission(self, done: Completed) -> str:
        return done.stdout.strip().partition(";")[0]

    def array_limit(self) -> int:
        return 1000

    def member_id(self, array_id: str, index: int) -> str:
        return f"{array_id}_{index}"

    def list_argv(self) -> Sequence[str]:
        return ["squeue", "--noheader", "--me", "--array", f"--format=%i{SEP}%T{SEP}%r{SEP}%j"]

    def parse_list(self, text: str) -> Iterable[Row]:
        for line in text.splitlines():
            job_id, state, why, name = line.split(SEP)
            if isinstance(self.states.get(state), Pending | Running):  # accounting tells how the others ended
                yield self._row(job_id, name, state, detail=why)

    def accounting_argv(self, since: datetime, names: Sequence[str]) -> Sequence[str]:
        start = f"{since.astimezone() - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
        columns = "--format=JobID,State,ExitCode,DerivedExitCode,ElapsedRaw,TotalCPU,MaxRSS,JobName"
        return ["sacct", "-nP", f"--delimiter={SEP}", columns, f"--starttime={start}", f"--name={','.join(names)}"]

    def parse_accounting(self, text: str) -> Iterable[Row]:
        for line in text.splitlines():
            job_id, words, code, _, elapsed_s, _, _, name = line.split(SEP)
            if "." in job_id:
                continue  # a step
            status, signal = map(int, code.split(":"))
            state = "KILLED" if signal and words == "FAILED" else words
            state = state if state in self.states else state.split()[0]  # CANCELLED by 1001
            yield self._row(job_id, name, state, status=status, usage={"wall_s": float(elapsed_s)}, detail=words)

    def _row(self, job_id: str, name: str, state: str, **more: Any) -> Row:
        number, _, index = job_id.partition("_")
        return Row(number, name, state, (int(index),) if index else (), **more)

    def cancel_argv(self, ids: Sequence[str]) -> Sequence[str]:
        return ["scancel", *ids]


class TestSmallSlurm(ExecutorConformance):
    """The contract's sentences."""

    executor_type = SmallSlurm
    platform_type = SlurmTable
    tells_usage = True
    tells_pending_reasons = True
    many = 50
    lives = 2
    shrinks = False
