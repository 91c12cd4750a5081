"""Stand-ins that may run on other hosts, which share a folder with this one, and that outlive no run for long."""

import os
from pathlib import Path

from jobmon.testing.stand_in import StandIns

#: As the program of `StandIns`, but it looks for its exit status in the file `ends/TOKEN`: a FIFO joins processes of
#: one host only. It ends when that file is gone, and after an hour in any case: whoever started it may be dead.
_PROGRAM = """\
#!/bin/sh
# Stands in for a worker. Arguments: folder, token, and what else the kit gives it to pass on unchanged.
# For a member of an array: "array", folder, the array's token, and the member's index, as the platform gives it.
if [ "$1" = array ]; then
    printf '%s\\0' "$@" > "$2/arrays/$3.$4"
    set -- "$2" "$(sed -n "${4}p" "$2/arrays/$3")"
fi
uname -n > "$1/hosts/$2"
printf '%s\\0' "$@" > "$1/.$2.$$" && mv "$1/.$2.$$" "$1/started/$2.$$"
turns=0
while [ -e "$1/ends/$2" ] && [ "$turns" -lt 14400 ]; do
    if read -r status < "$1/ends/$2"; then
        [ "$status" = work ] && exec '@PYTHON@' -I -S "$(dirname "$0")/work.py" "$1/worked/$2"
        exit "$status"
    fi
    sleep 0.25
    turns=$((turns + 1))
done 2> /dev/null
exit 1
"""


class SharedStandIns(StandIns):
    """The stand-ins of one folder, on whatever host they run."""

    program = _PROGRAM

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "hosts").mkdir(exist_ok=True)

    def get_ready(self, token: str) -> None:
        (self._folder / "ends" / token).touch()

    def _tell(self, token: str, word: str) -> None:
        new = self._folder / f".{token}.end"
        new.write_text(f"{word}\n")
        new.replace(self._folder / "ends" / token)

    def process(self, token: str) -> int | None:
        host = self._folder / "hosts" / token
        return super().process(token) if host.exists() and host.read_text().strip() == os.uname().nodename else None

    def close(self) -> None:
        for path in list((self._folder / "ends").iterdir()):
            path.unlink()
