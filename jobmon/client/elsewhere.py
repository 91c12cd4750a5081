"""Executors that a standing manager serves elsewhere: which there are, and whether tasks can be given to them."""

import difflib
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from jobmon.errors import ServerUnreachable
from jobmon.plugins.resources import parse_resources

if TYPE_CHECKING:
    from jobmon.requester import Requester
    from jobmon.wire.leases import ExecutorRegistration

#: What a value of a plainly typed key must be. Other types are checked by the manager alone, before it submits.
_PLAIN: Mapping[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}


@attrs.frozen
class ElsewhereExecutor:
    """An executor as its manager has registered it."""

    name: str
    registration: "ExecutorRegistration"

    @property
    def type_name(self) -> str:
        """Its executor type."""
        return self.registration.type

    @property
    def core_resources(self) -> Mapping[str, str]:
        """What it makes of the core's resources."""
        return self.registration.core_resources

    def resource_problems(self, raw: Mapping[str, Any]) -> list[str]:
        """What is wrong with the resources of a task, as far as can be told without the plugin."""
        own = raw.get(self.type_name, {})
        core = {key: value for key, value in raw.items() if key != self.type_name}
        problems = parse_resources(core, type_name=self.type_name)[1]
        if not isinstance(own, Mapping):
            return [*problems, f"{self.type_name}: {own!r} is no table"]
        known = self.registration.resources
        problems += [f"{self.type_name}: {_unknown(str(key), known)}" for key in own if key not in known]
        problems += [f"{self.type_name}: {key!r} is missing" for key in self.registration.required if key not in own]
        for key, value in own.items():
            expected = _PLAIN.get(known.get(key, ""))
            if expected and (not isinstance(value, expected) or isinstance(value, bool) is not (bool in expected)):
                problems.append(f"{self.type_name}: {key} = {value!r}: expected {known[key]}")
        return problems


def _unknown(key: str, known: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(key, known, 1)
    there_are = f"there are {', '.join(sorted(known))}" if known else "there are none"
    return f"unknown resource {key!r}; " + (f"did you mean {close[0]!r}?" if close else there_are)


def served_elsewhere(requester: "Requester | None") -> dict[str, ElsewhereExecutor]:
    """The executors of standing managers, by name; none where no server runs. Starts no server."""
    from jobmon.requester import connect  # the parts that talk over HTTP are slow to import
    from jobmon.wire import routes
    from jobmon.wire.leases import ReadExecutors

    try:
        requester = requester or connect(os.environ, start=False)
        answer = requester.call(routes.EXECUTORS, ReadExecutors())
    except ServerUnreachable:
        return {}
    return {name: ElsewhereExecutor(name, registration) for name, registration in answer.executors.items()}
