"""JSON through the accelerator of the standard library alone: importing `json` above it costs as much as Python's own
start (`re`, `enum`, `functools`), which every job of a cluster would pay.

The accelerator is private to `json`; a Python where it is not as expected gets `json` itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

try:
    import _json
except ImportError:
    _json = None  # type: ignore[assignment]

_SPACE = " \t\r\n"


class _Options:
    """What `json.JSONDecoder` would tell the scanner."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = float  # NaN and Infinity


def _not_json(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is not JSON")


def _accelerated() -> tuple[Any, Any] | None:
    """The scanner and the encoder; None where this Python has others."""
    try:
        scan = _json.make_scanner(_Options)  # type: ignore[arg-type]
        encode = _json.make_encoder(
            None, _not_json, _json.encode_basestring_ascii, None, ":", ",", False, False, True
        )  # fmt: skip
        fit = scan('{"a":[1]}', 0) == ({"a": [1]}, 9) and "".join(encode({"a": [1]}, 0)) == '{"a":[1]}'
    except (AttributeError, TypeError, ValueError):
        return None
    return (scan, encode) if fit else None


_PARTS = _accelerated()


def loads(text: str | bytes) -> Any:
    """The value of a JSON text, bytes as UTF-8.

    Raises:
        ValueError: it is not JSON.
    """
    if isinstance(text, bytes):
        text = text.decode()
    if _PARTS is not None:
        text = text.strip(_SPACE)
        try:
            value, end = _PARTS[0](text, 0)
        except (StopIteration, ValueError, SystemError):
            end = None  # what is wrong only `json` can tell; where it is not imported the scanner has no error to raise
        if end == len(text):
            return value
    import json

    return json.loads(text)


def dumps(value: Any) -> str:
    """A value as JSON text, in ASCII.

    Raises:
        TypeError: it is not made of JSON's types.
    """
    if _PARTS is None:
        import json

        return json.dumps(value, separators=(",", ":"))
    return "".join(_PARTS[1](value, 0))
