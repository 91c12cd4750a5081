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
_listening: dict[int, list[tuple[str, tuple[object, ...]]]] = {}  #: by thread, where effects are noted
_hooked: list[bool] = []


@attrs.frozen
class Held:
    """What this process holds."""

    threads: frozenset[object]
    files: frozenset[object]
    processes: frozenset[object]

    @classmethod
    def now(cls, *, whole: bool = False) -> "Held":
        """What it holds now, without what is only waiting to be collected: of what is young, or the whole."""
        gc.collect(2 if whole else 1)  # the whole takes long, where much is loaded
        return cls(frozenset(threading.enumerate()), frozenset(_open_files()), frozenset(_children()))

    def added(self, least: int) -> dict[str, int]:
        """Of what so many or more are held now that were not held then."""
        grown: dict[str, int] = {}
        for whole in (False, True):
            now = Held.now(whole=whole).grown(self)
            grown = {kind: more for kind, more in now.items() if more >= least}
            if not grown:
                break
        return grown

    def grown(self, before: "Held") -> dict[str, int]:
        """How many it holds that it did not hold before. What was held then and is let go hides nothing."""
        return {
            field.name: len(getattr(self, field.name) - getattr(before, field.name)) for field in attrs.fields(Held)
        }


def _open_files() -> Iterator[tuple[str, str]]:
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            yield descriptor.name, str(descriptor.readlink())
        except FileNotFoundError:
            continue  # it was closed just now, as the one that lists them is


def _children() -> Iterator[str]:
    for path in Path("/proc/self/task").glob("*/children"):  # see proc(5)
        try:
            yield from path.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # the thread has ended just now: its children are another's


@contextmanager
def effects() -> Iterator[list[str]]:
    """The effects on the world of what this thread does in the block, in words, when it has ended."""
    told: list[str] = []
    with audited() as noted:
        yield told
    for event, arguments in noted:
        imports = event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so"))
        if not imports:
            told.append(f"{event} {arguments[0] if arguments else ''}")


@contextmanager
def audited() -> Iterator[list[tuple[str, tuple[object, ...]]]]:
    """The same as audit events tell them (PEP 578), and their arguments."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_note)
    noted: list[tuple[str, tuple[object, ...]]] = []
    _listening[threading.get_ident()] = noted
    try:
        yield noted
    finally:
        del _listening[threading.get_ident()]


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if not _listening or event not in _EFFECTS:
        return
    noted = _listening.get(threading.get_ident())
    if noted is not None:
        noted.append((event, arguments))
