"""One figure: what came of several repeats, as a line of JSON."""

import statistics
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import msgspec

from benchmarks.machine import load, machine, python, versions


@attrs.frozen
class Spread:
    """Several measurements of one thing."""

    median: float
    min: float
    max: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """The spread of at least one value."""
        return cls(*(_short(f(values)) for f in (statistics.median, min, max)))


@attrs.frozen
class Figure:
    """A line of the results. `value` is the median of the repeats."""

    name: str
    value: float
    unit: str
    n: int
    repeats: int
    median: float
    min: float
    max: float
    target: str  #: what was set out to be reached; empty where nothing was
    more: Mapping[str, Any]  #: what else was measured in the same repeats
    peers: Mapping[str, Any]  #: others' spreads, interleaved with these repeats, or why there are none
    load_before: float  #: of the machine, in the minute before the first repeat
    machine: Mapping[str, Any]
    python: str
    versions: Mapping[str, str]
    at: str


class Results:
    """Takes figures: prints each, and appends it to a file."""

    def __init__(self, path: Path, scratch_parent: Path) -> None:
        self._path = path
        self._machine = machine(scratch_parent)
        self._versions = versions()
        self._load_before = load()

    def begin(self) -> None:
        """The repeats of the next figures begin now."""
        self._load_before = load()

    def take(
        self,
        name: str,
        unit: str,
        n: int,
        values: Sequence[float],
        *,
        target: str = "",
        peers: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """Make a figure of the values of the repeats. In `more` and `peers` a list of numbers becomes its spread."""
        spread = Spread.of(values)
        figure = Figure(
            name,
            spread.median,
            unit,
            n,
            len(values),
            spread.median,
            spread.min,
            spread.max,
            target,
            _spreads(more),
            _spreads(peers or {}),
            self._load_before,
            self._machine,
            python(),
            self._versions,
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        line = msgspec.json.encode(attrs.asdict(figure)).decode()
        print(line, flush=True)
        with self._path.open("a") as file:
            file.write(line + "\n")


def _spreads(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _spread(value) for name, value in values.items()}


def _spread(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _spreads(value)
    return Spread.of(value) if isinstance(value, list) and value else value


def _short(value: float) -> float:
    return float(f"{value:.4g}")
