"""What `[executors.NAME]` and a task's own table `dask` may say."""

import attrs

from jobmon.plugins import setting


@attrs.frozen
class Settings:
    """Where the cluster is. Without an address or a file, Dask's own configuration says it."""

    address: str | None = setting(None, help="of the scheduler, such as tcp://host:8786")
    scheduler_file: str | None = setting(None, help="the JSON file that `dask scheduler --scheduler-file` writes")
    timeout_s: float = setting(30.0, validator=attrs.validators.gt(0), help="for one answer of the scheduler")
    tls_ca_file: str | None = setting(
        None, help="certificates that the scheduler's is held against; the cluster then speaks TLS"
    )
    tls_cert: str | None = setting(None, help="this client's certificate")
    tls_key: str | None = setting(None, help="its private key")

    def __attrs_post_init__(self) -> None:
        if self.address and self.scheduler_file:
            raise ValueError("address and scheduler_file are given; the cluster is found by one of them")
        tls = (self.tls_ca_file, self.tls_cert, self.tls_key)
        if any(tls) and not all(tls):
            raise ValueError("tls_ca_file, tls_cert and tls_key belong together: give all three or none")


@attrs.frozen
class DaskResources:
    """What an attempt asks of Dask."""

    resources: dict[str, float] = setting(factory=dict, help="abstract resources, as workers were started with")
    priority: int = setting(0, help="higher ones are run first")
    workers: list[str] = setting(factory=list, help="addresses or names of the workers that may run it; empty: all")
