"""The one place where Slurm's commands are run."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from jobmon.plugins import Completed, SchedulerUnavailable, user_name
from jobmon_slurm import limits, listing
from jobmon_slurm.listing import Row
from jobmon_slurm.settings import Settings

Run = Callable[..., Completed]
#: What sacct says where a cluster keeps no accounting at all.
_NO_ACCOUNTING = re.compile(r"accounting storage is disabled|accounting_storage/none", re.IGNORECASE)
_CHUNK = 500


class Commands:
    """sbatch, squeue, sacct, scancel, scontrol and sinfo, in an environment made for them.

    Variables such as SQUEUE_PARTITION or SBATCH_ARRAY_INX, which change what they do, are not in it.
    """

    def __init__(self, settings: Settings, run: Run) -> None:
        self._settings, self._run = settings, run
        self._user = user_name()

    def sbatch(self, argv: Sequence[str], script: str) -> Completed:
        """Submit; the answer, whatever it is."""
        return self._do("sbatch", argv, self._settings.submit_timeout_s, script)

    def queue(self) -> list[Row]:
        """The user's jobs: those that live and those that ended a short while ago.

        Raises:
            SchedulerUnavailable: Slurm gave no complete answer.
        """
        return list(listing.queue_rows(self._query("squeue", listing.queue_argv(self._user))))

    def accounting(self, since: datetime, *, ids: Sequence[str] = (), names: Sequence[str] = ()) -> list[Row] | None:
        """What accounting has of these jobs; None, where there is no accounting, or no sacct.

        Raises:
            SchedulerUnavailable: it gave no complete answer.
        """
        rows: list[Row] = []
        for some_ids, some_names in _chunks(ids, names):
            argv = listing.accounting_argv(self._user, since, ids=some_ids, names=some_names)
            try:
                done = self._do("sacct", self._on_cluster(argv), self._settings.accounting_timeout_s)
            except SchedulerUnavailable as error:
                if isinstance(error.__cause__, FileNotFoundError):
                    return None
                raise
            if not done.ok and _NO_ACCOUNTING.search(done.stderr):
                return None
            rows.extend(listing.accounting_rows(done.check().stdout))
        return rows

    def scancel(self, ids: Sequence[str]) -> None:
        """Ask for ends. That some have ended meanwhile is no trouble.

        Raises:
            SchedulerUnavailable: the controller was not reached.
        """
        done = self._do("scancel", self._on_cluster(ids), self._settings.query_timeout_s)
        if done.timed_out or re.search(r"contact|authentication|timed out|Munge", done.stderr):
            done.check()

    def config(self) -> str:
        """Slurm's configuration, as text.

        Raises:
            SchedulerUnavailable: Slurm gave no complete answer.
        """
        return self._query("scontrol", ["show", "config"])

    def limits(self) -> dict[str, limits.Limits]:
        """What each partition allows, by its name.

        Raises:
            SchedulerUnavailable: Slurm gave no complete answer.
        """
        found = limits.partitions(self._query("scontrol", ["--oneliner", "show", "partition"]))
        return limits.with_nodes(found, self._query("sinfo", ["--noheader", "--all", "--format=%R|%c|%m"]))

    def _query(self, name: str, argv: Sequence[str]) -> str:
        return self._do(name, self._on_cluster(argv), self._settings.query_timeout_s).check().stdout

    def _on_cluster(self, argv: Sequence[str]) -> list[str]:
        return [*([f"--clusters={self._settings.cluster}"] if self._settings.cluster else []), *argv]

    def _do(self, name: str, argv: Sequence[str], timeout_s: float, stdin: str = "") -> Completed:
        program = name if self._settings.bin is None else f"{self._settings.bin}/{name}"
        kept = {name: os.environ[name] for name in self._settings.environment if name in os.environ}
        environment = kept if name == "sbatch" else kept | listing.WHOLE_EXPRESSIONS
        return self._run([program, *argv], timeout_s=timeout_s, stdin=stdin, environment=environment)


def _chunks(ids: Sequence[str], names: Sequence[str]) -> list[tuple[Sequence[str], Sequence[str]]]:
    by_ids: list[tuple[Sequence[str], Sequence[str]]] = [(ids[i : i + _CHUNK], ()) for i in range(0, len(ids), _CHUNK)]
    return by_ids + [((), names[i : i + _CHUNK]) for i in range(0, len(names), _CHUNK)]
