"""How every other process of Jobmon talks to the server; the only place that knows `requests`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jobmon.requester.connecting import connect
    from jobmon.requester.reach import workers_url
    from jobmon.requester.requester import Requester

__all__ = ["Requester", "connect", "workers_url"]

#: Names and the modules that they come from, which are imported when first used: the server wants none of them, and
#: whoever starts it waits for its imports.
_HOMES = {
    "Requester": "jobmon.requester.requester",
    "connect": "jobmon.requester.connecting",
    "workers_url": "jobmon.requester.reach",
}


def __getattr__(name: str) -> Any:
    import importlib

    if name not in _HOMES:
        raise AttributeError(f"module 'jobmon.requester' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
