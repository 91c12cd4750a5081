"""Finding the server: the one that the environment names, else the embedded one of the data folder."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from jobmon.errors import ConfigurationError, DatabaseGone, NotAuthorised, ServerIncompatible, ServerUnreachable
from jobmon.requester.embedded import ServerSilent, ServerUnproven, find, find_or_start
from jobmon.requester.endpoint import DataFolder, checked_token
from jobmon.requester.requester import Requester
from jobmon.whereabouts import working_folder
from jobmon.wire import routes
from jobmon.wire.health import API_VERSION, Health, ReadHealth

_FIRST_CONTACT_S = 10.0


def data_folder(environ: Mapping[str, str]) -> DataFolder:
    """`JOBMON_DATA`, else `$XDG_DATA_HOME/jobmon`, else `~/.local/share/jobmon`; a `~` means a user's home.

    Raises:
        ConfigurationError: there is none, as this user has no home, or its name is not UTF-8.
    """
    base = environ.get("XDG_DATA_HOME") or "~/.local/share"
    path = placed("JOBMON_DATA", environ.get("JOBMON_DATA") or f"{base}/jobmon")
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise ConfigurationError(
            f"the data folder {os.fsencode(path)!r} has a name that is not UTF-8. Set JOBMON_DATA to another folder"
        ) from error
    return DataFolder(path)


def placed(variable: str, given: str) -> Path:
    """The absolute path that an environment variable gives, or that counts without it; a `~` means a user's home.

    Raises:
        ConfigurationError: there is no such home, or the path is relative and the working folder was removed.
    """
    try:
        path = Path(given).expanduser()
        return path if path.is_absolute() else working_folder() / path
    except RuntimeError as error:
        raise ConfigurationError(
            f"{variable} would be {given}, and there is no such home: set {variable} to a path from / on"
        ) from error


def connect(
    environ: Mapping[str, str] = os.environ,
    *,
    start: bool = True,
    port: int | None = None,
    patience_s: float | None = None,
) -> Requester:
    """A requester to the server in use, which has answered and accepts the token.

    With `JOBMON_SERVER` that server, with the token of `JOBMON_TOKEN` or of the file `JOBMON_TOKEN_FILE`; otherwise the
    embedded server of the data folder, started when none runs (unless `start` is false), on `port`.
    `patience_s` is how long later calls try to reach a server that is away; None: for ever.

    Raises:
        ConfigurationError: the environment names a server without a token or by no address, or the data folder cannot
            be used.
        ServerUnreachable: no server answers.
        NotAuthorised: what listens there does not know the token, which was not sent.
        ServerIncompatible: the server speaks another version of the API.
        StoreError: the embedded server cannot open its database.
    """
    if environ.get("JOBMON_SERVER"):
        requester = Requester(
            _address(environ["JOBMON_SERVER"]), _token(environ), patience_s=patience_s, tunnelled=True
        )
    else:
        try:
            requester = _embedded(data_folder(environ), start, port, patience_s)
        except ServerUnproven as error:
            raise NotAuthorised(str(error)) from error
    health = requester.call(routes.HEALTH, ReadHealth(), patience_s=_FIRST_CONTACT_S if start else 0.0)
    _check_version(requester.url, health)
    requester.database_id = health.database_id
    return requester


def _embedded(folder: DataFolder, start: bool, port: int | None, patience_s: float | None) -> Requester:
    if not start:
        folder.check()
        endpoint = find(folder, wait_s=_FIRST_CONTACT_S)
        if endpoint is None:
            raise ServerUnreachable(f"no server is running for the data folder {folder.path}")
        return Requester(endpoint.url, folder.token(), patience_s=patience_s, data_folder=folder.path)
    endpoint = find_or_start(folder, port)
    url = endpoint.url

    def recover() -> str:
        nonlocal url
        with suppress(ServerSilent):  # it lives, and is asked again
            url = _brought_back(folder, port, endpoint.database_id)
        return url

    return Requester(
        url,
        folder.token(),
        patience_s=patience_s,
        recover=recover,
        data_folder=folder.path,
    )


def _brought_back(folder: DataFolder, port: int | None, database_id: str) -> str:
    """The address of the server of that database, started again if need be.

    Raises:
        DatabaseGone: the folder has another database now, or none.
    """
    if folder.database.exists():
        endpoint = find_or_start(folder, port, wait_s=0.0)
        if endpoint.database_id == database_id:
            return endpoint.url
    raise DatabaseGone(
        f"the database {folder.database} was removed or replaced while it was in use: what was recorded of this run is "
        "gone. Put the data folder back, or run the workflow anew"
    )


def _address(given: str) -> str:
    try:
        parts = urlsplit(given)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        good = False
    if not good:
        raise ConfigurationError(f"JOBMON_SERVER is {given!r}; give an address such as http://host.example:8765")
    return given.rstrip("/")


def _token(environ: Mapping[str, str]) -> str:
    if environ.get("JOBMON_TOKEN"):
        return checked_token(environ["JOBMON_TOKEN"], "JOBMON_TOKEN")
    if not environ.get("JOBMON_TOKEN_FILE"):
        raise ConfigurationError(
            "JOBMON_SERVER is set, but neither JOBMON_TOKEN nor JOBMON_TOKEN_FILE: set one of them"
        )
    path = placed("JOBMON_TOKEN_FILE", environ["JOBMON_TOKEN_FILE"])
    try:
        token = path.read_bytes()
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigurationError(f"JOBMON_TOKEN_FILE names {path}, which cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise ConfigurationError(f"the token file {path} can be read by others; run: chmod 600 {path}")
    return checked_token(token.decode(errors="replace").strip(), f"the content of {path}")


def _check_version(url: str, health: Health) -> None:
    theirs, ours = tuple(health.api_version), API_VERSION
    if theirs[0] != ours[0] or theirs[1] < ours[1]:
        newer = theirs > ours
        raise ServerIncompatible(
            f"the server at {url} (jobmon {health.version}) speaks API {theirs[0]}.{theirs[1]}, this jobmon "
            f"{ours[0]}.{ours[1]}: upgrade " + ("this installation" if newer else "the server")
        )
