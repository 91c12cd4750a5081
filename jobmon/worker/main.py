"""What `worker.pyz` does."""

from __future__ import annotations

import os
import sys

from .compact import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

USAGE, BAD_START_FILE = 64, 78  # EX_USAGE, EX_CONFIG of sysexits.h


def main(argv: list[str]) -> NoReturn:
    """Do what the arguments say, and end with the status that it has."""
    hold_standard_descriptors()
    match argv:
        case ["run", start_file]:
            status = _run(start_file, None)
        case ["run", start_file, index] if index.isdecimal():
            status = _run(start_file, int(index))
        case ["call", read_from, write_to]:
            status = _call(int(read_from), int(write_to))
        case ["payload"]:
            from .alone import run_alone

            status = run_alone()
        case _:
            sys.stderr.write("usage: worker.pyz run START_FILE [INDEX] | payload | call IN_FD OUT_FD\n")
            status = USAGE
    sys.stderr.flush()
    if argv[:1] == ["run"]:
        os._exit(status)  # nothing is left to clean up, and taking Python down has a price that every job would pay
    sys.exit(status)


def hold_standard_descriptors() -> None:
    """Open /dev/null as whichever of 0, 1 and 2 is closed, lest a socket or a file of ours becomes one of them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", encoding="utf-8")


def _run(start_file: str, index: int | None) -> int:
    from .attempt import Attempt, say

    try:
        with open(start_file, encoding="utf-8") as file:
            attempt = Attempt(loads(file.read()), os.path.abspath(sys.path[0]), index)
    except (OSError, ValueError, LookupError, TypeError) as error:
        say(f"cannot use the start file {start_file}: {type(error).__name__}: {error}")
        return BAD_START_FILE
    return attempt.run()


def _call(read_from: int, write_to: int) -> int:
    for descriptor in (read_from, write_to):
        os.set_inheritable(descriptor, False)  # what the call starts shall not hold them
    bare, path = set(sys.modules), list(sys.path)
    library = os.path.dirname(os.__file__)
    if library in path:  # what is imported here is Python's own, whatever the folders of PYTHONPATH hold
        sys.path[1:] = path[path.index(library) :]
    from . import calls

    sys.path[:] = path[1:]  # without the archive: the user's modules are found as they are without it
    calls.OURS.update(sys.modules.keys() - bare)
    calls.give_way(path[1 : path.index(library)] if library in path else [])
    with open(read_from, encoding="utf-8") as file:
        call = loads(file.read())
    sys.argv = [call["module"]]
    answer = calls.answer(call)
    with open(write_to, "w", encoding="ascii") as file:
        file.write(dumps(answer))
    return int(answer.get("status", 0))
