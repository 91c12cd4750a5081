"""A user of both clusters."""

import subprocess
from collections.abc import Mapping

import attrs
from gridengine_daemons import end_jobs
from users import User

#: By type, the settings of an executor on this host.
SETTINGS = {
    "uge": 'sge_root = "/var/lib/gridengine"\naccounting_wait = "3s"',
    "slurm": "",
    "multiprocess": "workers = 2",
    "sequential": "",
}
#: How long a script may take; other tests may be at work on the same clusters.
PATIENCE_S = 240.0


def configuration(types: Mapping[str, str], default: str | None = None) -> str:
    """A jobmon.toml with executors of these types, by name, on this host."""
    tables = [f'[executors.{name}]\ntype = "{kind}"\n{SETTINGS[kind]}\n' for name, kind in types.items()]
    tables += [f"[executors.{name}.host]\npoll_max_s = 2\n" for name in types]
    if default:
        tables.insert(0, f'[workflow]\nexecutor = "{default}"\n')
    return "\n".join([*tables, '[server]\nhost = "127.0.0.1"\n'])


@attrs.frozen
class Attempt:
    """An attempt, as it is recorded."""

    name: str
    executor: str
    state: str
    executor_job_id: str


class BothUser(User):
    """A user with jobs on Grid Engine and on Slurm."""

    def configure(self, types: Mapping[str, str], default: str | None = None) -> None:
        """Write jobmon.toml anew."""
        self.write("jobmon.toml", configuration(types, default))

    def attempts(self) -> list[Attempt]:
        """All attempts so far."""
        sql = """SELECT s.name, i.executor, i.state, coalesce(i.executor_job_id, '') FROM job_instance i
                 JOIN job_spec s ON s.job_id = i.job_id ORDER BY i.id"""
        return [Attempt(*row) for row in self.recorded.rows(sql)]

    def leave(self) -> dict[int, str]:
        live = {
            one.executor_job_id for one in self.attempts() if one.state in ("SUBMITTED_TO_BATCH_EXECUTOR", "RUNNING")
        }
        # Grid Engine's ids of an array's tasks are `12.3`, Slurm's `12_3`; both give an id alone to a single job.
        if live:
            end_jobs({number.split(".")[0] for number in live if "_" not in number})
            subprocess.run(["scancel", *sorted(live)], capture_output=True, timeout=60, check=False)
        return super().leave()
