"""How a server proves that it knows a key, before anybody shows it that key: whoever took over its port does not.

The address at which the server was reached is part of the proof: a stranger who passes a challenge on to the server
gets one for another address than his own. A challenge has a fixed length, so that no two messages read alike.
"""

import hashlib
import hmac
import secrets
from typing import Any

_LABEL = "jobmon server"


def new_challenge() -> str:
    """32 characters that nobody can know beforehand."""
    return secrets.token_hex(16)


def proof_of(key: str, challenge: str, address: str, database_id: str) -> str:
    """What only who knows the key can say; `address` is where the server was reached, as `address_of` writes it."""
    message = "\n".join((_LABEL, challenge, address, database_id))
    return hmac.new(key.encode(), message.encode(), hashlib.sha256).hexdigest()


def is_proof(given: str, key: str, challenge: str, address: str, database_id: str) -> bool:
    """Whether it is that; in constant time."""
    return hmac.compare_digest(given.encode(), proof_of(key, challenge, address, database_id).encode())


def address_of(name: Any) -> str:
    """One end of a connection, from what `getsockname` or `getpeername` tells; alike at both ends."""
    host = str(name[0]).partition("%")[0].removeprefix("::ffff:")
    return f"{host}:{name[1]}"
