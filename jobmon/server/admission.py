"""What is asked of a request's headers before anything of its body is read: who sends it, how much, in which version.

Whoever is refused here has cost less than a request: nothing of the body is read, decoded or compared.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from jobmon.errors import InvalidRequest, JobmonError, MessageTooLarge, NotAuthorised, ServerIncompatible
from jobmon.server.answers import refused
from jobmon.server.credentials import ANYBODY, Caller, Credentials
from jobmon.wire import bounds
from jobmon.wire.health import API_VERSION
from jobmon.wire.routes import API_HEADER, REQUEST_ID_HEADER, ROUTES, Access

#: Keys of an ASGI scope: who sends the request, for those behind; that it was refused here, for its connection.
CALLER, REFUSED = "jobmon.caller", "jobmon.refused"

_DIGITS = 18  #: of a length; Python itself refuses to read thousands of them
_OWN_API = ".".join(map(str, API_VERSION))
_API_HEADER = API_HEADER.lower().encode()
_REQUEST_ID_HEADER = REQUEST_ID_HEADER.lower().encode()


class Admission:
    """The ASGI application in front of the one that answers."""

    def __init__(self, app: ASGIApp, credentials: Credentials) -> None:
        self._app = app
        self._credentials = credentials

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, with its caller in the scope, or refuse it."""
        try:
            scope[CALLER] = self._caller(scope["path"], dict(scope["headers"]))
        except JobmonError as error:
            scope[REFUSED] = True
            await refused(error)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _caller(self, path: str, headers: Mapping[bytes, bytes]) -> Caller:
        route = ROUTES.get(path)
        if route is not None and route.access is Access.ANYONE:
            _check_size(headers, route.most_bytes)
            return ANYBODY
        caller = self._credentials.caller(headers.get(b"authorization", b""))
        if not caller.is_user and (route is None or route.access is not Access.WORKER):
            raise NotAuthorised("a worker's credential allows start, heartbeats and end of its attempt, nothing else")
        check_version(headers.get(_API_HEADER, b"").decode("latin-1"))
        _check_size(headers, bounds.MOST_BYTES if caller.is_user else bounds.MOST_BYTES_OF_A_WORKER)
        if len(headers.get(_REQUEST_ID_HEADER, b"")) > bounds.MOST_REQUEST_ID:
            raise InvalidRequest(f"the header {REQUEST_ID_HEADER} has more than {bounds.MOST_REQUEST_ID} characters")
        return caller


def _check_size(headers: Mapping[bytes, bytes], most_bytes: int) -> None:
    if b"transfer-encoding" in headers:
        raise InvalidRequest("the message must say its length: a header Content-Length, no Transfer-Encoding")
    length = headers.get(b"content-length", b"0")
    if not length.isdigit():
        raise InvalidRequest("the header Content-Length is no number")
    if len(length) > _DIGITS or int(length) > most_bytes:
        raise MessageTooLarge(f"the message has {length.decode()} bytes; {most_bytes} are the most that is taken here")


def check_version(sent: str) -> None:
    """Accept the versions of the API that this server speaks.

    Raises:
        InvalidRequest: it is no version.
        ServerIncompatible: it is another one.
    """
    if sent == _OWN_API:
        return
    try:
        major, minor = (int(part) for part in sent.split("."))
    except ValueError:
        raise InvalidRequest(f"the header {API_HEADER} is {sent[:100]!r}; it must be a version such as 0.1") from None
    if major != API_VERSION[0] or minor > API_VERSION[1]:
        raise ServerIncompatible(
            f"this server speaks API {API_VERSION[0]}.0 to {API_VERSION[0]}.{API_VERSION[1]}, the request "
            f"{sent[:100]}: upgrade the older of the two"
        )
