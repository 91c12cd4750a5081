"""What the worker tells of the end of a command."""

import json
import signal
from pathlib import Path

import msgspec
import pytest

from jobmon.states.reasons import Reason
from jobmon.wire.workers import FinishReport
from jobmon.worker import report

CANCELLED = (report.CANCELLED, "the server asked for its end")


def exited(status: int) -> int:
    return status << 8


def told(**fields: object) -> dict[str, object]:
    return {"reason": None, "exit_status": None, "signal": None, "detail": None} | fields


def test_status_0_is_success() -> None:
    assert told(exit_status=0) == report.outcome(exited(0), None, None)


def test_another_status_is_told() -> None:
    assert told(reason="EXIT_NONZERO", exit_status=3) == report.outcome(exited(3), None, None)


def test_a_signal_is_told() -> None:
    assert told(reason="SIGNALLED", signal=9) == report.outcome(signal.SIGKILL, None, None)


def test_a_command_that_was_ended_is_cancelled_however_it_ended() -> None:
    for status in (exited(0), exited(1), int(signal.SIGTERM)):
        assert report.outcome(status, CANCELLED, None)["reason"] == "CANCELLED"


def test_a_signal_from_outside_explains_a_failure_and_no_success() -> None:
    assert "SIGTERM" in report.outcome(signal.SIGTERM, None, "SIGTERM")["detail"]
    assert report.outcome(exited(0), None, "SIGTERM") == told(exit_status=0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_shell_tells_of_a_signal_to_a_part_by_its_status(number: int) -> None:
    assert report.ending_signal(number) == number
    assert report.ending_signal(exited(128 + number)) == number


@pytest.mark.parametrize("status", [0, 1, 128])
def test_other_statuses_tell_of_no_signal(status: int) -> None:
    assert report.ending_signal(exited(status)) is None


def test_every_reason_is_one_of_the_states() -> None:
    for name in ("EXIT_NONZERO", "SIGNALLED", "OUT_OF_MEMORY", "CANCELLED", "LOST", "UNKNOWN"):
        assert Reason(getattr(report, name)) == name


def test_a_call_succeeds_with_the_result_that_it_wrote() -> None:
    done = report.with_answer(told(exit_status=0), b'{"result": "[1, 2]"}')
    assert done == told(exit_status=0, result="[1, 2]")


def test_a_call_that_failed_says_why() -> None:
    failed = report.with_answer(told(reason="EXIT_NONZERO", exit_status=1), b'{"failed": "fit raised X", "status": 1}')
    assert failed == told(reason="EXIT_NONZERO", exit_status=1, detail="fit raised X")


@pytest.mark.parametrize("answer", [b"", b'{"resu'])
def test_a_call_whose_interpreter_ended_without_an_answer_has_failed(answer: bytes) -> None:
    done = report.with_answer(told(exit_status=0), answer)
    assert done["reason"] == "EXIT_NONZERO"
    assert "before it had answered" in done["detail"]


def test_an_end_that_nothing_else_explains_is_told_as_an_agent_tells_it() -> None:
    assert report.explained(report.outcome(exited(3), None, None))["detail"] == "exit status 3"
    assert report.explained(report.outcome(signal.SIGKILL, None, None))["detail"] == "ended by signal 9"
    assert report.explained(report.outcome(exited(0), None, None))["detail"] is None
    assert report.explained(report.outcome(exited(3), CANCELLED, None))["detail"] == CANCELLED[1]


def test_a_signalled_or_cancelled_call_stays_what_it_is() -> None:
    for reason in ("SIGNALLED", "CANCELLED"):
        assert report.with_answer(told(reason=reason), b'{"result": "1"}') == told(reason=reason)


def test_tails_are_text_of_at_most_10_kB(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_bytes(b"a" * 5000 + b"\xff" * 9000)
    tail = report.tail(str(file))
    assert tail is not None
    assert 9_990 < len(tail.encode()) <= report.TAIL_BYTES
    assert set(tail) == {"\ufffd"}
    file.write_bytes("é".encode() * 9000)
    assert report.tail(str(file)) == "é" * 5000
    assert report.tail(str(tmp_path / "none")) is None


def test_a_kept_report_is_a_whole_private_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "outbox"
    report.keep(str(path), {"worker_id": "w", "reports": []})
    assert json.loads(path.read_text()) == {"worker_id": "w", "reports": []}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [path] == list(path.parent.iterdir())


def test_what_is_told_is_a_finish_report() -> None:
    sent = {"token": "j", **report.outcome(exited(3), CANCELLED, None), "usage": {"wall_s": 1.0}, "stdout_tail": ""}
    assert set(sent) <= {field.name for field in FinishReport.__attrs_attrs__}
    assert msgspec.convert(sent, FinishReport).reason is Reason.CANCELLED
