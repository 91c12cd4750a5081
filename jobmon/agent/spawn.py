"""From the work of an attempt to its process: no copy of this one is made and no interpreter runs in between."""

import errno
import functools
import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path

from jobmon.trust import make_folder
from jobmon.wire.workers import Work
from jobmon.worker.command import MARK, bash, find_program, plain_words

_MARK = MARK.encode()
NOT_FOUND, CANNOT_RUN = 127, 126  # as shells report them

_OUTPUT = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_STDIN = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
# Python ignores the first two, the agent, or whoever started it, the others; commands expect the default.
_DEFAULTED = [
    signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP,
    signal.SIGTTIN, signal.SIGTTOU,
]  # fmt: skip
#: The host has no room for another process or file just now: not the task's fault, and over after a while.
FULL = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT)
#: What was there a moment ago may not be there any more; nor need there be a folder for the output.
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.EACCES)

FileActions = list[tuple[object, ...]]


class CannotSpawn(Exception):
    """The command cannot be executed as it is. `status` is the one that a shell would give."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


class HostIsFull(Exception):
    """There is no room now for a process, or for its files. It may be tried again."""


class Environments:
    """Makes the environments of commands: that of the agent, and the work's own over it."""

    def __init__(self, base: Mapping[bytes, bytes]) -> None:
        self._base = base
        self._last: tuple[dict[str, str], Mapping[bytes, bytes]] | None = None

    def of(self, work: Work) -> Mapping[bytes, bytes]:
        """The environment of the work's command, but for the mark of its attempt: most have one and the same."""
        if self._last is None or work.env != self._last[0]:
            own = {os.fsencode(name): os.fsencode(value) for name, value in work.env.items()}
            every = {**self._base, **own}
            every.pop(_MARK, None)
            self._last = work.env, every
        return self._last[1]


def enter(folder: str) -> None:
    """Make it the working folder, which new processes inherit: posix_spawn cannot set one.

    Raises:
        CannotSpawn: there is no such folder, or it may not be entered.
    """
    try:
        os.chdir(folder)
    except OSError as error:
        raise CannotSpawn(f"cannot work in the folder {folder}: {error.strerror}", CANNOT_RUN) from error


def make_folders(*files: str) -> None:
    """Make the folders of these files.

    Raises:
        CannotSpawn: one cannot be made.
    """
    for folder in {os.path.dirname(file) for file in files}:  # noqa: PTH120
        _make_folder(folder)


@functools.lru_cache(maxsize=100)
def _make_folder(folder: str) -> None:
    try:
        make_folder(Path(folder), 0o755)
    except FileExistsError:
        return  # it is a file: who opens the output says so
    except OSError as error:
        told = f"cannot make the log folder {folder}: {error.strerror}"
        if error.errno in FULL:
            raise HostIsFull(told) from error
        raise CannotSpawn(told, CANNOT_RUN) from error


def output_actions(stdout: str, stderr: str) -> FileActions:
    """What makes the files the output of the new process, whose input is empty."""
    actions: FileActions = [_STDIN, (os.POSIX_SPAWN_OPEN, 1, stdout, _OUTPUT, 0o644)]
    if stdout == stderr:
        actions.append((os.POSIX_SPAWN_DUP2, 1, 2))
    else:
        actions.append((os.POSIX_SPAWN_OPEN, 2, stderr, _OUTPUT, 0o644))
    return actions


def spawn_command(work: Work, environment: Mapping[bytes, bytes], token: str) -> int:
    """Start the work's command in a session of its own, marked as that of the attempt; its process id.

    Raises:
        CannotSpawn: it cannot be executed.
        HostIsFull: there is no room for a process.
    """
    assert work.command is not None
    environment = {**environment, _MARK: token.encode()}
    if work.command.argv is not None:
        return spawn(work.command.argv, environment, work)
    shell = work.command.shell or ""
    words = plain_words(shell, environment)
    if words is not None:
        try:
            return spawn(words, environment, work)
        except CannotSpawn:
            pass  # bash says why in its own words, or runs what has no interpreter line
    argv, script = bash(shell)
    if script is None:
        return spawn(argv, environment, work)
    with os.fdopen(os.memfd_create("jobmon-script"), "wb") as file:
        file.write(os.fsencode(script))
        file.flush()
        return spawn(argv, environment, work, (os.POSIX_SPAWN_DUP2, file.fileno(), 3))


def spawn(argv: list[str], environment: Mapping[bytes, bytes], work: Work, *more: tuple[object, ...]) -> int:
    """Start a program in the work's folder, with its output files, in a session of its own; its process id.

    `more` are further file actions.

    Raises:
        CannotSpawn: it cannot be executed.
        HostIsFull: there is no room for a process, or for its files.
    """
    enter(work.cwd)
    actions = [*output_actions(work.stdout, work.stderr), *more]
    try:
        return _spawn(argv, environment, work.cwd, actions)
    except OSError as error:
        if error.errno not in _GONE:
            raise _explained(error, argv[0], actions) from error
    look_again()
    make_folders(work.stdout, work.stderr)
    try:
        return _spawn(argv, environment, work.cwd, actions)
    except OSError as error:
        raise _explained(error, argv[0], actions) from error


def _spawn(argv: list[str], environment: Mapping[bytes, bytes], cwd: str, actions: FileActions) -> int:
    program = _program(argv[0], environment.get(b"PATH"), cwd)
    return os.posix_spawn(
        program, argv, environment, file_actions=actions, setsid=True, setsigmask=(), setsigdef=_DEFAULTED
    )


def look_again() -> None:
    """Forget where programs were found and which folders are there.

    Whoever may count on a program that has just been installed comes after this: a task is won after the end of those
    that it needs, so it is enough to look again after each answer to starts.
    """
    _program.cache_clear()
    _make_folder.cache_clear()


@functools.lru_cache(maxsize=100)
def _program(name: str, path: bytes | None, cwd: str) -> str:
    """The file to execute: the first on the command's PATH that may be."""
    candidates = find_program(name, {} if path is None else {b"PATH": path}, cwd)
    for file in candidates:
        if os.access(file, os.X_OK) and not stat.S_ISDIR(os.stat(file).st_mode):  # noqa: PTH116
            return file
    for there in map(Path, candidates):
        if there.exists():
            why = "is a folder" if there.is_dir() else "may not be executed"
            raise CannotSpawn(f"cannot run {name!r}: {there} {why}", CANNOT_RUN)
    where = "there is no such file" if "/" in name else "it is not in any folder of PATH"
    raise CannotSpawn(f"cannot run {name!r}: {where}", NOT_FOUND)


def _explained(error: OSError, name: str, actions: FileActions) -> CannotSpawn | HostIsFull:
    """posix_spawn does not tell which of its steps failed, so the output files are tried here."""
    for action in actions[1:]:
        if action[0] == os.POSIX_SPAWN_OPEN:
            try:
                os.close(os.open(str(action[2]), os.O_WRONLY | os.O_CREAT, 0o644))
            except OSError as refusal:
                told = f"cannot write the output file {action[2]}: {refusal.strerror}"
                return HostIsFull(told) if refusal.errno in FULL else CannotSpawn(told, CANNOT_RUN)
    if error.errno in FULL:
        return HostIsFull(f"cannot start {name!r}: {error.strerror}")
    missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
    why = "its interpreter (first line) does not exist" if missing else error.strerror
    return CannotSpawn(f"cannot run {name!r} ({error.filename}): {why}", NOT_FOUND if missing else CANNOT_RUN)
