"""Who may do what: the user's token, and credentials that cover one attempt each."""

import hashlib
import hmac
from collections.abc import Iterable

from jobmon.errors import NotAuthorised


class Credentials:
    """Makes and checks credentials. Comparisons take constant time."""

    def __init__(self, user_token: str, server_key: bytes) -> None:
        self._user = f"Bearer {user_token}".encode()
        self._key = server_key

    def for_attempt(self, token: str) -> str:
        """The credential of a worker: it allows start, heartbeat and finish of this attempt and nothing else."""
        return hmac.new(self._key, token.encode(), hashlib.sha256).hexdigest()

    def is_user(self, authorization: str) -> bool:
        """Whether the header carries the user's token."""
        return hmac.compare_digest(authorization.encode(), self._user)

    def check_user(self, authorization: str) -> None:
        """Accept the user's token only.

        Raises:
            NotAuthorised: the header carries none, or another.
        """
        if not self.is_user(authorization):
            raise NotAuthorised(
                "this server does not accept the token that was sent"
                if authorization
                else "this server wants a token; set JOBMON_TOKEN or JOBMON_TOKEN_FILE"
            )

    def check_worker(self, authorization: str, tokens: Iterable[str]) -> None:
        """Accept the user's token, or the credential of exactly the attempts that the message is about.

        Raises:
            NotAuthorised: neither.
        """
        if self.is_user(authorization):
            return
        scheme, _, credential = authorization.partition(" ")
        given, covered = credential.encode(), [self.for_attempt(token).encode() for token in tokens]
        if scheme != "Worker" or not covered or not all(hmac.compare_digest(given, wanted) for wanted in covered):
            raise NotAuthorised("this worker's credential does not cover the attempt that it speaks of")
