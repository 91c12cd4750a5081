"""The one table of routes, which drives the server and the clients alike.

Every call is a POST with a JSON body. A call of a route that `writes` carries a request id in a header: repeating it
with the same id returns the stored answer. Heartbeats and renewals change nothing that is stored, so that repeating
them does no harm.
"""

from enum import StrEnum
from typing import Any, Generic, TypeVar

import attrs

from jobmon.wire import bounds, health, leases, runs, workers

Request = TypeVar("Request")
Answer = TypeVar("Answer")

API_HEADER = "Jobmon-Api"
REQUEST_ID_HEADER = "Jobmon-Request-Id"


class Access(StrEnum):
    """Who may call a route."""

    ANYONE = "anyone"
    USER = "user"
    WORKER = "worker"  #: the user, or a worker for the tokens that its credential covers


@attrs.frozen
class Route(Generic[Request, Answer]):
    """One call: its path, what is sent and what comes back."""

    path: str
    request: type[Request]
    answer: type[Answer]
    writes: bool = True
    access: Access = Access.USER

    @property
    def most_bytes(self) -> int:
        """Of a message that the user sends; one of a worker's credential is bounded tighter."""
        return bounds.MOST_BYTES_OF_ANYONE if self.access is Access.ANYONE else bounds.MOST_BYTES


HEALTH = Route("/health", health.ReadHealth, health.Health, writes=False, access=Access.ANYONE)
LISTEN = Route("/server/listen", health.Listen, health.Listening, writes=False)

OPEN_RUN = Route("/runs/open", runs.OpenRun, runs.RunOpened)
BIND_JOBS = Route("/runs/bind", runs.BindJobs, runs.RunStanding)
BEGIN_RUN = Route("/runs/begin", runs.BeginRun, runs.RunStanding)
QUEUE_JOBS = Route("/runs/queue", runs.QueueJobs, runs.RunStanding)
STOP_RUN = Route("/runs/stop", runs.StopRun, runs.RunStanding)
FINISH_RUN = Route("/runs/finish", runs.FinishRun, runs.RunStanding)

BOUND_JOBS = Route("/jobs/bound", runs.ReadBoundJobs, runs.BoundJobs, writes=False)
CHANGES = Route("/jobs/changes", runs.ReadChanges, runs.Changes, writes=False)
WORKFLOWS = Route("/workflows", runs.ReadWorkflows, runs.WorkflowStatuses, writes=False)
WORKFLOW = Route("/workflow", runs.ReadWorkflow, runs.WorkflowStatus, writes=False)
JOBS = Route("/jobs", runs.ReadJobs, runs.JobRows, writes=False)
ATTEMPTS = Route("/jobs/attempts", runs.ReadAttempts, runs.Attempts, writes=False)
RESULT = Route("/jobs/result", runs.ReadResult, runs.Result, writes=False)
HISTORY = Route("/history", runs.ReadHistory, runs.History, writes=False)

ACQUIRE_LEASE = Route("/leases/acquire", leases.AcquireLease, leases.LeaseAnswer)
RENEW_LEASES = Route("/leases/renew", leases.RenewLeases, leases.LeasesRenewed, writes=False)
RELEASE_LEASE = Route("/leases/release", leases.ReleaseLease, leases.Recorded)
SERVE_EXECUTORS = Route("/executors/serve", leases.ServeExecutors, leases.ExecutorsToServe, writes=False)
EXECUTORS = Route("/executors", leases.ReadExecutors, leases.ServedExecutors, writes=False)
CLAIM_JOBS = Route("/instances/claim", leases.ClaimJobs, leases.JobsClaimed)
RECORD_OUTCOMES = Route("/instances/outcomes", leases.RecordOutcomes, leases.Recorded)
RECORD_OBSERVATIONS = Route("/instances/observations", leases.RecordObservations, leases.Recorded)
LIVE_INSTANCES = Route("/instances/live", leases.ReadLiveInstances, leases.LiveInstances, writes=False)
INSTANCE_CHANGES = Route("/instances/changes", leases.ReadInstanceChanges, leases.InstanceChanges, writes=False)

START_ATTEMPTS = Route("/attempts/start", workers.StartAttempts, workers.Starts, access=Access.WORKER)
HEARTBEAT = Route("/attempts/heartbeat", workers.Heartbeat, workers.HeartbeatAnswer, writes=False, access=Access.WORKER)
FINISH_ATTEMPTS = Route("/attempts/finish", workers.FinishAttempts, workers.ReportsRecorded, access=Access.WORKER)
GIVE_BACK_ATTEMPTS = Route(
    "/attempts/give-back", workers.GiveBackAttempts, workers.ReportsRecorded, access=Access.WORKER
)

ROUTES: dict[str, Route[Any, Any]] = {
    route.path: route for route in list(globals().values()) if isinstance(route, Route)
}
