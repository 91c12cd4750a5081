"""Results as they arrive: from any worker, and so to be looked at before they are kept."""

from typing import Any

import msgspec

from jobmon.wire.decoding import Undecodable

#: Of one result as JSON text, and levels of lists and objects in it. `jobmon.worker.values` keeps to the same.
MOST_RESULT_BYTES, DEEPEST = 64 << 10, 200


def result_problem(text: str) -> str | None:
    """What is wrong with a result, in words that follow "its result"; None: it can be kept and handed on."""
    size = len(text) if text.isascii() else len(text.encode())
    if size > MOST_RESULT_BYTES:
        return f"has {size:,} bytes; at most {MOST_RESULT_BYTES:,} fit, so write a file"
    brackets = text.count("[") + text.count("{")
    try:
        value = msgspec.json.decode(text)
    except RecursionError:
        return f"is nested more than {DEEPEST} deep"
    except Undecodable as error:
        return f"is not JSON: {error}"
    return f"is nested more than {DEEPEST} deep" if brackets > DEEPEST and _deeper(value) else None


def _deeper(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [part for container in level for part in _parts(container) if isinstance(part, list | dict)]
        if not level:
            return False
    return True


def _parts(container: Any) -> Any:
    return container.values() if isinstance(container, dict) else container if isinstance(container, list) else ()
