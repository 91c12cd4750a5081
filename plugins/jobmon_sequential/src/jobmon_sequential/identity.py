"""The executor job id of a worker: its process, so named that a later process of the same number is another."""

from jobmon.plugins import ProcessIdentity


def to_id(process: ProcessIdentity) -> str:
    """`pid:start:boot:host`, the start in clock ticks since the boot."""
    return f"{process.pid}:{process.started}:{process.boot_id}:{process.host}"


def from_id(executor_job_id: str) -> ProcessIdentity:
    """The process that an executor job id names.

    Raises:
        ValueError: it is not one of `to_id`.
    """
    pid, started, boot_id, host = executor_job_id.split(":")
    return ProcessIdentity(host, boot_id, int(pid), int(started))
