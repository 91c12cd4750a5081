"""The keeper: holds the lock of the agent's folder, and ends what the spawner leaves behind when it dies."""

import fcntl
import os
import signal
import traceback
from pathlib import Path

from jobmon.agent.descendants import become_subreaper, end_descendants
from jobmon.agent.saying import say
from jobmon.trust import make_folder
from jobmon.worker.memory import oom_kills

#: How long a new agent waits for the lock of one that is about to end.
LOCK_WAIT_S = 60
EXIT_LOCKED = 75


def keep(folder: Path, *, workers: int, idle_s: float, grace_s: float) -> int:
    """Run a spawner as a child and stay until it ends; the exit status.

    The spawner imports what it needs after the fork, so that this process stays small.
    """
    make_folder(folder)
    if not _lock(folder / "lock"):
        say(f"another agent holds {folder / 'lock'} for {LOCK_WAIT_S} s")
        return EXIT_LOCKED
    become_subreaper()
    kills = oom_kills()
    keeper_end, spawner_end = os.pipe()  # the read end tells the spawner when the keeper is gone
    spawner = os.fork()
    if spawner == 0:
        os.close(spawner_end)
        _serve(folder, keeper_end, workers, idle_s, grace_s)
    os.close(keeper_end)
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(devnull, 1)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(spawner, signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == spawner:
            break
    end_descendants()
    return _told(os.waitstatus_to_exitcode(status), oom_kills() != kills)


def _told(code: int, for_memory: bool) -> int:
    """The exit status for one of the spawner, in the manner of shells; a signal is told of."""
    if code >= 0:
        return code
    why = ": the kernel killed it for want of memory" if code == -signal.SIGKILL and for_memory else ""
    say(f"agent: it was ended by signal {-code}{why}")
    return 128 - code


def _lock(path: Path) -> bool:
    """Hold the lock until this process and the spawner are gone; False when somebody else does for too long."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    os.fchmod(fd, 0o600)  # whatever the umask, which is the tasks'

    def too_long(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LOCK_WAIT_S)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
    except TimeoutError:
        return False
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return True


def _serve(folder: Path, keeper_end: int, workers: int, idle_s: float, grace_s: float) -> None:
    """The spawner's life; never returns."""
    status = 70
    try:
        become_subreaper()  # it is not inherited
        from jobmon.agent.service import serve

        serve(folder, keeper_end, workers=workers, idle_s=idle_s, grace_s=grace_s)
        status = 0
    finally:
        if status:
            say(traceback.format_exc())
        end_descendants()
        os._exit(status)
