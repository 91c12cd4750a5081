"""Answers as HTTP responses."""

import msgspec
from starlette.responses import Response

from jobmon.errors import JobmonError
from jobmon.wire.problems import to_problem

encode = msgspec.json.Encoder().encode


def answered(body: bytes) -> Response:
    """An answer, which is JSON already."""
    return Response(body, media_type="application/json")


def refused(error: JobmonError) -> Response:
    """What tells of the error."""
    problem = to_problem(error)
    return Response(encode(problem), status_code=problem.status, media_type="application/problem+json")
