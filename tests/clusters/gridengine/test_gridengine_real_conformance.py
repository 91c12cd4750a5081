"""The executor contract on the real Grid Engine."""

from jobmon_uge import GridEngine, Settings
from real_gridengine import RealGridEngine

from jobmon.testing import ExecutorConformance


class TestRealGridEngine(ExecutorConformance):
    """The contract's sentences."""

    executor_type = GridEngine
    real_platform = True
    settings = Settings(sge_root="/var/lib/gridengine", accounting_wait=3.0)
    platform_type = RealGridEngine
    resources = {"cores": 1, "memory": "64M", "runtime": "10m"}  # noqa: RUF012
    tells_usage = True
    patience_s = 120.0
    call_timeout_s = 100.0
    lives = 2
    shrinks = False
