"""The loop of a warm interpreter: one Python call after the other, told and answered through a socket.

Standard library only; run by path (`python warm.py FD`) with the interpreter of the user's task. A message is one line
of JSON. The first is the environment of all calls; each further one is a call: `{"call", "cwd", "own", "stdout",
"stderr"}`, where `own` is what it has in its environment beside that. Its answer is `{"result", ...}`,
`{"failed", "status", ...}`, with `errno` where its output files cannot be opened, or `{"stale": true}` when the source
of a loaded module has changed, so that a new interpreter must run the call.
"""

import os
import sys

_BARE, _PATH = frozenset(sys.modules), list(sys.path)
if __name__ == "__main__":
    # What is imported here is Python's own: a file in a folder of PYTHONPATH may have the name of one of these modules.
    _library = os.path.dirname(os.__file__)
    del sys.path[: sys.path.index(_library) if _library in sys.path else 0]

import faulthandler  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import socket  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

if __name__ == "__main__":
    _spec = importlib.util.spec_from_file_location("_jobmon_calls", Path(__file__).with_name("calls.py"))
    assert _spec is not None
    assert _spec.loader is not None
    calls = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(calls)
    # This folder must not be searched by the user's imports, either.
    sys.path[:] = [folder for folder in _PATH if folder != str(Path(__file__).resolve().parent)]
    calls.OURS.update(sys.modules.keys() - _BARE)
    calls.give_way(_PATH[: _PATH.index(_library)] if _library in _PATH else [])
else:
    from jobmon.worker import calls

_OUTPUT = os.O_WRONLY | os.O_CREAT | os.O_APPEND
_OWN_FOLDERS = tuple(str(Path(folder).resolve()) + os.sep for folder in {sys.prefix, sys.base_prefix})


class Sources:
    """The files that the user's modules were loaded from, and when each was changed."""

    def __init__(self) -> None:
        self._changed_at: dict[str, int] = {}
        self._seen: set[str] = set()

    def note(self) -> None:
        """Remember the files of modules loaded since the last time; those of the interpreter itself do not count."""
        new = sys.modules.keys() - self._seen
        self._seen |= new
        for name in new:
            path = getattr(sys.modules.get(name), "__file__", None)
            if isinstance(path, str) and not os.path.realpath(path).startswith(_OWN_FOLDERS):
                self._changed_at[path] = _changed_at(path)

    def stale(self) -> bool:
        """Some file is not what was loaded."""
        return any(_changed_at(path) != when for path, when in self._changed_at.items())


def _changed_at(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


def _redirect(stdout: str, stderr: str) -> None:
    for fd, path in ((1, stdout), (2, stderr)):
        opened = os.open(path, _OUTPUT, 0o644)
        os.dup2(opened, fd)
        os.close(opened)


def _enter(message: dict[str, Any]) -> dict[str, Any] | None:
    """Take the call's output files and folder; what keeps the call from running, if something does."""
    try:
        _redirect(message["stdout"], message["stderr"])
    except OSError as error:
        told = f"cannot write the output file {error.filename}: {error.strerror}"
        return {"failed": told, "status": 126, "errno": error.errno}
    try:
        os.chdir(message["cwd"])
    except OSError as error:
        return {"failed": f"cannot work in {message['cwd']}: {error.strerror}", "status": 126}
    return None


def _cpu_s() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


class Peak:
    """The most memory that this process, or a child that it waited for, has held since this was made.

    What getrusage(2) tells is the peak of the whole life of the process, which an earlier call may have reached.
    """

    def __init__(self) -> None:
        self._begun_again = _peak_begins_again()
        self._children = _max_rss(resource.RUSAGE_CHILDREN)

    def bytes(self) -> float:
        """In bytes. Where the kernel cannot begin a peak again it is that of the whole life."""
        own = _status_bytes(b"VmHWM:") if self._begun_again else 0.0
        children = _max_rss(resource.RUSAGE_CHILDREN)
        return max(own or _max_rss(resource.RUSAGE_SELF), children if children > self._children else 0.0)


def _peak_begins_again() -> bool:
    """Whether the peak is from now on counted from what is held now (proc_pid_clear_refs(5))."""
    try:
        fd = os.open("/proc/self/clear_refs", os.O_WRONLY)
        try:
            os.write(fd, b"5")
        finally:
            os.close(fd)
    except OSError:
        return False
    return True


def _status_bytes(name: bytes) -> float:
    fd = os.open("/proc/self/status", os.O_RDONLY)
    try:
        _, _, value = os.read(fd, 4096).partition(name)
    finally:
        os.close(fd)
    return float(value.split(None, 1)[0]) * 1024 if value else 0.0


def _max_rss(who: int) -> float:
    return resource.getrusage(who).ru_maxrss * 1024.0


def _set_environment(wanted: dict[str, str]) -> None:
    """Make it the environment of this process, whatever a call made of it; only what differs is touched."""
    now = dict(os.environ)
    for name in now.keys() - wanted.keys():
        del os.environ[name]
    for name, value in wanted.items():
        if now.get(name) != value:
            os.environ[name] = value


def _run(message: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """Run one call in its folder and environment, its output in its files; everything is as before afterwards."""
    streams, path, argv = (sys.stdout, sys.stderr), list(sys.path), sys.argv
    _set_environment(environment)
    began, peak = _cpu_s(), Peak()
    try:
        done = _enter(message)
        if done is None:
            sys.argv = [message["call"]["module"]]
            importlib.invalidate_caches()
            done = calls.answer(message["call"])
    except OSError as error:
        done = {"failed": f"its output cannot be written: {error.strerror}", "status": 126}
    finally:
        (sys.stdout, sys.stderr), sys.path[:], sys.argv = streams, path, argv
        _redirect(os.devnull, os.devnull)
    return {**done, "usage": {"cpu_s": _cpu_s() - began, "max_rss_bytes": peak.bytes()}}


def serve(fd: int) -> None:
    """Answer calls until the other end is closed."""
    os.set_inheritable(fd, False)
    faulthandler.enable()
    sources = Sources()
    with socket.socket(fileno=fd) as channel, channel.makefile("rb") as lines:
        environment = json.loads(lines.readline() or b"{}")
        for line in lines:
            if sources.stale():
                channel.sendall(b'{"stale":true}\n')
                return
            message = json.loads(line)
            done = _run(message, environment | message["own"])
            sources.note()
            channel.sendall(json.dumps(done).encode() + b"\n")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
