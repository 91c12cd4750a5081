"""Files that others may have damaged: what is intact in them, and beside them, is used."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobmon.agent.journal import Journal
from jobmon.managers.outbox import Outbox
from jobmon.plugins.records import ending
from jobmon.requester.endpoint import DataFolder
from jobmon.states.evidence import Sighting
from jobmon.wire.decoding import Undecodable
from jobmon.wire.leases import Observation
from jobmon.wire.workers import FinishAttempts, FinishReport, ReportsRecorded

#: What is no JSON of a type, of every kind that a decoder tells apart.
DAMAGE = {
    "a byte that is not UTF-8 within a text": b'{"worker_id": "\xff", "reports": []}',
    "bytes that are no text": b"\xff\x00\x80",
    "nothing": b"",
    "half of it": b'{"worker_id": "host',
    "nested too deeply": b'{"more":' * 100_000,
    "a lone surrogate": b'{"worker_id": "\\ud800"}',
    "a number beyond all bounds": b'{"worker_id": 1e999}',
    "another type": b"[]",
}
damage = pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE.keys())


class Server:
    """Keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def call(self, _route: Any, message: Any) -> ReportsRecorded:
        self.sent.append(message)
        return ReportsRecorded([])


@damage
def test_all_that_decoding_raises_has_one_name(content: bytes) -> None:
    with pytest.raises(Undecodable):
        msgspec.json.decode(content, type=FinishAttempts)


@damage
def test_a_damaged_line_of_the_journal_costs_no_other(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ended"
    Journal(path, "w").note([FinishReport("a", exit_status=0)])
    with path.open("ab") as file:
        file.write(content + b"\n")
    Journal(path, "w").note([FinishReport("b", exit_status=0)])
    assert Journal(path, "v").left() == [
        FinishAttempts("w", [FinishReport("a", exit_status=0), FinishReport("b", exit_status=0)])
    ]


@damage
def test_a_damaged_report_in_the_outbox_costs_no_other(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j1.json").write_bytes(content)
    intact = FinishAttempts("node1", [FinishReport("j2", exit_status=0)])
    (tmp_path / "j2.json").write_bytes(msgspec.json.encode(intact))
    server = Server()
    Outbox(server, tmp_path).deliver([Observation("j1", Sighting.EXITED), Observation("j2", Sighting.EXITED)])  # type: ignore[arg-type]
    assert server.sent == [intact]
    assert (tmp_path / "j1.refused").read_bytes() == content


@damage
def test_a_damaged_endpoint_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "endpoint.json").write_bytes(content)
    assert DataFolder(tmp_path).endpoint() is None


@damage
def test_an_end_of_a_payload_that_cannot_be_read_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match="told no end"):
        ending(content.decode("utf-8", "surrogateescape"))
