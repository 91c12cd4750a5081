"""Where a manager keeps the files of one executor."""

import os
import re
import tempfile
from pathlib import Path

import attrs

from jobmon.errors import ConfigurationError
from jobmon.requester import Requester
from jobmon.requester.connecting import data_folder
from jobmon.trust import check, make_folder


@attrs.frozen
class Folders:
    """Private folders of one executor and workflow, kept across restarts of the manager; all but `state` are shared
    with the hosts of its workers.
    """

    state: Path  #: the executor's own
    starts: Path  #: start files of workers, which hold credentials
    outbox: Path  #: reports that workers could not send
    platform_logs: Path  #: the platform's own output
    endpoint_file: Path | None  #: where the embedded server writes its address
    workers_endpoint: Path  #: where the manager writes the server's address for workers on other hosts
    shared: Path  #: what all executors of all workflows use: the worker's file

    def output_path(self, token: str, index: str = "") -> Path:
        """The file for the platform's own output of a submission, or of a member of an array."""
        return self.platform_logs / (f"{token}.{index}.out" if index else f"{token}.out")


def folders_of(requester: Requester, workflow_id: int, executor: str, shared_folder: str | None = None) -> Folders:
    """The folders, made if they are not there. Short paths: an executor may keep a socket in its own.

    Raises:
        ConfigurationError: one cannot be made, or belongs to somebody else.
    """
    private = _private(requester)
    shared = check_shared(executor, shared_folder) or private
    cleaned = re.sub(r"[^A-Za-z0-9_.-]+", "_", executor)
    own = Path(requester.database_id[:8]) / f"{workflow_id}-{cleaned}"
    folders = Folders(
        state=private / own / "state",
        starts=shared / own / "starts",
        outbox=shared / own / "outbox",
        platform_logs=shared / own / "platform",
        endpoint_file=requester.data_folder / "endpoint.json" if requester.data_folder else None,
        workers_endpoint=shared / own / "server.json",
        shared=shared,
    )
    for folder in (shared, folders.state, folders.starts, folders.outbox, folders.platform_logs):
        _make(folder)
    return folders


def _private(requester: Requester) -> Path:
    base = requester.data_folder
    if base is None:  # the server is elsewhere
        base = data_folder(os.environ).path
    return base / "managers"


def check_shared(executor: str, shared_folder: str | None) -> Path | None:
    """This user's part of an executor's `shared_folder`, if it has one; it is there, and can be written.

    Raises:
        ConfigurationError: it is relative, cannot be written, or this user's part of it belongs to somebody else.
    """
    if shared_folder is None:
        return None
    where = f"shared_folder of [executors.{executor}.host]"
    base = Path(shared_folder).expanduser()
    if not base.is_absolute():
        raise ConfigurationError(
            f"{where}: {shared_folder} means another folder to each process; give a path from / on"
        )
    folder = base / f"jobmon-{os.getuid()}"
    try:
        _make(folder)
        with tempfile.TemporaryFile(dir=folder):
            status = folder.stat()
    except OSError as error:
        raise ConfigurationError(f"{where}: {folder} cannot be written: {error.strerror}") from error
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise ConfigurationError(
            f"{where}: {folder} would hold the credentials of workers, and others can use it "
            f"(owner {status.st_uid}, mode {status.st_mode & 0o7777:o}). Remove it, or name another folder"
        )
    return folder


def _make(folder: Path) -> None:
    try:
        make_folder(folder)
    except OSError as error:
        raise ConfigurationError(f"the folder {folder} cannot be made: {error.strerror}") from error
    check(folder, "the folder", "remove it, or name another folder")
