"""Errors and routes on the wire."""

from collections.abc import Iterator

import msgspec
import pytest
from msgspec import inspect

from jobmon import errors
from jobmon.wire.problems import STATUS, Problem, to_error, to_problem
from jobmon.wire.routes import ROUTES, Access, Route


@pytest.mark.parametrize("kind", STATUS)
def test_an_error_arrives_as_what_it_was_with_its_data(kind: type[errors.JobmonError]) -> None:
    sent = kind("it is so")
    sent.data = {"run_id": 3}
    arrived = to_error(msgspec.json.decode(msgspec.json.encode(to_problem(sent)), type=Problem))
    assert (type(arrived), str(arrived), arrived.data) == (kind, "it is so", {"run_id": 3})
    assert to_problem(sent).status == STATUS[kind] >= 400


def test_an_error_without_a_status_of_its_own_arrives_as_the_nearest_that_has_one() -> None:
    assert to_problem(errors.ServerUnreachable("gone")).type == "ServerError"
    assert to_problem(errors.PluginError("odd")) == Problem("ServerError", 500, "odd")


def test_a_problem_of_an_unknown_kind_is_an_error_of_the_server() -> None:
    assert type(to_error(Problem("FromTheFuture", 499, "?"))) is errors.ServerError


def test_the_story_of_an_impossible_transition_travels_with_it() -> None:
    problem = to_problem(errors.InvalidTransition("no", story="record: x"))
    assert "record: x" in str(to_error(problem))


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_every_message_can_be_read_and_written(route: Route) -> None:
    msgspec.json.Decoder(route.request)
    msgspec.json.Decoder(route.answer)


def test_a_worker_may_call_only_what_concerns_its_own_attempt() -> None:
    assert {path for path, route in ROUTES.items() if route.access is Access.WORKER} == {
        "/attempts/start",
        "/attempts/heartbeat",
        "/attempts/finish",
        "/attempts/give-back",
    }
    assert [path for path, route in ROUTES.items() if route.access is Access.ANYONE] == ["/health"]


#: Bounded elsewhere: by validators of their own, since layer 0 knows no wire; as results, each by itself, so that one
#: never fails its batch; as JSON, by its nesting and by the message.
OTHERWISE = {
    "ProcessIdentity.host", "ProcessIdentity.boot_id", "ProcessIdentity.pid", "ProcessIdentity.started",
    "Observation.result", "FinishReport.result", "Call.args", "Observation.usage", "FinishReport.usage",
}  # fmt: skip


def unbounded(info: inspect.Type, where: str) -> Iterator[str]:
    """Every number, text and list of a message that has no bounds."""
    match info:
        case inspect.DataclassType() | inspect.StructType():
            for field in info.fields:
                yield from unbounded(field.type, f"{info.cls.__name__}.{field.name}")
        case inspect.IntType() | inspect.FloatType():
            yield from [where] * (info.ge is None or info.le is None)
        case inspect.StrType():
            yield from [where] * (info.max_length is None)
        case inspect.ListType():
            yield from [where] * (info.max_length is None)
            yield from unbounded(info.item_type, where)
        case inspect.DictType():
            yield from unbounded(info.value_type, where)
        case inspect.UnionType():
            for kind in info.types:
                yield from unbounded(kind, where)


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
def test_every_number_text_and_list_that_is_sent_has_bounds(route: Route) -> None:
    assert set(unbounded(inspect.type_info(route.request), "")) <= OTHERWISE
