"""The files of a data folder that tell where its embedded server is: `endpoint.json`, `token`, `server.lock`."""

import fcntl
import os
import secrets
from pathlib import Path

import attrs
import msgspec

from jobmon.errors import ConfigurationError
from jobmon.processes import ProcessIdentity
from jobmon.wire.decoding import Undecodable


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
            ConfigurationError: it cannot be made or written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o755, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {self.path} cannot be made: {error.strerror}. "
                "Set JOBMON_DATA to a folder you can write"
            ) from error
        return self

    def endpoint(self) -> Endpoint | None:
        """The recorded address; None when no server has run here."""
        try:
            return msgspec.json.decode(self.endpoint_file.read_bytes(), type=Endpoint)
        except (FileNotFoundError, *Undecodable):
            return None

    def write_endpoint(self, endpoint: Endpoint) -> None:
        """Record the address, whole or not at all."""
        write_private(self.endpoint_file, msgspec.json.encode(endpoint))

    def token(self) -> str:
        """The user's token, made at the first call: a file of mode 0600.

        Raises:
            ConfigurationError: it cannot be read or written, or holds what is no token.
        """
        path = self.path / "token"
        try:
            if not path.exists():
                with self.locked("token.lock"):
                    if not path.exists():
                        write_private(path, secrets.token_hex(32).encode())
            token = path.read_bytes().decode(errors="replace").strip()
        except OSError as error:
            raise ConfigurationError(f"the token file {path} cannot be used: {error.strerror}") from error
        return checked_token(token, f"the content of {path} (delete it to have a new one made)")

    def locked(self, name: str) -> "FileLock":
        """A lock of this folder, to be used in a `with` statement; waits for whoever holds it."""
        return FileLock(self.path / name)


class FileLock:
    """An advisory lock on a file, held by this process; the kernel lets go of it when the process ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def acquire(self, *, wait: bool) -> bool:
        """Take the lock; False when it is held by another and `wait` is false.

        Raises:
            ConfigurationError: its file cannot be opened.
        """
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"the data folder {self._path.parent} cannot be written ({self._path.name}: {error.strerror}). "
                "Make it writable or make room, or set JOBMON_DATA to another folder"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(self._file)
            return False
        return True

    def release(self) -> None:
        """Let go of the lock."""
        os.close(self._file)

    def __enter__(self) -> "FileLock":
        self.acquire(wait=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


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
