"""Messages as clients, managers and workers send them, with what a test does not care for filled in."""

from collections.abc import Sequence
from typing import Any

import attrs

from jobmon.processes import ProcessIdentity, identify
from jobmon.requester import Requester
from jobmon.states.evidence import Reporting
from jobmon.wire import routes
from jobmon.wire.jobs import Command, JobSpec
from jobmon.wire.leases import AcquireLease, Claim, ClaimJobs, ExecutorRegistration, Lease
from jobmon.wire.runs import BeginRun, BindJobs, OpenRun, QueueJobs, RunContext, RunOpened

CONTEXT = RunContext("/", {"FROM": "context"}, "/logs")
ELSEWHERE = ProcessIdentity("another.host", "boot", 4242, 1)
EXECUTOR = "compute"


def open_run(n_jobs: int = 1, *, name: str = "w", args: str | None = None, **other: Any) -> OpenRun:
    return OpenRun(name, args, n_jobs, CONTEXT, identify(), **other)


def specs(opened: RunOpened, n_jobs: int, **other: Any) -> list[JobSpec]:
    """Jobs of one kind for a whole workflow; `command`, `call`, `executor`, `max_attempts` and so on may be given."""
    payload = {} if "call" in other else {"command": Command("true")}
    fields: dict[str, Any] = {"executor": EXECUTOR, **payload, **other}
    return [JobSpec(opened.first_job_id + i, name=f"t{i}", digest=f"d{i}", **fields) for i in range(n_jobs)]


def registration(reporting: Reporting = Reporting.WORKER, *, exclusive: bool = False) -> ExecutorRegistration:
    return ExecutorRegistration("dummy", "jobmon-executor-dummy", "1", [1, 0], exclusive, reporting)


@attrs.frozen
class Begun:
    """A run whose jobs are queued, and the lease of a manager that may claim them."""

    opened: RunOpened
    lease: Lease
    job_ids: list[int]


def begin(
    requester: Requester,
    n_jobs: int = 1,
    *,
    name: str = "w",
    args: str | None = None,
    reporting: Reporting = Reporting.WORKER,
    **spec: Any,
) -> Begun:
    """Open, bind, begin and queue a workflow of jobs without dependencies, and lease its executor."""
    opened = requester.call(routes.OPEN_RUN, open_run(n_jobs, name=name, args=args))
    bound = specs(opened, n_jobs, **spec)
    job_ids = [s.job_id for s in bound]
    requester.call(routes.BIND_JOBS, BindJobs(opened.run_id, bound))
    requester.call(routes.BEGIN_RUN, BeginRun(opened.run_id))
    requester.call(routes.QUEUE_JOBS, QueueJobs(opened.run_id, job_ids))
    lease = acquire(requester, opened.workflow_id, reporting=reporting)
    return Begun(opened, lease, job_ids)


def acquire(requester: Requester, workflow_id: int, *, reporting: Reporting = Reporting.WORKER) -> Lease:
    message = AcquireLease(workflow_id, EXECUTOR, identify(), registration(reporting))
    lease = requester.call(routes.ACQUIRE_LEASE, message).lease
    assert lease is not None
    return lease


def claim(requester: Requester, begun: Begun, limit: int = 1000, **other: Any) -> Sequence[Claim]:
    return requester.call(routes.CLAIM_JOBS, ClaimJobs(begun.lease, limit, **other)).claims
