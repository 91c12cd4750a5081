"""Area robustness: what is secret stands nowhere where others can read it."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import attrs

from jobmon.plugins import Outcome
from jobmon.testing.held import audited
from jobmon.testing.sentences import Area, holds
from jobmon.testing.world import World

_STARTS = ("subprocess.Popen", "os.posix_spawn", "os.system", "os.exec")
_MOST_BYTES = 1 << 20
_DELIVERED = (
    "The environment of a task is delivered by its worker or, where the platform alone reports, on the standard input "
    "of context.payload_argv()"
)


class SecretChecks:
    """A variable of a task, and the token with which the manager asks its server."""

    @holds(Area.ROBUSTNESS, "No secret stands on a command line, or in a name.")
    def test_no_secret_stands_on_a_command_line(self, world: World) -> None:
        words, events = self._live(world)
        lines = [f"the command line {_short(line)}" for line in (*_started(events), *_running())]
        lines += [f"the name {name!r}" for name in world.names_at_the_platform() or ()]
        wrong = {f"{what} stands in {line}" for what, word in words.items() for line in lines if word in line}
        assert not wrong, f"{'; '.join(sorted(wrong))}: every user of the host can read it there. {_DELIVERED}"

    @holds(Area.ROBUSTNESS, "No secret stands in a file that others can read.")
    def test_no_secret_stands_in_a_file_that_others_can_read(self, world: World) -> None:
        words, events = self._live(world)
        files = {*_written(events), *(path for path in world.folder.rglob("*") if path.is_file())}
        wrong = {
            f"{what} stands in {path}, whose mode is {path.stat().st_mode & 0o777:o}"
            for path in files
            if _is_readable(path, world.folder)
            for what, word in words.items()
            if word.encode() in path.read_bytes()[:_MOST_BYTES]
        }
        assert not wrong, (
            f"{'; '.join(sorted(wrong))}. {_DELIVERED}. What must be in a file is written there with mode 600, from "
            "its beginning on, in context.state_folder"
        )

    @staticmethod
    def _live(world: World) -> tuple[dict[str, str], list[tuple[str, tuple[object, ...]]]]:
        """Lead a life with secrets: which they are, and what the executor did in its thread."""
        secret = secrets.token_hex(12)
        os.environ.setdefault("JOBMON_TOKEN", secrets.token_hex(12))  # it is put back when the world is closed
        os.umask(0o022)
        words = {"the variable JOBMON_KIT_SECRET of the task": secret, "JOBMON_TOKEN": os.environ["JOBMON_TOKEN"]}
        request = attrs.evolve(world.requests()[0], environment={"JOBMON_KIT_SECRET": secret})
        world.platform.prepare(request)
        events: list[tuple[str, tuple[object, ...]]] = []

        def submit() -> dict[str, Outcome]:
            with audited() as noted:
                told = dict(world.executor.submit(requests=[request]))
            events.extend(noted)
            return told

        told = world.call("submit", submit)
        world.observe([world.submitted(request, told.get(request.token))])
        return words, events


def _started(events: list[tuple[str, tuple[object, ...]]]) -> Iterator[str]:
    """The command lines that were run."""
    for event, arguments in events:
        if event in _STARTS:
            yield " ".join(_words(arguments[1] if len(arguments) > 1 else arguments[0]))


def _words(argv: object) -> list[str]:
    return [os.fsdecode(one) for one in argv] if isinstance(argv, list | tuple) else [str(argv)]


def _running() -> Iterator[str]:
    """The command lines of this user's processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.stat().st_uid == os.getuid():
                yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has just ended


def _written(events: list[tuple[str, tuple[object, ...]]]) -> Iterator[Path]:
    """The files that were opened for writing and are there still."""
    for event, arguments in events:
        if event == "open" and isinstance(arguments[0], str | bytes):
            writes = isinstance(arguments[2], int) and arguments[2] & os.O_ACCMODE != os.O_RDONLY
            path = Path(os.fsdecode(arguments[0])).absolute()
            if writes and path.is_file():
                yield path


def _is_readable(path: Path, folder: Path) -> bool:
    """Whether others could read it, if the test's folder were a folder of everybody's."""
    inside = path.is_relative_to(folder)
    above = [one for one in path.parents if not inside or (one != folder and one.is_relative_to(folder))]
    try:
        return bool(path.stat().st_mode & 0o044) and all(one.stat().st_mode & 0o011 for one in above)
    except FileNotFoundError:
        return False


def _short(line: str) -> str:
    return line if len(line) <= 300 else f"{line[:300]}..."
