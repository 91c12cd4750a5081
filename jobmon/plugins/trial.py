"""Tries a plugin in a child before it is imported here: whatever its import does, it does it to nobody else.

This module's `main`, with a type and the import path, is the child's: it loads the type and answers with what it saw.
"""

import contextlib
import faulthandler
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from jobmon.errors import PluginError
from jobmon.isolated import isolated
from jobmon.plugins.metadata import InstalledType
from jobmon.plugins.tried import Tried
from jobmon.plugins.wording import cut, said

TIMEOUT_S = 60.0
_LIMITS = [value for name, value in vars(resource).items() if name.startswith("RLIMIT_")]


def refuse_harm(installed: InstalledType) -> None:
    """Try the type, unless it was tried as it is now.

    Raises:
        PluginError: its import does what it must not. One that merely fails is left to be imported, and to fail, here.
    """
    tried = Tried(installed)
    if tried.is_known():
        return
    seen = _seen(installed.name)
    if seen["harm"]:
        raise PluginError(f"executor type {installed.name!r} ({installed}) is refused: {seen['harm']}")
    if seen["files"]:
        tried.remember(seen["files"])


def _seen(name: str) -> dict[str, Any]:
    argv = isolated(__name__, name, json.dumps([path for path in sys.path if isinstance(path, str)]))
    with tempfile.TemporaryFile() as answer:  # no pipe: a process that it leaves behind would keep that open
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=answer, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            status = child.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return _harm(f"importing it takes longer than {TIMEOUT_S:.0f} s")
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        answer.seek(0)
        try:
            seen: dict[str, Any] = json.loads(answer.read())
        except ValueError:
            how = f"by signal {-status}" if status < 0 else f"with exit status {status}"
            return _harm(f"importing it ends the process, {how}")
    return seen


def _harm(what: str) -> dict[str, Any]:
    return {"harm": what, "files": []}


class _Host:
    """What an import must leave as it is."""

    def __init__(self) -> None:
        self.environment, self.folder, self.umask = dict(os.environ), os.getcwd(), _umask()  # noqa: PTH109
        self.limits = [resource.getrlimit(kind) for kind in _LIMITS]
        self.python = (socket.getdefaulttimeout(), sys.excepthook, threading.excepthook)
        self.handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self.threads = set(threading.enumerate())
        self.streams = (sys.stdout, sys.stderr, sys.stdin)

    def harm(self) -> Iterator[str]:
        """What was changed, a phrase each."""
        now = _Host()
        changed = {name for name, _ in self.environment.items() ^ now.environment.items()}
        if changed:
            yield f"changes the environment ({', '.join(sorted(changed))})"
        if self.folder != now.folder:
            yield f"changes the working folder to {now.folder}"
        if self.umask != now.umask:
            yield "changes the umask"
        if self.limits != now.limits:
            yield "changes the limits of the process"
        if self.python != now.python:
            yield "changes what Python does with errors nobody catches, or how long sockets wait"
        if self.handlers != now.handlers or signal.getitimer(signal.ITIMER_REAL)[0]:
            yield "changes what is done on signals"
        if self.streams != now.streams:
            yield "replaces the standard streams"
        if left := now.threads - self.threads:
            yield f"leaves threads running ({', '.join(sorted(thread.name for thread in left))})"
        with contextlib.suppress(ChildProcessError):
            if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                yield "leaves processes running"


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _try(name: str) -> dict[str, Any]:
    from jobmon.errors import JobmonError
    from jobmon.plugins.registry import Registry

    output = os.memfd_create("standard output")
    os.dup2(output, 1)
    host, before, failed, harm = _Host(), set(sys.modules), False, list[str]()
    try:
        Registry(try_first=False).load(name)
    except JobmonError:
        failed = True
    except BaseException as error:  # noqa: BLE001 - that it may raise KeyboardInterrupt is what this is for
        harm.append(f"raises {said(error)}")
    harm += host.harm()
    with contextlib.suppress(Exception):
        host.streams[0].flush()
    if text := cut(os.pread(output, 200, 0).decode(errors="replace"), 80):
        harm.append(f"writes to standard output ({text!r})")
    if harm:
        return _harm(f"importing it {', and '.join(harm)}")
    files = {getattr(sys.modules.get(name), "__file__", None) for name in set(sys.modules) - before}
    return {"harm": "", "files": [] if failed else sorted(path for path in files if isinstance(path, str))}


def main() -> None:
    """Answer on the real standard output, which the plugin does not get to see; end at once, whatever it left."""
    name, paths = sys.argv[1:]
    sys.path[:] = json.loads(paths)
    faulthandler.dump_traceback_later(TIMEOUT_S + 5, exit=True)  # where nobody is left to end it
    answer_to = os.dup(1)
    seen = _try(name)
    with os.fdopen(answer_to, "w") as stream:
        json.dump(seen, stream)
    os._exit(0)
