"""Who may do what: the user's token, and credentials that cover one attempt each. Headers are enough to tell."""

import hashlib
import hmac
from collections.abc import Iterable

import attrs

from jobmon.errors import NotAuthorised
from jobmon.wire.proof import proof_of


@attrs.frozen
class Caller:
    """Who has sent a request: the user, the worker of one attempt, or anybody (neither)."""

    is_user: bool = False
    attempt: str = ""  #: the token that a worker's credential covers

    @property
    def name(self) -> str:
        """Told apart from every other's."""
        return "user" if self.is_user else self.attempt

    def check_covers(self, tokens: Iterable[str]) -> None:
        """Accept the user, or the worker whose attempt the message is about and no other.

        Raises:
            NotAuthorised: neither.
        """
        if not self.is_user and set(tokens) != {self.attempt}:
            raise NotAuthorised("this worker's credential does not cover the attempt that it speaks of")


USER, ANYBODY = Caller(is_user=True), Caller()


class Credentials:
    """Makes and checks credentials. Comparisons take constant time."""

    def __init__(self, user_token: str, server_key: bytes) -> None:
        self._token = user_token
        self._user = f"Bearer {user_token}".encode()
        self._key = server_key

    def for_attempt(self, token: str) -> str:
        """The credential of a worker: it allows start, heartbeat and finish of this attempt and nothing else.

        It names the attempt, so that one look at a header, before the message is read, tells whether it is genuine.
        """
        return f"{token}.{hmac.new(self._key, token.encode(), hashlib.sha256).hexdigest()}"

    def proof(self, challenge: str, attempt: str, address: str, database_id: str) -> str:
        """Proof to a worker that this server knows its credential, or to the user that it knows the token."""
        key = self.for_attempt(attempt) if attempt else self._token
        return proof_of(key, challenge, address, database_id)

    def caller(self, authorization: bytes) -> Caller:
        """Whom the header proves to have sent the request.

        Raises:
            NotAuthorised: nobody that is known here.
        """
        if hmac.compare_digest(authorization, self._user):
            return USER
        scheme, _, given = authorization.partition(b" ")
        if scheme == b"Worker":
            token = given.partition(b".")[0].decode(errors="replace")
            if token and hmac.compare_digest(given, self.for_attempt(token).encode()):
                return Caller(attempt=token)
            raise NotAuthorised("this server has not made the worker's credential that was sent")
        raise NotAuthorised(
            "this server does not accept the token that was sent"
            if authorization
            else "this server wants a token; set JOBMON_TOKEN or JOBMON_TOKEN_FILE"
        )
