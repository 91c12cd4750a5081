"""Which plugins were tried and found harmless, as they are now: kept for this user, so that a trial is made once."""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

from jobmon.plugins.metadata import InstalledType

_VERSION = 2  #: of what is looked for in a trial


class Tried:
    """What is remembered of one type: the files that its import read, and when each was changed."""

    def __init__(self, installed: InstalledType) -> None:
        what = json.dumps([_VERSION, *installed, sys.executable, sys.version])
        folder = _folder()
        name = f"{installed.name}-{hashlib.sha256(what.encode()).hexdigest()[:16]}.json"
        self._file = None if folder is None else folder / name

    def is_known(self) -> bool:
        """It was tried, and none of its files was changed since."""
        if self._file is None:
            return False
        try:
            known = json.loads(self._file.read_bytes())
            return bool(known) and all(_state(path) == state for path, state in known.items())
        except (OSError, ValueError, AttributeError):
            return False

    def remember(self, files: Iterable[str]) -> None:
        """Keep it; where nothing can be kept it is tried again next time."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            states = json.dumps({path: _state(path) for path in files})
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with NamedTemporaryFile("w", dir=self._file.parent, delete=False) as file:
                file.write(states)
            Path(file.name).replace(self._file)


def _state(path: str) -> list[int]:
    found = Path(path).stat()
    return [found.st_mtime_ns, found.st_size, found.st_ino]


def _folder() -> Path | None:
    """In the user's cache; None for a user without a home."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - which raises
    return Path(cache) / "jobmon" / "tried" if os.path.isabs(cache) else None  # noqa: PTH117
