"""Lines of results as a page for people."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec


def table(path: Path) -> str:
    """Markdown of a file of lines: for each figure its latest line, as a row of a table and as it is."""
    latest: dict[tuple[str, int], tuple[str, dict[str, Any]]] = {}
    for line in path.read_text().splitlines():
        figure = msgspec.json.decode(line)
        latest[figure["name"], figure["n"]] = line, figure
    last = list(latest.values())[-1][1]
    rows = [
        "# Results",
        "",
        "How these are taken, and what the words mean: [README.md](README.md).",
        "",
        f"Machine: {_pairs(last['machine'])}. Python {last['python']}, {_pairs(last['versions'])}. Taken {last['at']}.",
        "",
        "| figure | n | median (least to most) of repeats | target | others in the same run | more |",
        "|---|---|---|---|---|---|",
    ]
    for (name, n), (_, f) in latest.items():
        value = f"{_number(f['median'])} ({_number(f['min'])} to {_number(f['max'])}) {f['unit']}, {f['repeats']} x"
        rows.append(f"| {name} | {n:,} | {value} | {f['target']} | {_pairs(f['peers'])} | {_pairs(f['more'])} |")
    return "\n".join([*rows, "", "```json", *(line for line, _ in latest.values()), "```"])


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_shown(value)}" for name, value in values.items())


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return _number(value["median"]) if "median" in value else f"({_pairs(value)})"
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
