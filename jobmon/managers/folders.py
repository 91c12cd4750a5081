"""Where a manager keeps the files of one executor."""

import os
import re
from pathlib import Path

import attrs

from jobmon.requester import Requester
from jobmon.requester.connecting import data_folder


@attrs.frozen
class Folders:
    """Private folders of one executor and workflow on this host, kept across restarts of the manager."""

    state: Path  #: the executor's own
    starts: Path  #: start files of workers, which hold credentials
    outbox: Path  #: reports that workers could not send
    platform_logs: Path  #: the platform's own output
    endpoint_file: Path | None  #: where the embedded server writes its address
    shared: Path  #: what all executors of all workflows use: the worker's file


def folders_of(requester: Requester, workflow_id: int, executor: str) -> Folders:
    """The folders, made if they are not there. Short paths: an executor may keep a socket in its own."""
    base = requester.data_folder
    if base is None:  # the server is elsewhere
        base = data_folder(os.environ).path
    shared = base / "managers"
    cleaned = re.sub(r"[^A-Za-z0-9_.-]+", "_", executor)
    own = shared / requester.database_id[:8] / f"{workflow_id}-{cleaned}"
    folders = Folders(
        state=own / "state",
        starts=own / "starts",
        outbox=own / "outbox",
        platform_logs=own / "platform",
        endpoint_file=requester.data_folder / "endpoint.json" if requester.data_folder else None,
        shared=shared,
    )
    for folder in (shared, folders.state, folders.starts, folders.outbox, folders.platform_logs):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folders
