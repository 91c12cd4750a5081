"""Reports that workers left behind."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobmon.errors import InvalidRequest, ServerUnreachable
from jobmon.managers.outbox import Outbox
from jobmon.states.evidence import Sighting
from jobmon.states.reasons import Reason
from jobmon.wire import routes
from jobmon.wire.leases import Observation
from jobmon.wire.workers import FinishAttempts, FinishReport, ReportsRecorded


class Server:
    """Answers as told, and keeps what it was sent."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.sent: list[Any] = []

    def call(self, route: Any, message: Any) -> ReportsRecorded:
        assert route is routes.FINISH_ATTEMPTS
        self.sent.append(message)
        if self.error is not None:
            raise self.error
        return ReportsRecorded([])


def gone(token: str, reason: Reason | None = None) -> Observation:
    return Observation(token, Sighting.EXITED, reason, detail="what the platform said")


def left(folder: Path, token: str) -> FinishAttempts:
    report = FinishAttempts("node1:1:a", [FinishReport(token, exit_status=0, stdout_tail="the end")])
    (folder / f"{token}.json").write_bytes(msgspec.json.encode(report))
    return report


def test_a_report_is_sent_once_and_only_when_its_attempt_is_asked_for(tmp_path: Path) -> None:
    server, mine, _other = Server(), left(tmp_path, "j1"), left(tmp_path, "j2")
    outbox = Outbox(server, tmp_path)  # type: ignore[arg-type]
    outbox.deliver([gone("j1"), gone("j3")])
    outbox.deliver([gone("j1"), gone("j3")])
    assert server.sent == [mine]
    assert [path.name for path in tmp_path.iterdir()] == ["j2.json"]


@pytest.mark.parametrize("error", [None, InvalidRequest("there is no attempt")])
def test_what_is_no_report_or_is_refused_is_set_aside_and_the_others_are_sent(
    tmp_path: Path, error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "j1.json").write_text('{"worker_id": "half a re')
    left(tmp_path, "j2")
    server = Server(error)
    Outbox(server, tmp_path).deliver([gone("j1"), gone("j2")])  # type: ignore[arg-type]
    assert len(server.sent) == 1
    refused = {"j1.refused"} | ({"j2.refused"} if error else set())
    assert {path.name for path in tmp_path.iterdir()} == refused
    assert "cannot be used" in caplog.text


def test_a_report_stays_while_the_server_is_away(tmp_path: Path) -> None:
    left(tmp_path, "j1")
    with pytest.raises(ServerUnreachable):
        Outbox(Server(ServerUnreachable("away")), tmp_path).deliver([gone("j1")])  # type: ignore[arg-type]
    assert (tmp_path / "j1.json").exists()


@pytest.mark.parametrize(
    ("from_outside", "seen", "reason"),
    [
        (True, Reason.TIMEOUT, Reason.TIMEOUT),
        (True, Reason.PREEMPTED, Reason.PREEMPTED),
        (True, Reason.CANCELLED, Reason.CANCELLED),
        (True, Reason.CANCELLED_BY_USER, Reason.CANCELLED_BY_USER),
        (True, Reason.EXIT_NONZERO, Reason.LOST),
        (True, Reason.LOST, Reason.LOST),
        (True, None, Reason.LOST),
        (False, Reason.TIMEOUT, Reason.SIGNALLED),
    ],
)
def test_the_platform_says_why_a_signal_came_from_outside(
    tmp_path: Path, from_outside: bool, seen: Reason | None, reason: Reason
) -> None:
    report = FinishReport("j1", Reason.SIGNALLED, signal=15, detail="it received SIGTERM", stdout_tail="the end")
    body = msgspec.to_builtins(FinishAttempts("node1:1:a", [report])) | {"ended_from_outside": from_outside}
    (tmp_path / "j1.json").write_bytes(msgspec.json.encode(body))
    server = Server()
    Outbox(server, tmp_path).deliver([gone("j1", seen)])  # type: ignore[arg-type]
    [sent] = server.sent[0].reports
    assert (sent.reason, sent.signal, sent.stdout_tail) == (reason, 15, "the end")
    assert ("what the platform said" in sent.detail) == (reason is not Reason.SIGNALLED)


def test_what_a_signal_from_outside_ended_and_the_platform_has_lost_is_lost(tmp_path: Path) -> None:
    report = FinishReport("j1", Reason.SIGNALLED, signal=15, detail="it received SIGTERM")
    body = msgspec.to_builtins(FinishAttempts("node1:1:a", [report])) | {"ended_from_outside": True}
    (tmp_path / "j1.json").write_bytes(msgspec.json.encode(body))
    server = Server()
    Outbox(server, tmp_path).deliver([Observation("j1", Sighting.ABSENT)])  # type: ignore[arg-type]
    assert server.sent[0].reports[0].reason is Reason.LOST
