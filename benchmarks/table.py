"""Lines of results as a table for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec


def table(path: Path) -> str:
    """Markdown of a file of lines: the machine of the last line, then a row for each figure's latest line."""
    latest: dict[tuple[str, int], dict[str, Any]] = {}
    for line in path.read_text().splitlines():
        figure = msgspec.json.decode(line)
        latest[figure["name"], figure["n"]] = figure
    last = list(latest.values())[-1]
    rows = [
        f"Machine: {_pairs(last['machine'])}; Python {last['python']}; {_pairs(last['versions'])}; {last['at']}",
        "",
        "| figure | n | median (least to most) of repeats | others in the same run | more |",
        "|---|---|---|---|---|",
    ]
    for (name, n), f in latest.items():
        value = f"{_number(f['median'])} ({_number(f['min'])} to {_number(f['max'])}) {f['unit']}, {f['repeats']} x"
        rows.append(f"| {name} | {n:,} | {value} | {_pairs(f['peers'])} | {_pairs(f['more'])} |")
    return "\n".join(rows)


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in values.items())


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return _number(value["median"]) if "median" in value else f"({_pairs(value)})"
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
