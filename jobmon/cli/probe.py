"""Import one executor type in a process of its own: whatever its module does, it does it to nobody else.

Its process (see `jobmon.isolated`) prints a JSON object; what the plugin itself prints goes to standard error.
"""

import json
import os
import subprocess
import sys
from typing import Any

from jobmon.isolated import isolated
from jobmon.plugins import trial

TIMEOUT_S = trial.TIMEOUT_S + 30  #: the trial in it has the shorter one, and says what it was


def probe(name: str) -> dict[str, Any]:
    """`contract`, `error` and `traceback` of an installed type; `error` is None when it can be used."""
    try:
        done = subprocess.run(
            isolated("jobmon.cli.probe", name),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _failure(f"importing it takes longer than {TIMEOUT_S:.0f} s", "")
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return _failure(f"importing it ended the process (exit status {done.returncode})", done.stderr)
    return answer


def _failure(error: str, traceback: str) -> dict[str, Any]:
    return {"contract": None, "error": error, "traceback": traceback}


def _look(name: str) -> dict[str, Any]:
    import traceback

    from jobmon.errors import JobmonError
    from jobmon.plugins.registry import Registry

    try:
        version = Registry().load(name).api_version
    except JobmonError as error:
        return _failure(str(error), traceback.format_exc())
    return {"contract": f"{version[0]}.{version[1]}", "error": None, "traceback": ""}


def main() -> None:
    """Answer on the real standard output, which the plugin does not get to see."""
    answer_to = os.dup(1)
    os.dup2(2, 1)
    answer = _look(sys.argv[1])
    with os.fdopen(answer_to, "w") as stream:
        json.dump(answer, stream)


if __name__ == "__main__":
    main()
