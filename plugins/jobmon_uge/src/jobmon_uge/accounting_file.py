"""The cell's accounting file and its rotated predecessors, read as far as is needed and then followed."""

import gzip
import os
import re
from pathlib import Path
from typing import IO

from jobmon_uge.accounting import Record, read_line

_SLACK_S = 3600.0  #: records stand in the order of their ends, but for clocks and delays
_OURS = re.compile(rb"(?:[^:]*:){4}j[0-9a-z]{26}")


class AccountingFile:
    """Keeps the records of Jobmon's jobs that ended since the earliest instant that it was asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._since_s = float("inf")
        self._read_to: dict[tuple[int, int], int] = {}  #: by device and inode, so that a rotated file is not read again
        self._records: dict[tuple[str, int | None], list[Record]] = {}

    def records(self, since_s: float) -> dict[tuple[str, int | None], list[Record]]:
        """By job and task, in the order of their ends, all that ended after the instant (seconds since the epoch).

        Raises:
            OSError: a file that may hold some cannot be read.
        """
        if since_s < self._since_s:
            self._since_s = since_s
            self._read_to.clear()
            self._records.clear()
        for path in self._files():
            with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
                self._follow(file, path)
        return self._records

    def _files(self) -> list[Path]:
        """Oldest first; the file itself last, which must be there."""
        older = [
            (status.st_mtime, path)
            for path in self._path.parent.glob(f"{self._path.name}[.-]*")
            if (status := path.stat()).st_mtime >= self._since_s - _SLACK_S
        ]
        return [*(path for _, path in sorted(older)), self._path]

    def _follow(self, file: "IO[bytes] | gzip.GzipFile", path: Path) -> None:
        status = os.fstat(file.fileno())
        key = (status.st_dev, status.st_ino)
        if path.suffix == ".gz":
            if key in self._read_to:
                return
            start = 0
        else:
            start = self._read_to.get(key, -1)
            if not 0 <= start <= status.st_size:  # it is new, or was emptied
                start = self._first(file, status.st_size)
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                break  # it is being written
            start += len(line)
            record = read_line(line.decode(errors="replace")) if _OURS.match(line) else None
            if record is not None:
                self._records.setdefault((record.job, record.task), []).append(record)
        self._read_to[key] = start

    def _first(self, file: "IO[bytes] | gzip.GzipFile", size: int) -> int:
        """Where a line starts that stands before all that ended after the instant: halving, as files are large."""
        lines = (line.decode(errors="replace") for line in file if not line.startswith(b"#"))
        if (line := next(lines, "")) and line.endswith("\n") and read_line(line) is None:
            raise OSError(f"{self._path} is in a form that is not known here")
        low, high = 0, size
        while high - low > 1 << 16:
            middle = (low + high) // 2
            file.seek(middle)
            file.readline()
            place = file.tell()
            record = read_line(file.readline().decode(errors="replace"))
            if record is None or not record.ended_s or record.ended_s >= self._since_s - _SLACK_S:
                high = middle
            else:
                low = place
        return low
