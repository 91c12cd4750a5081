"""Tries a plugin in a child before it is imported here: whatever its import does, it does it to nobody else.

This module's `main`, with a type and the import path, is the child's: it loads the type and answers with what it saw.
"""

import contextlib
import faulthandler
import json
import os
import signal
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


def _left(threads: set[threading.Thread]) -> Iterator[str]:
    """What the import left running, a phrase each."""
    if left := set(threading.enumerate()) - threads:
        yield f"leaves threads running ({', '.join(sorted(thread.name for thread in left))})"
    with contextlib.suppress(ChildProcessError):
        if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            yield "leaves processes running"


def _try(name: str) -> dict[str, Any]:
    from jobmon.errors import JobmonError
    from jobmon.plugins.host_state import HostState
    from jobmon.plugins.registry import Registry

    output = tempfile.TemporaryFile()  # noqa: SIM115 - until this process ends
    os.dup2(output.fileno(), 1)
    host, threads, before = HostState(), set(threading.enumerate()), set(sys.modules)
    failed, harm = False, list[str]()
    try:
        Registry(try_first=False).load(name)
    except JobmonError:
        failed = True
    except BaseException as error:  # noqa: BLE001 - that it may raise KeyboardInterrupt is what this is for
        harm.append(f"raises {said(error)}")
    harm += [*host.changes(), *_left(threads)]
    with contextlib.suppress(Exception):
        host.streams[0].flush()
    if text := cut(os.pread(output.fileno(), 200, 0).decode(errors="replace"), 80):
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
