"""A manager's process that is started ahead of its workflow, so that its imports are over when that begins."""

import os
import sys

import attrs
import msgspec

#: A manager's exit status when another one has taken its place, which must not be fought; none of `jobmon.cli.exits`.
SUPERSEDED = 20
#: Its exit status when no server answers: that of the command line.
SERVER_AWAY = 3


@attrs.frozen
class Told:
    """What such a process is told, a line of JSON on its standard input."""

    workflow_id: int
    log_file: str


def await_workflow() -> int | None:
    """The workflow that this process shall serve, None if there is none; its output goes to the log from now on."""
    line = sys.stdin.buffer.readline()
    if not line:
        return None
    told = msgspec.json.decode(line, type=Told)
    log = os.open(told.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, descriptor in ((null, 0), (log, 1), (log, 2)):
        os.dup2(source, descriptor)
    os.close(log)
    os.close(null)
    return told.workflow_id
