"""What a script's user sees of an error that nobody catches (docs/adr/0020 says why)."""

import sys
from types import TracebackType

from jobmon.errors import ConfigurationError, PluginError, ServerError, StoreError

#: Errors of what lies around the script: their texts say what is wrong and where, and no line of it is to blame.
_AROUND_THE_SCRIPT = (ConfigurationError, PluginError, ServerError, StoreError)


def speak_plainly() -> None:
    """Have Python show such an error by its text alone, unless the script has a hook of its own, or with `-X dev`."""
    if sys.excepthook is sys.__excepthook__ and not sys.flags.dev_mode:
        sys.excepthook = _show


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not isinstance(error, _AROUND_THE_SCRIPT):
        sys.__excepthook__(kind, error, trace)
        return
    notes = getattr(error, "__notes__", [])
    print("\n".join([f"{kind.__module__}.{kind.__qualname__}: {error}", *notes]), file=sys.stderr)
