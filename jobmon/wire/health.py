"""Who answers at an address."""

import attrs

from jobmon.wire.bounds import Challenge, Name, Port, Token

#: Version of the HTTP interface: client and server must have the same first number, and the server no lower second one.
API_VERSION = (0, 1)


@attrs.frozen
class ReadHealth:
    """Ask who answers. Needs no token."""

    challenge: Challenge | None = None  #: what the server shall prove its knowledge of a key with
    attempt: Token = ""  #: whose credential is that key; empty: the user's token is


@attrs.frozen
class Health:
    """One server over one database."""

    database_id: str
    api_version: tuple[int, int]
    version: str
    host: str
    pid: int
    address: str = ""  #: where it accepted the connection
    proof: str = ""  #: that it knows the key (`jobmon.wire.proof`); empty where nothing was asked


@attrs.frozen
class Listen:
    """Have the server listen at a further address of its host, for workers elsewhere. A second time changes nothing."""

    host: Name  #: a name or an address
    port: Port | None = None  #: None: the number that it has on loopback if it is free there, else any


@attrs.frozen
class Listening:
    """Where it is reached now."""

    url: str
