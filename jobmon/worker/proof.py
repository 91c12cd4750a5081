"""The server proves that it knows this worker's credential before it is sent it: `jobmon.wire.proof` for the worker.

HMAC is spelt out, as importing `hmac` or `hashlib` loads OpenSSL, which every job would pay for.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

try:
    from _sha2 import sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found]  # before Python 3.12
    except ImportError:
        from hashlib import sha256

_BLOCK = 64


def proof_of(key: str, challenge: str, address: str, database_id: str) -> str:
    """What only who knows the key can say; `address` is where the server was reached."""
    secret = key.encode()
    secret = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    message = "\n".join(("jobmon server", challenge, address, database_id)).encode()
    inner = sha256(bytes(byte ^ 0x36 for byte in secret) + message).digest()
    return str(sha256(bytes(byte ^ 0x5C for byte in secret) + inner).hexdigest())


def is_proof(health: Any, key: str, challenge: str, reached_at: str | None) -> bool:
    """Whether the answer proves it; None for `reached_at` leaves open where the server is."""
    if not isinstance(health, dict):
        return False
    address, database_id = str(health.get("address")), str(health.get("database_id"))
    if reached_at is not None and address != reached_at:
        return False
    return bool(health.get("proof") == proof_of(key, challenge, address, database_id))


def address_of(name: Any) -> str:
    """One end of a connection, from what `getpeername` tells."""
    return f"{str(name[0]).partition('%')[0].removeprefix('::ffff:')}:{name[1]}"
