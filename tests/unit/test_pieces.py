"""What is sent in batches gets through but for what is refused; and an agent's courier outlives all of it."""

import os
import select
import time
from collections.abc import Callable
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobmon.agent.courier import Courier, Reported, Started
from jobmon.errors import InvalidRequest, MessageTooLarge, ServerError, ServerUnreachable
from jobmon.requester.batches import in_pieces
from jobmon.states.reasons import Reason
from jobmon.wire.problems import Problem
from jobmon.wire.results import DEEPEST, MOST_RESULT_BYTES, result_problem
from jobmon.wire.workers import (
    FinishAttempts,
    FinishReport,
    Heartbeat,
    HeartbeatAnswer,
    ReportsRecorded,
    Start,
    StartAttempts,
    Starts,
)
from jobmon.worker import values

OWN_WORDS = "no such attempt"
FAULTS = [InvalidRequest(OWN_WORDS), MessageTooLarge(OWN_WORDS), UnicodeEncodeError("utf-8", "\udcff", 0, 1, OWN_WORDS),
          TypeError(OWN_WORDS), RecursionError(OWN_WORDS), OverflowError(OWN_WORDS)]  # fmt: skip


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.sampled_from(FAULTS))
def test_all_but_what_is_refused_gets_through_once(bad: list[bool], fault: Exception) -> None:
    taken: list[int] = []

    def send(some: list[int]) -> ReportsRecorded:
        if any(bad[i] for i in some):
            raise fault
        taken.extend(some)
        return ReportsRecorded([])

    pieces = list(in_pieces(send, list(range(len(bad))), token=str))
    assert taken == [i for i, is_bad in enumerate(bad) if not is_bad]
    refused = {key: why for piece in pieces for key, why in piece.why("token").items()}
    assert refused.keys() == {str(i) for i, is_bad in enumerate(bad) if is_bad}
    assert all(OWN_WORDS in why for why in refused.values())


@pytest.mark.parametrize("error", [ServerUnreachable("away"), ServerError("failed"), ConnectionError("broken")])
def test_what_hinders_all_is_no_refusal_of_an_element(error: Exception) -> None:
    def send(_: list[int]) -> ReportsRecorded:
        raise error

    with pytest.raises(type(error)):
        list(in_pieces(send, [1, 2], token=str))


@attrs.define
class Server:
    """Answers a courier; `fault` may raise for a message."""

    fault: Callable[[Any], None]
    room: int = 1000
    reports: list[FinishReport] = attrs.field(factory=list)

    def call(self, _: Any, message: Any, *, patience_s: float) -> Any:
        self.fault(message)
        match message:
            case StartAttempts():
                return Starts([Start(token, None, "why") for token in message.tokens[: self.room]], 30.0, 900.0)
            case FinishAttempts():
                self.reports += message.reports
                return ReportsRecorded([])
            case Heartbeat():
                return HeartbeatAnswer([])

    def stop(self) -> None:
        """Nothing waits here."""


def carried(server: Server, enough: Callable[[list[Any]], bool], **given: Any) -> list[Any]:
    """What a courier brings back, until that is enough."""
    courier: Any = Courier("h:agent", lambda: server)  # type: ignore[arg-type,return-value]
    courier.begin()
    courier.hand_over(**given, hurry=True)
    news: list[Any] = []
    until = time.monotonic() + 30
    while not enough(news):
        assert select.select([courier.wake_fd], [], [], until - time.monotonic())[0], f"only {news} came"
        os.eventfd_read(courier.wake_fd)
        courier.check()
        news += [courier.news.popleft() for _ in range(len(courier.news))]
    courier.stop(10)
    return news


def reported(n: int) -> Callable[[list[Any]], bool]:
    return lambda news: sum(len(one.tokens) for one in news if isinstance(one, Reported)) >= n


def tokens_in(message: Any) -> list[str]:
    return [r.token for r in message.reports] if isinstance(message, FinishAttempts) else message.tokens


