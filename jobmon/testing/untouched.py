"""A test class without a platform object touches no platform: what an executor would run or reach is refused."""

import sys
import threading
from pathlib import Path
from typing import Any

from jobmon.testing.sentences import not_exercised

_open: list["Untouched"] = []
_hooked: list[bool] = []
_PROGRAMS = ("subprocess.Popen", "os.posix_spawn", "os.exec")


class Untouched:
    """While it is open, no thread but the main one starts a program, or reaches a host, that is not the kit's own.

    Python itself may be started (workers, the agent), the stand-ins in the folder, and this host be reached.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._wanted = ""
        if not _hooked:
            _hooked.append(True)
            sys.addaudithook(_judge)
        _open.append(self)

    def close(self) -> None:
        """Let everything be done again."""
        _open.remove(self)

    def hold(self) -> None:
        """End the check, if something was refused since this was asked."""
        wanted, self._wanted = self._wanted, ""
        if wanted:
            not_exercised(
                f"it would {wanted}, and without a platform object no platform is touched: give the plugin's own tests "
                "(--tests), or ask for the real platform (--real)"
            )

    def judge(self, event: str, arguments: tuple[Any, ...]) -> str:
        """What the event is about, if it is refused."""
        if event == "os.system":
            return "run a shell"
        if event in _PROGRAMS:
            program = str(arguments[0] or arguments[1][0])
            return "" if program == sys.executable or program.startswith(self._folder) else f"run {program}"
        address = arguments[1]
        if isinstance(address, tuple):
            return "" if address[0] in ("127.0.0.1", "::1", "localhost") else f"connect to {address[0]}"
        return "" if self._folder in str(address) else f"connect to {address!r}"

    def refuse(self, wanted: str) -> None:
        """Keep what was wanted, and refuse it as a system does.

        Raises:
            PermissionError: always.
        """
        self._wanted = wanted
        raise PermissionError(f"a check without a platform object may not {wanted}")


def _judge(event: str, arguments: tuple[Any, ...]) -> None:
    if not _open or event not in (*_PROGRAMS, "os.system", "socket.connect"):
        return
    if threading.current_thread() is threading.main_thread():
        return
    for one in _open:
        if wanted := one.judge(event, arguments):
            one.refuse(wanted)
