"""What is told of the end of an attempt: the JSON of `FinishReport`, and the file for one that could not be sent."""

from __future__ import annotations

import os

from .compact import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TAIL_BYTES = 10_000
_MOST_ANSWER_BYTES = 1 << 20

EXIT_NONZERO, SIGNALLED, OUT_OF_MEMORY = "EXIT_NONZERO", "SIGNALLED", "OUT_OF_MEMORY"
CANCELLED, LOST, TIMEOUT, UNKNOWN = "CANCELLED", "LOST", "TIMEOUT", "UNKNOWN"


def outcome(status: int, ended_for: tuple[str, str] | None, passed_on: str | None) -> dict[str, Any]:
    """Reason, exit status, signal and detail of a command that ended with this wait status.

    `ended_for` is the reason and the words for it when the worker itself put an end to the command, `passed_on` the
    name of a signal that the worker got from outside and gave to the command.
    """
    told: dict[str, Any] = {"reason": None, "exit_status": None, "signal": None, "detail": None}
    if os.WIFSIGNALED(status):
        told["signal"] = os.WTERMSIG(status)
        told["reason"] = SIGNALLED
    else:
        told["exit_status"] = os.WEXITSTATUS(status)
        told["reason"] = EXIT_NONZERO if told["exit_status"] else None
    if passed_on is not None and told["reason"] is not None:
        told["detail"] = f"its worker received {passed_on} and passed it on"
    if ended_for is not None:
        told["reason"], told["detail"] = ended_for
    return told


def ending_signal(status: int) -> int | None:
    """The signal that ended the command, or a part of it, of which a shell tells by its status: 128 and the signal."""
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)
    return os.WEXITSTATUS(status) - 128 if os.WEXITSTATUS(status) > 128 else None


def with_answer(told: dict[str, Any], answer: bytes) -> dict[str, Any]:
    """The outcome of a call: that of its process, completed by the answer that it wrote (see `calls.answer`)."""
    if told["reason"] not in (None, EXIT_NONZERO):
        return told
    try:
        said = loads(answer)
    except ValueError:
        said = {}
    if told["reason"] is None and "result" in said:
        return told | {"result": said["result"]}
    ended = f"its interpreter ended with status {told['exit_status']} before it had answered"
    return told | {"reason": EXIT_NONZERO, "detail": said.get("failed") or told["detail"] or ended}


def explained(told: dict[str, Any]) -> dict[str, Any]:
    """The outcome with a word on the end of a command that failed, where none says more; an agent says the same."""
    if told["reason"] is None or told["detail"]:
        return told
    how = f"ended by signal {told['signal']}" if told["signal"] else f"exit status {told['exit_status']}"
    return told | {"detail": how}


def tail(path: str) -> str | None:
    """The end of a file as text, at most 10 kB in UTF-8; None when it cannot be read."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            data = file.read(TAIL_BYTES)
    except OSError:
        return None
    text = data.decode(errors="replace").encode()  # a byte that is not UTF-8 becomes three
    return text[-TAIL_BYTES:].decode(errors="ignore")


def read_answer(descriptor: int) -> bytes:
    """What a call wrote."""
    return os.pread(descriptor, _MOST_ANSWER_BYTES, 0)


def keep(path: str, body: dict[str, Any]) -> None:
    """Leave the body of a request in a file, whole or not at all, also if the host fails.

    Raises:
        OSError: it cannot be written.
    """
    os.makedirs(os.path.dirname(path) or ".", 0o700, exist_ok=True)
    passing = f"{path}.{os.getpid()}"
    descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(dumps(body))
        file.flush()
        os.fsync(descriptor)
    os.rename(passing, path)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