@pytest.mark.parametrize("fault", FAULTS)
def test_a_report_that_is_refused_or_cannot_be_sent_is_told_without_what_hindered_it(fault: Exception) -> None:
    def refuse(message: Any) -> None:
        if any(r.result == "bad" for r in message.reports):
            raise fault

    server = Server(refuse)
    reports = [FinishReport(f"j{i}", result="bad" if i == 3 else "1") for i in range(7)]
    carried(server, reported(7), reports=reports)
    [told] = [r for r in server.reports if r.token == "j3"]
    assert (told.reason, told.result) == (Reason.UNKNOWN, None)
    assert "the report of its end was refused" in (told.detail or "")
    assert OWN_WORDS in (told.detail or "")
    assert {r.token: r.result for r in server.reports if r is not told} == {f"j{i}": "1" for i in range(7) if i != 3}


def test_an_element_that_the_answer_refuses_is_told_anew_as_well() -> None:
    @attrs.define
    class Picky(Server):
        def call(self, route: Any, message: Any, *, patience_s: float) -> Any:
            bad = [r.token for r in message.reports if r.result == "bad"]
            answer = super().call(route, message, patience_s=patience_s)
            return attrs.evolve(answer, refused=[Problem("InvalidRequest", 400, "no", {"token": t}) for t in bad])

    server = Picky(lambda _: None)
    carried(server, reported(2), reports=[FinishReport("j0", result="bad"), FinishReport("j1", result="1")])
    assert [(r.token, r.reason) for r in server.reports] == [("j0", None), ("j1", None), ("j0", Reason.UNKNOWN)]


def test_a_server_that_fails_at_one_report_gets_all_others() -> None:
    def fail(message: Any) -> None:
        if "j2" in tokens_in(message):
            raise ServerError("the server failed")

    server = Server(fail)
    carried(server, reported(4), reports=[FinishReport(f"j{i}") for i in range(5)])
    assert {r.token for r in server.reports} == {"j0", "j1", "j3", "j4"}


def test_starts_that_one_answer_has_no_room_for_are_asked_for_again() -> None:
    tokens = [f"j{i}" for i in range(10)]
    news = carried(Server(lambda _: None, room=3), lambda n: sum(len(one.starts) for one in n) >= 10, starts=tokens)
    assert [start.token for one in news for start in one.starts] == tokens


@pytest.mark.parametrize("fault", FAULTS)
def test_a_start_that_is_refused_is_dropped_and_the_others_are_answered(fault: Exception) -> None:
    def refuse(message: Any) -> None:
        if "j1" in message.tokens:
            raise fault

    news = carried(Server(refuse), lambda n: sum(len(one.starts) for one in n) >= 3, starts=["j0", "j1", "j2"])
    assert all(isinstance(one, Started) for one in news)
    whys = {start.token: start.why for one in news for start in one.starts}
    assert whys.keys() == {"j0", "j1", "j2"}
    assert OWN_WORDS in whys["j1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"), ("", "is not JSON"), ("NaN", "is not JSON"), ("1e999", "is not JSON"),
        ("1 2", "is not JSON"), ('"\\ud800"', "is not JSON"), ("[" * 985 + "]" * 985, "nested more than 200"),
        ("[" * 9000 + "]" * 9000, "nested more than 200"), ('{"a":' * 300 + "1" + "}" * 300, "nested more than 200"),
        ('"' + "x" * MOST_RESULT_BYTES + '"', "has 65,538 bytes"), ('"' + "ä" * 33_000 + '"', "has 66,002 bytes"),
    ],
)  # fmt: skip
def test_a_result_that_cannot_be_handed_on_is_known_by_its_text(text: str, words: str) -> None:
    assert words in (result_problem(text) or "")


@given(st.recursive(st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_all_other_results_are_kept(value: Any) -> None:
    assert result_problem(msgspec.json.encode(value).decode()) is None


def test_server_and_worker_have_the_same_bounds_for_results() -> None:
    assert (MOST_RESULT_BYTES, DEEPEST) == (values.MAX_RESULT_BYTES, values.DEEPEST)
    for depth in (1, DEEPEST, DEEPEST + 1):
        text = "[" * depth + "]" * depth
        assert (result_problem(text) is None) == (depth <= DEEPEST)
    assert result_problem("[" + ",".join(["[]"] * 500) + "]") is None  # wide is not deep
