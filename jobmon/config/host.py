"""What the host of a named executor may be told: `[executors.NAME.host]`, the same for every executor type."""

import attrs


@attrs.frozen
class HostSettings:
    """How one named executor is treated by its host. The defaults suit a local or a batch executor alike."""

    running: int | None = None  #: attempts that may be live at once; None: the executor's own limit
    rate_per_s: float | None = (
        None  #: calls to the platform per second, all kinds together; None: 50, local ones unlimited
    )
    burst: int = 20  #: calls that may be made at once before the rate counts
    poll_min_s: float = 0.02  #: shortest pause between two observations, while attempts end
    poll_max_s: float = 15.0  #: longest pause, while nothing changes
    call_timeout_s: float = 120.0  #: a call to the executor that takes longer is given up
    uncertain_after_s: float = 600.0  #: a submission whose outcome cannot be found is revoked after this
    exclusive: bool | None = None  #: one workflow at a time on this server; None: as the type says
    python: str | None = None  #: the interpreter that runs workers; None: the manager's own
    shared_folder: str | None = None  #: what workers read and write: their file, start files, kept reports; None: data
    start_wait_s: float = 600.0  #: a worker that cannot reach the server ends without having begun after this
    report_wait_s: float = 900.0  #: then it leaves its report in the outbox for the manager to find
    grace_s: float = 10.0  #: from SIGTERM to SIGKILL, for a command that shall end
    retry_cancelled: bool = False  #: try again what its own user ends at the platform; else its job is cancelled
