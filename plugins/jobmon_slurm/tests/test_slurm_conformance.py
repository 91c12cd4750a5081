"""The executor contract, on fake commands; tests/clusters holds it on a real Slurm."""

import sys
from pathlib import Path

from jobmon_slurm import Slurm

from jobmon.testing import ExecutorConformance

sys.path.insert(0, str(Path(__file__).parent))
from slurm_table import SlurmTable


class TestSlurm(ExecutorConformance):
    """The contract's sentences."""

    executor_type = Slurm
    claims = "silver"
    platform_type = SlurmTable
    complete = True
    resources = {"cores": 1, "memory": "1G", "runtime": "1h", "gpus": 1}  # noqa: RUF012
    own_resources = {  # noqa: RUF012
        "partition": "long",
        "account": "malaria",
        "qos": "high",
        "constraint": "haswell",
        "reservation": "course",
        "gpu_type": "a100",
        "whole_nodes": True,
        "hold": True,
        "options": ["--nice=7"],
    }
    tells_usage = True
    tells_pending_reasons = True
    many = 1500
    lives = 4
    shrinks = False
