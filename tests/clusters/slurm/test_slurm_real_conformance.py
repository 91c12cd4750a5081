"""The executor contract on the real Slurm."""

from jobmon_slurm import Settings, Slurm
from real_slurm import RealSlurm

from jobmon.testing import ExecutorConformance


class TestRealSlurm(ExecutorConformance):
    """The contract's sentences. `cancel_slowly` cannot be: see RealSlurm."""

    executor_type = Slurm
    real_platform = True
    settings = Settings(submit_timeout_s=40.0, query_timeout_s=40.0)
    platform_type = RealSlurm
    resources = {"cores": 1, "memory": "400M", "runtime": "10m"}  # noqa: RUF012
    tells_usage = True
    patience_s = 60.0
    call_timeout_s = 100.0
    lives = 2
    shrinks = False
