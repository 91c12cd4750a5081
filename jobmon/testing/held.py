"""What this process holds: threads, open files, child processes; and what a stretch of code does to the world."""

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

_EFFECTS = ("open", "subprocess.Popen", "os.posix_spawn", "os.fork", "os.system", "os.mkdir", "socket.connect",
            "socket.bind", "_thread.start_new_thread", "_thread.start_joinable_thread", "sqlite3.connect")  # fmt: skip
_listening: dict[int, list[str]] = {}  #: by thread, where effects are noted
_hooked: list[bool] = []


@attrs.frozen
class Held:
    """A count of what this process holds."""

    threads: int
    files: int
    children: int

    @classmethod
    def now(cls) -> "Held":
        """What it holds now, without what is only waiting to be collected."""
        gc.collect()
        return cls(threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), _children())

    def grown(self, before: "Held") -> dict[str, int]:
        """What there is more of than before."""
        pairs = zip(attrs.astuple(self), attrs.astuple(before), [a.name for a in attrs.fields(Held)], strict=True)
        return {name: now - then for now, then, name in pairs if now > then}


def _children() -> int:
    """How many children this process has, also those that have ended and were not waited for (see proc(5))."""
    return sum(len(path.read_text().split()) for path in Path("/proc/self/task").glob("*/children"))


@contextmanager
def effects() -> Iterator[list[str]]:
    """The effects on the world of what this thread does in the block, as audit events tell them (PEP 578)."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_note)
    noted = _listening[threading.get_ident()] = []
    try:
        yield noted
    finally:
        del _listening[threading.get_ident()]


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if not _listening or event not in _EFFECTS:
        return
    noted = _listening.get(threading.get_ident())
    imports = event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so"))
    if noted is not None and not imports:
        noted.append(f"{event} {arguments[0] if arguments else ''}")
