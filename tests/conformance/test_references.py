"""The executors that the kit's own tests start from keep the contract."""

from reference import MemoryConformance


class TestMemory(MemoryConformance):
    """A right executor, in memory."""
