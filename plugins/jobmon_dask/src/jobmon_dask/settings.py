"""What `[executors.NAME]` and a task's own table `dask` may say."""

import attrs


@attrs.frozen
class Settings:
    """Where the cluster is. Without an address or a file, Dask's own configuration says it."""

    address: str | None = None  #: of the scheduler, such as tcp://host:8786
    scheduler_file: str | None = None  #: the JSON file that `dask scheduler --scheduler-file` writes
    timeout_s: float = attrs.field(default=30.0, validator=attrs.validators.gt(0))  #: for one answer of the scheduler
    tls_ca_file: str | None = None  #: certificates that the scheduler's is held against; the cluster then speaks TLS
    tls_cert: str | None = None  #: this client's certificate
    tls_key: str | None = None  #: its private key

    def __attrs_post_init__(self) -> None:
        if self.address and self.scheduler_file:
            raise ValueError("address and scheduler_file are given; the cluster is found by one of them")
        tls = (self.tls_ca_file, self.tls_cert, self.tls_key)
        if any(tls) and not all(tls):
            raise ValueError("tls_ca_file, tls_cert and tls_key belong together: give all three or none")


@attrs.frozen
class DaskResources:
    """What an attempt asks of Dask."""

    resources: dict[str, float] = attrs.field(factory=dict)  #: abstract resources, as workers were started with
    priority: int = 0  #: higher ones are run first
    workers: list[str] = attrs.field(factory=list)  #: addresses or names of the workers that may run it; empty: all
