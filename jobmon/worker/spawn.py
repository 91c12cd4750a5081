"""Start the command: its own process group, its output straight into files, the worker's death its own."""

from __future__ import annotations

import _signal
import errno
import os

from .kernel import die_with_parent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_FOUND, CANNOT_RUN = 127, 126  # as shells report them


class CannotStart(Exception):
    """The command could not be executed. `status` is the one that a shell would give."""

    def __init__(self, code: int, what: str) -> None:
        self.code = code
        self.status = NOT_FOUND if code in (errno.ENOENT, errno.ENOTDIR) else CANNOT_RUN
        super().__init__(f"{what}: {os.strerror(code)}")


def spawn(
    programs: Sequence[str],
    argv: Sequence[str],
    environment: Mapping[bytes, bytes],
    cwd: str,
    descriptors: Mapping[int, int],
) -> int:
    """Execute the first of `programs` that there is; the child's process id once that has succeeded.

    `descriptors` tells which open file becomes which descriptor of the child. Signals stay blocked in the caller until
    it unblocks them, so that none arrives before it knows the child.

    Raises:
        CannotStart: none can be executed, or there is no such folder.
    """
    told, tell = os.pipe()
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        os.close(told)
        os.close(tell)
        raise CannotStart(error.errno or errno.EAGAIN, "cannot start a process") from error
    if pid == 0:
        _become(programs, argv, environment, cwd, descriptors, tell, parent)
    os.close(tell)
    with open(told, "rb") as pipe:
        failure = pipe.read()
    if failure:
        os.waitpid(pid, 0)
        code, _, what = failure.decode(errors="replace").partition(" ")
        raise CannotStart(int(code), what)
    return pid


def _become(
    programs: Sequence[str],
    argv: Sequence[str],
    environment: Mapping[bytes, bytes],
    cwd: str,
    descriptors: Mapping[int, int],
    tell: int,
    parent: int,
) -> None:
    """In the child: turn into the command, or write why not and end. Never returns."""
    what = "cannot prepare the command"
    try:
        os.setpgid(0, 0)
        _reset_signals()
        die_with_parent(parent)
        # Above all targets first, so that none is overwritten before it is used.
        spare = {target: _above(source) for target, source in descriptors.items()}
        tell = _above(tell)
        for target, source in spare.items():
            os.dup2(source, target)
        what = f"cannot enter the folder {cwd}"
        os.chdir(cwd)
        failed = OSError(errno.ENOENT, "")
        for program in programs:
            what = f"cannot run {argv[0]}"
            try:
                os.execve(program, list(argv), environment)
            except OSError as error:
                # A file that may not be run hides no later one, but is what gets reported.
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    failed = error
                if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                    break
        raise failed
    except OSError as error:
        os.write(tell, f"{error.errno} {what}".encode(errors="replace"))
    except ValueError as error:
        os.write(tell, f"{errno.EINVAL} {what}: {error}".encode(errors="replace"))
    finally:
        os._exit(CANNOT_RUN)


def _above(descriptor: int) -> int:
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 10)


def _reset_signals() -> None:
    """As a program expects them: Python ignores SIGPIPE and SIGXFSZ, the worker has handlers and blocks some, and
    whoever started it may have ignored any.
    """
    for number in _signal.valid_signals():
        if _signal.getsignal(number) is not _signal.SIG_DFL and number not in _FIXED:
            _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, ())


_FIXED = (_signal.SIGKILL, _signal.SIGSTOP)
#: Signals that the worker passes on to the command's process group. The last three are a scheduler's notices.
FORWARDED = (
    _signal.SIGTERM, _signal.SIGINT, _signal.SIGHUP, _signal.SIGUSR1, _signal.SIGUSR2, _signal.SIGXCPU
)  # fmt: skip
