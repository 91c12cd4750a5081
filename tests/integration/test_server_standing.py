"""What a real server answers standing managers, and those who ask for their executors."""

from collections.abc import Iterator

import pytest
from messages import ELSEWHERE, EXECUTOR, acquire, begin, claim, registration
from serving import embedded

from jobmon.ids import output_paths
from jobmon.processes import identify
from jobmon.requester import Requester
from jobmon.states.evidence import Reporting, Sighting
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.leases import (
    ClaimJobs,
    Observation,
    ReadExecutors,
    RecordObservations,
    ReleaseLease,
    ServeExecutors,
    Wanted,
)
from jobmon.wire.runs import ReadAttempts


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Requester]:
    with embedded(tmp_path_factory.mktemp("data")) as requester:
        yield requester


def wanted(server: Requester, *names: str) -> list[Wanted]:
    """What the server wants of a standing manager of these executors."""
    message = ServeExecutors(identify(), {name: registration() for name in names})
    return server.call(routes.SERVE_EXECUTORS, message).wanted


def test_a_workflow_with_jobs_that_nobody_serves_is_wanted(server: Requester) -> None:
    begun = begin(server, 3)
    mine = Wanted(begun.opened.workflow_id, EXECUTOR)
    assert mine not in wanted(server, EXECUTOR), "its manager lives"
    server.call(routes.RELEASE_LEASE, ReleaseLease(begun.lease))
    assert mine in wanted(server, EXECUTOR), "jobs are queued"
    assert wanted(server, "another") == []
    lease = acquire(server, begun.opened.workflow_id)
    assert mine not in wanted(server, EXECUTOR)
    begun = type(begun)(begun.opened, lease, begun.job_ids)
    assert len(claim(server, begun)) == 3
    server.call(routes.RELEASE_LEASE, ReleaseLease(lease))
    assert mine in wanted(server, EXECUTOR), "attempts are live"


def test_executors_of_standing_managers_are_told_with_their_types(server: Requester) -> None:
    wanted(server, "far")
    assert server.call(routes.EXECUTORS, ReadExecutors()).executors["far"] == registration()
    newer = ServeExecutors(ELSEWHERE, {"far": registration(Reporting.PLATFORM)})
    assert server.call(routes.SERVE_EXECUTORS, newer).superseded == []
    older = ServeExecutors(identify(), {"far": registration(), "near": registration()})
    assert server.call(routes.SERVE_EXECUTORS, older).superseded == ["far"]
    assert server.call(routes.EXECUTORS, ReadExecutors()).executors["far"].reporting is Reporting.PLATFORM


def test_where_the_platform_alone_reports_paths_are_claimed_and_what_it_tells_is_kept(server: Requester) -> None:
    begun = begin(server, 1, reporting=Reporting.PLATFORM)
    answer = server.call(routes.CLAIM_JOBS, ClaimJobs(begun.lease, 1, with_payload=True))
    [claimed] = answer.claims
    told = Observation(
        claimed.token, Sighting.EXITED, Reason.SIGNALLED, None, "killed", {"wall_s": 2.0},
        executor_job_id="id", signal=9, host="node7", stdout_tail="last words", stderr_tail="",
    )  # fmt: skip
    assert server.call(routes.RECORD_OBSERVATIONS, RecordObservations(begun.lease, [told])).ended == [claimed.token]
    [row] = server.call(routes.ATTEMPTS, ReadAttempts(begun.job_ids[0])).attempts
    paths = output_paths(answer.log_folder, claimed.name, claimed.job_id, claimed.attempt)
    assert paths == (row.stdout_path, row.stderr_path)
    assert (row.reason, row.signal, row.host, row.stdout_tail) == (Reason.SIGNALLED, 9, "node7", "last words")
    assert row.usage == {"wall_s": 2.0}
