"""The loop of a warm interpreter: one Python call after the other, told and answered through a socket.

Standard library only; run by path (`python warm.py FD`) with the interpreter of the user's task. A message is one line
of JSON, a call: `{"token", "call", "cwd", "stdout", "stderr"}`. Its answer has its `token` and `{"result", ...}`,
`{"failed", "status", ...}`, with `errno` where its output files cannot be opened, or `{"stale": true}` when the source
of a loaded module has changed, so that a new interpreter must run the call. Where `ends` is not empty the call has left
what cannot be put back: the interpreter ends like one that ran this call alone, and only then the call has ended.
"""

import os
import sys

_BARE, _PATH = frozenset(sys.modules), list(sys.path)
if __name__ == "__main__":
    # What is imported here is Python's own: a file in a folder of PYTHONPATH may have the name of one of these modules.
    _library = os.path.dirname(os.__file__)
    del sys.path[: sys.path.index(_library) if _library in sys.path else 0]

import json  # noqa: E402

if __name__ == "__main__":
    import importlib.util

    _folder = os.path.dirname(os.path.realpath(__file__))
    _spec = importlib.util.spec_from_file_location("_jobmon_kept", os.path.join(_folder, "kept.py"))
    assert _spec is not None
    assert _spec.loader is not None
    kept = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(kept)
    # This folder must not be searched by the user's imports, either.
    sys.path[:] = [folder for folder in _PATH if folder != _folder]
    kept.calls.OURS.update(sys.modules.keys() - _BARE)
    kept.calls.give_way(_PATH[: _PATH.index(_library)] if _library in _PATH else [])
else:
    from jobmon.worker import kept

# As they are now: a call may put something else in their place.
_encode, _decode, _write = json.JSONEncoder().encode, json.JSONDecoder().decode, os.write


def serve(fd: int) -> int:
    """Answer calls until the other end is closed, or one has left what cannot be put back; the exit status."""
    os.set_inheritable(fd, False)
    interpreter = kept.Kept()
    with open(fd, "rb") as lines:
        for line in lines:
            message = _decode(line.decode())
            done = {"stale": True} if interpreter.stale() else interpreter.run(message)
            told = _encode({**done, "token": message["token"], "ends": interpreter.why_not}).encode() + b"\n"
            while told:
                told = told[_write(fd, told) :]
            if interpreter.why_not or done.get("stale"):
                return int(done.get("status", 0))
    return 0


if __name__ == "__main__":
    sys.exit(serve(int(sys.argv[1])))
