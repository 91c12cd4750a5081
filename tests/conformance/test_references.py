"""The executors that the kit's own tests start from keep the contract."""

from labbatch import BatchPlatform, LabBatch
from payloads import PayloadsConformance
from reference import MemoryConformance

from jobmon.testing import ExecutorConformance


class TestMemory(MemoryConformance):
    """A right executor, in memory."""

    complete = True


class TestLabBatch(ExecutorConformance):
    """A right executor on fake commands."""

    executor_type = LabBatch
    platform_type = BatchPlatform
    complete = True
    tells_usage = True
    tells_pending_reasons = True
    many = 200
    lives = 3
    shrinks = False


class TestPayloads(PayloadsConformance):
    """A right executor that runs payloads itself; its platform object is a small one, so not all is exercised."""
