"""Programs in the place of workers: each says that it runs and waits until it is told to end."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

#: Writes its arguments, NUL after each, to `started/TOKEN.PID`, then reads its exit status from the FIFO `ends/TOKEN`.
_PROGRAM = """\
#!/bin/sh
# Stands in for a worker. Arguments: folder, token, and what else the kit gives it to pass on unchanged.
# For a member of an array: "array", folder, the array's token, and the member's index, as the platform gives it.
if [ "$1" = array ]; then
    printf '%s\\0' "$@" > "$2/arrays/$3.$4"
    set -- "$2" "$(sed -n "${4}p" "$2/arrays/$3")"
fi
printf '%s\\0' "$@" > "$1/.$2.$$" && mv "$1/.$2.$$" "$1/started/$2.$$"
{ read -r status < "$1/ends/$2"; } 2> /dev/null
[ "$status" = work ] && exec '@PYTHON@' -I -S "$(dirname "$0")/work.py" "$1/worked/$2"
exit "${status:-1}"
"""
#: Uses a second of processor time and 200 MB, and notes what this process, which was the stand-in, has used by then.
_WORK = """\
import json, os, resource, sys, time
kept = os.urandom(1 << 20) * 200
while time.process_time() < 1.0:
    sum(range(10000))
own, began = resource.getrusage(resource.RUSAGE_SELF), open("/proc/self/stat").read().rpartition(")")[2].split()[19]
used = {
    "wall_s": float(open("/proc/uptime").read().split()[0]) - int(began) / os.sysconf("SC_CLK_TCK"),
    "cpu_s": own.ru_utime + own.ru_stime,
    "max_rss_bytes": own.ru_maxrss * 1024.0,
}
with open(sys.argv[1] + ".new", "w") as file:
    json.dump(used, file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
"""


class StandIns:
    """The stand-ins of one folder."""

    program = _PROGRAM

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: list[int] = []
        for name in ("started", "ends", "arrays", "worked"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._program = folder / "stand-in"
        self._program.write_text(self.program.replace("@PYTHON@", sys.executable))
        (folder / "work.py").write_text(_WORK)
        self._program.chmod(0o700)

    def argv(self, token: str, *more: str) -> tuple[str, ...]:
        """The command line of a stand-in for the worker of this attempt."""
        return (str(self._program), str(self._folder), token, *more)

    def array_argv(self, token: str, members: Sequence[str]) -> tuple[str, ...]:
        """The command line for the workers of an array, to which the platform adds the index."""
        (self._folder / "arrays" / token).write_text("".join(f"{member}\n" for member in members))
        return (str(self._program), "array", str(self._folder), token)

    def array_arguments(self, token: str, index: int) -> list[str] | None:
        """The arguments that a member of an array was started with; None when it was not."""
        path = self._folder / "arrays" / f"{token}.{index}"
        return path.read_bytes().decode().split("\0")[:-1] if path.exists() else None

    def place(self, token: str) -> tuple[str, int] | None:
        """The array's token and the index of a member of an array; None for any other attempt."""
        for path in (self._folder / "arrays").iterdir():
            if "." not in path.name and token in (members := path.read_text().split()):
                return path.name, members.index(token) + 1
        return None

    def get_ready(self, token: str) -> None:
        """Make what the stand-in of this attempt waits at; without it, it ends at once."""
        os.mkfifo(self._folder / "ends" / token, 0o600)

    def starts(self, token: str | None = None) -> list[str]:
        """The tokens of all that were started (one entry a start), or those of one token."""
        found = sorted(path.name.split(".")[0] for path in (self._folder / "started").iterdir())
        return found if token is None else [one for one in found if one == token]

    def arguments(self, token: str) -> list[str] | None:
        """The arguments that the stand-in was started with; None when it was not."""
        for path in (self._folder / "started").glob(f"{token}.*"):
            return path.read_bytes().decode().split("\0")[:-1]
        return None

    def end(self, token: str, status: int = 0) -> None:
        """Have one exit, as soon as it runs."""
        self._tell(token, str(status))

    def work(self, token: str) -> None:
        """Have one work for a second of processor time and then exit with status 0, as soon as it runs."""
        self._tell(token, "work")

    def worked(self, token: str) -> dict[str, float] | None:
        """What one that works used, in the words of `Exited.usage`; None: it works still."""
        path = self._folder / "worked" / token
        return dict(json.loads(path.read_text())) if path.exists() else None

    def _tell(self, token: str, word: str) -> None:
        # Opened for both ends, which never blocks; kept open, so that what is written stays until it is read.
        fd = os.open(self._folder / "ends" / token, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self._open.append(fd)
        os.write(fd, f"{word}\n".encode())

    def process(self, token: str) -> int | None:
        """The process id of one that was started."""
        for path in (self._folder / "started").glob(f"{token}.*"):
            return int(path.name.split(".")[1])
        return None

    def close(self) -> None:
        """Have all of them exit, also those that have not begun: they find no FIFO."""
        for fifo in list((self._folder / "ends").iterdir()):
            self.end(fifo.name)
            fifo.unlink()
        while self._open:
            os.close(self._open.pop())
