"""The files of a data folder that tell where its embedded server is: `endpoint.json`, `token`, `server.lock`."""

import os
import secrets
from pathlib import Path
from typing import IO

import attrs
import msgspec

from jobmon import trust
from jobmon.errors import ConfigurationError
from jobmon.processes import ProcessIdentity
from jobmon.requester.locks import FileLock, is_held
from jobmon.wire.decoding import Undecodable

_TOKEN_WAIT_S = 30.0
_OTHERWISE = "remove it if you do not know where it comes from, or set JOBMON_DATA to a folder of your own"


@attrs.frozen
class Outside:
    """Where a server listens beside loopback: the address and port that are bound, and the URL that workers get."""

    host: str
    port: int
    url: str


@attrs.frozen
class Endpoint:
    """Where the server of a data folder listens, and which process it is. `url` is for this host."""

    url: str
    database_id: str
    host: str
    boot_id: str
    pid: int
    started: int
    outside: tuple[Outside, ...] = ()

    @property
    def process(self) -> ProcessIdentity:
        """The server's process."""
        return ProcessIdentity(self.host, self.boot_id, self.pid, self.started)


@attrs.frozen
class DataFolder:
    """The folder that holds the database and everything else that outlives a server."""

    path: Path

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.path / "jobmon.db"

    @property
    def endpoint_file(self) -> Path:
        """Where the running, or the last, server wrote its address."""
        return self.path / "endpoint.json"

    @property
    def logs(self) -> Path:
        """Default folder of the tasks' output."""
        return self.path / "logs"

    @property
    def server_log(self) -> Path:
        """What an embedded server prints."""
        return self.path / "server.log"

    def make(self) -> "DataFolder":
        """This folder, made for its user alone if it is not there.

        Raises:
            ConfigurationError: it cannot be made or written, or others own or can write it or something in it.
        """
        try:
            trust.make_folder(self.path)
            trust.make_folder(self.logs, 0o755)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {self.path} cannot be made: {error.strerror}. "
                "Set JOBMON_DATA to a folder you can write"
            ) from error
        self.check()
        return self

    def check(self) -> None:
        """See that nobody else can have put anything there.

        Raises:
            ConfigurationError: others own or can write the folder, or something in it.
        """
        trust.check_folder(self.path, "the data folder", _OTHERWISE)

    def endpoint(self) -> Endpoint | None:
        """The recorded address; None when no server has run here.

        Raises:
            ConfigurationError: others own or can write the file.
        """
        try:
            content = trust.read(self.endpoint_file, "the endpoint file", _OTHERWISE)
            return msgspec.json.decode(content, type=Endpoint)
        except (FileNotFoundError, NotADirectoryError, *Undecodable):
            return None
        except OSError as error:
            raise ConfigurationError(f"{self.endpoint_file} cannot be read: {error.strerror}") from error

    def write_endpoint(self, endpoint: Endpoint) -> None:
        """Record the address, whole or not at all."""
        write_private(self.endpoint_file, msgspec.json.encode(endpoint))

    def served(self) -> bool:
        """Whether a server of this folder lives, whatever its host is called: it holds a lock.

        Raises:
            ConfigurationError: the lock cannot be asked for.
        """
        return is_held(self.path / "server.lock")

    def open_log(self) -> IO[bytes]:
        """The file of what an embedded server prints, to append to.

        Raises:
            ConfigurationError: it cannot be opened.
        """
        try:
            return trust.open_log(self.server_log)
        except OSError as error:
            raise ConfigurationError(f"{self.server_log} cannot be written: {error.strerror}") from error

    def token(self) -> str:
        """The user's token, made at the first call: a file of mode 0600.

        Raises:
            ConfigurationError: it cannot be read or written, others can do so, too, or it holds what is no token.
        """
        path = self.path / "token"
        try:
            if not path.exists():
                self._make_token(path)
            token = trust.read(path, "the token file", _OTHERWISE, secret=True).decode(errors="replace").strip()
        except OSError as error:
            raise ConfigurationError(f"the token file {path} cannot be used: {error.strerror}") from error
        return checked_token(token, f"the content of {path} (delete it to have a new one made)")

    def _make_token(self, path: Path) -> None:
        lock = self.lock("token.lock")
        if not lock.acquire(wait_s=_TOKEN_WAIT_S):
            raise ConfigurationError(f"another process has been making {path} for more than {_TOKEN_WAIT_S:.0f} s")
        try:
            if not path.exists():
                write_private(path, secrets.token_hex(32).encode())
        finally:
            lock.release()

    def lock(self, name: str) -> FileLock:
        """A lock of this folder."""
        return FileLock(self.path / name)


def checked_token(token: str, what: str) -> str:
    """The token, if it can be one: it travels in a header of HTTP.

    Raises:
        ConfigurationError: it is empty or holds other characters than printable ASCII; `what` says where it stood.
    """
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError(f"{what} is no token: one word of printable ASCII characters")
    return token


def write_private(path: Path, content: bytes) -> None:
    """Write a file of mode 0600, whole or not at all."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
