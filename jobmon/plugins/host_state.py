"""What the code of a plugin must leave as it is in the process that runs it: others run there, too."""

import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Iterator

from jobmon.surroundings import current_umask

_LIMITS = [value for name, value in vars(resource).items() if name.startswith("RLIMIT_")]


class HostState:
    """The state of this process that is everybody's, as it is now."""

    def __init__(self) -> None:
        self.environment, self.folder, self.umask = dict(os.environ), os.getcwd(), current_umask()  # noqa: PTH109
        self.handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self.limits = [resource.getrlimit(kind) for kind in _LIMITS]
        self.python = (socket.getdefaulttimeout(), sys.excepthook, threading.excepthook)
        self.alarm = signal.getitimer(signal.ITIMER_REAL)[0] > 0
        self.streams = (sys.stdout, sys.stderr, sys.stdin)

    def changes(self) -> Iterator[str]:
        """What was changed since then, a phrase each."""
        now = HostState()
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
        if self.handlers != now.handlers or self.alarm != now.alarm:
            yield "changes what is done on signals"
        if self.streams != now.streams:
            yield "replaces the standard streams"

    def put_back(self) -> None:
        """Make the process as it was then, but for what is done on signals."""
        os.environ.clear()
        os.environ.update(self.environment)
        os.chdir(self.folder)
        os.umask(self.umask)
        for name, stream in zip(("stdout", "stderr", "stdin"), self.streams, strict=True):
            if getattr(sys, name) is not getattr(sys, f"__{name}__"):  # else whoever redirected them has ended that
                setattr(sys, name, stream)
