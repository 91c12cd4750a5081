"""Resources: the core's vocabulary, its units, and a plugin's own keys beside it.

    {"cores": 4, "memory": "8G", "runtime": "2h", "gpus": 1, "uge": {"queue": "long.q"}}

Every executor accepts the core's keys. Keys under the name of an executor type are read by that type alone.
"""

import difflib
import re
from collections.abc import Mapping
from typing import Any

import attrs

from jobmon.plugins.settings import NoSettings, build

CORE_KEYS = ("cores", "memory", "runtime", "gpus")
_BYTES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_LEAST_MEMORY = 1 << 20
_SECONDS = {"": 1, "S": 1, "M": 60, "H": 3600, "D": 86400}


def parse_memory(value: int | str) -> int:
    """Bytes from `2147483648`, `"2G"`, `"512M"`, `"1.5 GiB"`, `"2Gi"` or `"2GB"`.

    K, M, G and T are powers of 1024, as schedulers take them.

    Raises:
        ValueError: it is not a positive amount in one of these forms, or less than any process needs.
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(?:([KMGT])i?)?B?\s*", str(value), re.IGNORECASE)
    if isinstance(value, bool) or not match or float(match[1]) <= 0:
        raise ValueError(f"memory {value!r} is not an amount such as 2G or 512M")
    amount = round(float(match[1]) * _BYTES[(match[2] or "").upper()])
    if amount < _LEAST_MEMORY:
        meant = f"for gigabytes write {match[1] + 'G'!r}" if not match[2] else "K, M, G and T are units"
        raise ValueError(f"memory {value!r} is {amount:,} bytes, which no process can run in; {meant}")
    return amount


def parse_runtime(value: float | str) -> float:
    """Seconds from `90`, `"20m"`, `"1h30m"`, `"2d"` or `"1:30:00"`.

    Raises:
        ValueError: it is not a positive span in one of these forms.
    """
    text = str(value).strip()
    seconds = -1.0
    if re.fullmatch(r"[0-9]+:[0-5]?[0-9](:[0-5]?[0-9])?", text):
        parts = [int(part) for part in text.split(":")]
        seconds = float(sum(part * 60**i for i, part in enumerate(reversed(parts if len(parts) == 3 else [0, *parts]))))
    elif re.fullmatch(r"(?:[0-9]+(?:\.[0-9]+)?\s*[smhd]?\s*)+", text, re.IGNORECASE):
        found = re.findall(r"([0-9]+(?:\.[0-9]+)?)\s*([smhd]?)", text, re.IGNORECASE)
        seconds = sum(float(number) * _SECONDS[unit.upper()] for number, unit in found)
    if isinstance(value, bool) or seconds <= 0:
        raise ValueError(f"runtime {value!r} is not a span such as 90, 20m or 1h30m")
    return seconds


def _count(name: str, least: int) -> Any:
    def convert(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ValueError(f"{name} {value!r} is not a whole number of {least} or more")
        return value

    return convert


@attrs.frozen
class Resources:
    """What one attempt may use. `own` is an instance of the executor's `resources_type`."""

    cores: int = 1
    memory: int | None = None  #: bytes
    runtime: float | None = None  #: seconds
    gpus: int = 0
    own: Any = None


_CONVERTERS = {
    "cores": _count("cores", 1),
    "memory": parse_memory,
    "runtime": parse_runtime,
    "gpus": _count("gpus", 0),
}


def parse_resources(
    raw: Mapping[str, Any], *, type_name: str, own_type: type = NoSettings
) -> tuple[Resources, list[str]]:
    """The resources that a task asks of an executor type, and what is wrong with them (nothing, if they are usable)."""
    problems: list[str] = []
    core: dict[str, Any] = {}
    own_table: Mapping[str, Any] = {}
    for key, value in raw.items():
        if key in _CONVERTERS:
            try:
                core[key] = _CONVERTERS[key](value)
            except ValueError as error:
                problems.append(str(error))
        elif key == type_name and isinstance(value, Mapping):
            own_table = value
        elif not isinstance(value, Mapping):  # a table is another type's own
            close = difflib.get_close_matches(key, CORE_KEYS, 1)
            hint = (
                f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(CORE_KEYS)} and a table per type"
            )
            problems.append(f"unknown resource {key!r}{hint}")
    own, own_problems = build(own_type, own_table)
    problems.extend(f"{type_name}: {problem}" for problem in own_problems)
    return Resources(**core, own=own), problems
