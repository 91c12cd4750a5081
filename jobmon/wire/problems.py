"""How an error travels: RFC 9457 problem details whose `type` is the name of a class of `jobmon.errors`."""

from collections.abc import Sequence
from typing import Any

import attrs

from jobmon import errors

#: The HTTP status of each error that a server answers with.
STATUS: dict[type[errors.JobmonError], int] = {
    errors.InvalidRequest: 400,
    errors.MessageTooLarge: 413,
    errors.NotAuthorised: 401,
    errors.WorkflowExists: 409,
    errors.WorkflowActive: 409,
    errors.WorkflowChanged: 409,
    errors.Superseded: 409,
    errors.InvalidTransition: 409,
    errors.ConfigurationError: 422,
    errors.InvalidWorkflow: 422,
    errors.ServerIncompatible: 426,
    errors.ServerError: 500,
    errors.StoreError: 503,
    errors.DatabaseGone: 503,
}
_SHOWN = 10
_BY_NAME = {error.__name__: error for error in STATUS}


@attrs.frozen
class Problem:
    """An error on the wire. `data` carries what a program may need beside the text."""

    type: str
    status: int
    detail: str
    data: dict[str, Any] = attrs.field(factory=dict)


def to_problem(error: errors.JobmonError) -> Problem:
    """The problem that tells of the error; errors that have no status of their own travel as ServerError."""
    kind = next((cls for cls in type(error).__mro__ if cls in STATUS), errors.ServerError)
    return Problem(kind.__name__, STATUS[kind], str(error), dict(error.data))


def to_error(problem: Problem) -> errors.JobmonError:
    """The error that the problem tells of, with its `data`."""
    error = _BY_NAME.get(problem.type, errors.ServerError)(problem.detail)
    error.data = problem.data
    return error


def error_of_all(refused: Sequence[Problem]) -> errors.JobmonError:
    """One error that tells of what was refused of a batch, of the kind of the first."""
    error = to_error(refused[0])
    more = [f"and {len(refused) - _SHOWN:,} more"] if len(refused) > _SHOWN else []
    told = "; ".join([*dict.fromkeys(problem.detail for problem in refused[:_SHOWN]), *more])
    return type(error)(told, error.data)
